import { describe, expect, test } from 'vitest';
import { type Ask, AskFailed, askForResult, type Check } from '../../../src/activities/llm/ask.ts';
import type { ModelRoute } from '../../../src/models.ts';
import { type Handler, type Received, sendAnswer, sendJson, serveModel } from './model-server.ts';

type Result = { verdict: string };

const check: Check<Result> = (value) =>
  typeof value.verdict === 'string'
    ? { ok: true, value: { verdict: value.verdict } }
    : { ok: false, faults: [{ at: 'verdict', fault: 'is missing' }] };
const MESSAGES = [
  { role: 'system', content: 'You are a tester.' },
  { role: 'user', content: 'Judge.' },
] as const;
const GOOD = '{"verdict":"pass"}';

/** Answers with each text in turn; past the last one, with the last one. */
const answers =
  (...texts: [string, ...string[]]): Handler =>
  (response, _, index) =>
    sendAnswer(response, texts[index] ?? texts[texts.length - 1] ?? '');

function ask(routes: Ask<Result>['routes'], rest: Partial<Ask<Result>> = {}) {
  return askForResult({
    routes,
    messages: MESSAGES,
    check,
    deadlineMs: 20_000,
    signal: new AbortController().signal,
    ...rest,
  });
}

async function failed(asked: Promise<unknown>): Promise<AskFailed> {
  const outcome = await asked.catch((error: unknown) => error);
  if (!(outcome instanceof AskFailed)) throw new Error(`expected a failure, got ${String(outcome)}`);
  return outcome;
}

const lastMessages = (request: Received | undefined) => request?.body.messages.slice(MESSAGES.length) ?? [];

describe('a good answer', () => {
  test('is checked and given back with its text and the call that brought it', async () => {
    const { route } = await serveModel(answers(`Here: ${GOOD}`));
    const { durationMs, ...call } = (await ask([route])).calls[0] ?? { durationMs: -1 };
    expect(await ask([route])).toMatchObject({ value: { verdict: 'pass' }, content: `Here: ${GOOD}` });
    expect(call).toEqual({
      model: 'gpt-4-0613',
      provider: 'openai',
      promptTokens: 11,
      completionTokens: 7,
      outcome: 'ok',
    });
    expect(durationMs).toBeGreaterThanOrEqual(0);
  });
});

describe('a bad answer', () => {
  test.each([
    ['is no JSON', 'I pass it.', /no JSON object/],
    ['is not what was asked for', '{"opinion":"fine"}', /verdict: is missing/],
  ])('that %s is sent back with its faults, and the next one counts', async (_, bad, fault) => {
    const { route, requests } = await serveModel(answers(bad, GOOD));
    const { value, calls } = await ask([route]);
    expect(value).toEqual({ verdict: 'pass' });
    expect(calls).toMatchObject([{ outcome: 'failed', error: expect.stringMatching(fault) }, { outcome: 'repaired' }]);
    expect(requests[1]?.body.messages.slice(0, MESSAGES.length)).toEqual(MESSAGES);
    expect(lastMessages(requests[1])).toEqual([
      { role: 'assistant', content: bad },
      {
        role: 'user',
        content: expect.stringMatching(/^Your last answer was refused: .*\. Answer again with the JSON object only\.$/),
      },
    ]);
    expect(lastMessages(requests[1])[1]?.content).toMatch(fault);
  });

  test('is sent back at most twice; then the build gets the last faults and every call', async () => {
    const { route, requests } = await serveModel(answers('one', 'two', '{"opinion":"x"}'));
    const { failure, calls } = await failed(ask([route]));
    expect(failure).toMatchObject({ type: 'BadAnswer', retryable: false });
    expect(failure.message).toMatch(/after 3 calls.*verdict: is missing/);
    expect(requests).toHaveLength(3);
    expect(calls.map(({ outcome }) => outcome)).toEqual(['failed', 'failed', 'failed']);
    expect(calls.map(({ completionTokens }) => completionTokens)).toEqual([7, 7, 7]);
  });

  test('is not sent back at all when no repairs are allowed', async () => {
    const { route, requests } = await serveModel(answers('nonsense'));
    expect((await failed(ask([route], { maxRepairs: 0 }))).failure.type).toBe('BadAnswer');
    expect(requests).toHaveLength(1);
  });

  test('does not make the prompts grow: only the last one is shown, and a huge one in part', async () => {
    const { route, requests } = await serveModel(answers('x'.repeat(200_000), 'short', GOOD));
    await ask([route]);
    expect(lastMessages(requests[1])[0]?.content).toMatch(/… \(\d+ more characters\)$/);
    expect(lastMessages(requests[1])[0]?.content.length).toBeLessThan(33_000);
    expect(lastMessages(requests[2]).map(({ content }) => content)[0]).toBe('short');
    expect(lastMessages(requests[2])).toHaveLength(2);
  });

  test('with endless faults is told a few of them', async () => {
    const { route, requests } = await serveModel(answers(GOOD));
    const faults = Array.from({ length: 500 }, (_, at) => ({
      at: `/${at}`,
      fault: 'wrong\nin a long way '.repeat(99),
    }));
    await failed(ask([route], { check: () => ({ ok: false, faults }), maxRepairs: 1 }));
    const said = lastMessages(requests[1])[1]?.content ?? '';
    expect(said).toMatch(/and 480 more/);
    expect(said).not.toContain('\n');
    expect(said.length).toBeLessThan(10_000);
  });
});

describe('an answer cut at the output limit', () => {
  const cutAfter =
    (whole: number, parts: [string, ...string[]]): Handler =>
    (response, _, index) =>
      sendAnswer(response, parts[index] ?? '', index < whole ? 'length' : 'stop');

  test('is continued, and both halves are read as one', async () => {
    const { route, requests } = await serveModel(cutAfter(1, ['{"verdict":"pa', 'ss"}']));
    const { value, content, calls } = await ask([route]);
    expect(value).toEqual({ verdict: 'pass' });
    expect(content).toBe(GOOD);
    expect(calls).toMatchObject([
      { outcome: 'failed', error: expect.stringMatching(/^OutputTruncated/) },
      { outcome: 'repaired' },
    ]);
    expect(lastMessages(requests[1])).toMatchObject([
      { role: 'assistant', content: '{"verdict":"pa' },
      { role: 'user', content: expect.stringMatching(/Continue exactly where it stopped/) },
    ]);
  });

  test('is read alone when the model began again', async () => {
    const { route } = await serveModel(cutAfter(1, ['{"verdict":"fa', GOOD]));
    expect(await ask([route])).toMatchObject({ value: { verdict: 'pass' }, content: GOOD });
  });

  test('is continued once only', async () => {
    const { route, requests } = await serveModel(cutAfter(9, ['{"verdict":"', 'pa']));
    const { failure, calls } = await failed(ask([route]));
    expect(failure).toMatchObject({ type: 'OutputTruncated', retryable: false });
    expect(requests).toHaveLength(2);
    expect(calls).toHaveLength(2);
  });

  test('is not continued when nothing of it arrived', async () => {
    const { route, requests } = await serveModel(cutAfter(9, ['']));
    expect((await failed(ask([route]))).failure.type).toBe('OutputTruncated');
    expect(requests).toHaveLength(1);
  });
});

describe('fallbacks', () => {
  const refuses =
    (status: number, error = {}, headers = {}): Handler =>
    (response) =>
      sendJson(response, status, { error }, headers);

  test.each([
    ['refuses the credentials', refuses(401)],
    ['does not know the model', refuses(404)],
    ['has no quota left', refuses(429, { code: 'insufficient_quota' })],
  ])('a provider that %s gives way to the next in the same call', async (_, handler) => {
    const first = await serveModel(handler);
    const second = await serveModel(answers(GOOD));
    const { calls } = await ask([first.route, { ...second.route, provider: 'local', model: 'm' }]);
    expect(calls).toMatchObject([
      { provider: 'openai', model: 'gpt-4', outcome: 'failed', promptTokens: 0 },
      { provider: 'local', outcome: 'ok' },
    ]);
  });

  test.each([
    ['a rate limit', refuses(429), 'RateLimited'],
    ['a refusal that says to retry', refuses(401, {}, { 'x-should-retry': 'true' }), 'Unauthorized'],
    ['a failing provider', refuses(500), 'ProviderError'],
    ['a refused request', refuses(400), 'BadRequest'],
    ['a bad answer', answers('nonsense'), 'BadAnswer'],
  ])('%s does not', async (_, handler, type) => {
    const first = await serveModel(handler);
    const second = await serveModel(answers(GOOD));
    expect((await failed(ask([first.route, second.route]))).failure.type).toBe(type);
    expect(second.requests).toEqual([]);
  });

  test("when no provider serves, the last one's failure is thrown, with the calls to all", async () => {
    const first = await serveModel(refuses(401));
    const second = await serveModel(refuses(404));
    const { failure, calls } = await failed(ask([first.route, second.route]));
    expect(failure).toMatchObject({ type: 'ModelNotFound', retryable: false });
    expect(calls.map(({ error }) => error?.split(':')[0])).toEqual(['Unauthorized', 'ModelNotFound']);
  });

  test('the next provider gets the question as it was, not the repairs of the one before', async () => {
    const first = await serveModel((response, _, index) =>
      index === 0 ? sendAnswer(response, 'nonsense') : sendJson(response, 401, {}),
    );
    const second = await serveModel(answers(GOOD));
    const { calls } = await ask([first.route, second.route]);
    expect(second.requests[0]?.body.messages).toEqual(MESSAGES);
    expect(calls.map(({ outcome }) => outcome)).toEqual(['failed', 'failed', 'ok']);
  });
});

describe('time and cancellation', () => {
  test('a retryable failure carries the delay that the provider asks for', async () => {
    const { route } = await serveModel((response) => sendJson(response, 429, {}, { 'retry-after': '3' }));
    expect((await failed(ask([route]))).failure).toMatchObject({
      type: 'RateLimited',
      retryable: true,
      retryAfterMs: 3000,
    });
  });

  test('the deadline covers all calls together', async () => {
    const route: ModelRoute = { provider: 'openai', model: 'm', baseUrl: 'http://unused.test', apiKey: 'x' };
    const given: number[] = [];
    const call: Ask<Result>['call'] = async ({ deadlineMs }) => {
      given.push(deadlineMs);
      await new Promise((resolve) => setTimeout(resolve, 5));
      return { content: 'nonsense', model: 'm', promptTokens: 0, completionTokens: 0, durationMs: 5 };
    };
    await failed(ask([route], { call, deadlineMs: 3_600_000 }));
    expect(given).toHaveLength(3);
    expect(given).toEqual([...given].sort((a, b) => b - a));
    expect(new Set(given).size).toBe(3);
  });

  test('cancelling during a repair closes the connection, gives the reason and asks nobody else', async () => {
    const cancel = new AbortController();
    const reason = new Error('cancelled');
    const first = await serveModel((response, _, index) =>
      index === 0 ? sendAnswer(response, 'nonsense') : cancel.abort(reason),
    );
    const second = await serveModel(answers(GOOD));
    await expect(ask([first.route, second.route], { signal: cancel.signal })).rejects.toBe(reason);
    await first.requests[1]?.cut;
    expect(second.requests).toEqual([]);
  });
});
