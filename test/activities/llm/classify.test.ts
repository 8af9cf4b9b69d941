import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { callModel } from '../../../src/activities/llm/chat.ts';
import { classify, toApplicationFailure } from '../../../src/activities/llm/classify.ts';
import {
  CallFailed,
  FAILURE_RETRYABLE,
  type FailureType,
  type ModelFailure,
} from '../../../src/activities/llm/failure.ts';
import type { ModelRoute } from '../../../src/models.ts';
import { sendAnswer, serveModel } from './model-server.ts';
import { ROWS, refuse } from './provider-faults.ts';

async function failureOf(route: ModelRoute, deadlineMs = 10_000): Promise<ModelFailure> {
  const { signal } = new AbortController();
  const outcome = await callModel({ route, messages: [{ role: 'user', content: 'hi' }], deadlineMs, signal }).catch(
    (error: unknown) => error,
  );
  if (!(outcome instanceof CallFailed)) throw new Error(`expected a failed call, got ${JSON.stringify(outcome)}`);
  return outcome.failure;
}

describe('what a provider does becomes one failure', () => {
  test.each(ROWS)('$what → $type, retryable: $retryable', async ({ answer, type, retryable, retryAfterMs, says }) => {
    const { route } = await serveModel(answer);
    const failure = await failureOf(route);
    expect(failure).toMatchObject({ type, retryable });
    expect(failure.retryAfterMs).toBe(retryAfterMs);
    expect(failure.message).toMatch(/^openai model "gpt-4": /);
    expect(failure.message).toMatch(says ?? /./);
    expect(failure.message).not.toMatch(/secret|[<>\n]/);
    expect(failure.message.length).toBeLessThan(500);
  });

  test('a refused connection is retryable and names the variable to check', async () => {
    const listener = createServer().listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const { port } = listener.address() as AddressInfo;
    await once(listener.close(), 'close');
    const route: ModelRoute = { provider: 'local', model: 'm', baseUrl: `http://127.0.0.1:${port}/v1`, apiKey: 'x' };
    const failure = await failureOf(route);
    expect(failure).toMatchObject({ type: 'ConnectionFailed', retryable: true });
    expect(failure.message).toContain(`from http://127.0.0.1:${port} (ECONNREFUSED); check LOCAL_MODEL_BASE_URL`);
  });

  test('credentials within an address are not repeated in the message', async () => {
    const baseUrl = 'http://user:hidden@127.0.0.1:18/v1';
    const { message } = await failureOf({ provider: 'local', model: 'm', baseUrl, apiKey: 'x' });
    expect(message).toContain('from http://127.0.0.1:18 ');
    expect(message).not.toContain('hidden');
  });

  test('a key that no header can hold is not repeated in the message', async () => {
    const { route } = await serveModel((response) => sendAnswer(response, 'ok'));
    expect((await failureOf({ ...route, apiKey: 'top\nsecret' })).message).not.toContain('secret');
  });

  test('an error page without end is read only in part', async () => {
    let sentBytes = 0;
    const { route } = await serveModel(async (response, { cut }) => {
      response.writeHead(500, { 'content-type': 'text/plain' });
      const pump = () => {
        do sentBytes += 16_384;
        while (!response.destroyed && response.write('x'.repeat(16_384)));
        if (!response.destroyed) response.once('drain', pump);
      };
      pump();
      await cut;
    });
    expect(await failureOf(route)).toMatchObject({ type: 'ProviderError', retryable: true });
    expect(sentBytes).toBeLessThan(32 * 1024 * 1024);
  });

  test('a classified failure stays what it is', async () => {
    const { route } = await serveModel(refuse(401, {}));
    const failure: ModelFailure = { type: 'BadAnswer', retryable: false, message: 'm' };
    const answer = { content: '', model: 'm', promptTokens: 0, completionTokens: 0, durationMs: 0 };
    expect(classify(new CallFailed(failure, answer), route)).toBe(failure);
  });
});

describe('a failure becomes what Temporal acts on', () => {
  test('type, retryability, delay and details are carried over', () => {
    const made = toApplicationFailure(
      { type: 'RateLimited', retryable: true, retryAfterMs: 7000, message: 'm' },
      { calls: [] },
    );
    expect(made).toMatchObject({ type: 'RateLimited', nonRetryable: false, message: 'm', details: [{ calls: [] }] });
    expect(made.nextRetryDelay).toBe(7000);
  });

  test('without a delay the retry policy decides, and what is not retryable says so', () => {
    const made = toApplicationFailure({ type: 'Unauthorized', retryable: false, message: 'm' }, {});
    expect(made.nonRetryable).toBe(true);
    expect(made.nextRetryDelay ?? undefined).toBeUndefined();
  });

  test('the table has a row of tests for every type that a provider can cause', () => {
    const elsewhere: FailureType[] = ['DeadlineExceeded', 'BadAnswer', 'Unexpected'];
    const tested = new Set<FailureType>([...ROWS.map(({ type }) => type), ...elsewhere]);
    expect([...tested].sort()).toEqual(Object.keys(FAILURE_RETRYABLE).sort());
  });
});
