import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { callModel, type ModelRequest } from '../../../src/activities/llm/chat.ts';
import { clientOf } from '../../../src/activities/llm/clients.ts';
import { CallFailed } from '../../../src/activities/llm/failure.ts';
import type { ModelRoute } from '../../../src/models.ts';
import { delta, event, sendAnswer, sendJson, serveModel, startStream, usage } from './model-server.ts';

const MESSAGES = [
  { role: 'system', content: 'You are a tester.' },
  { role: 'user', content: 'Grüße, 世界' },
] as const;

function ask(route: ModelRoute, rest: Partial<ModelRequest> = {}) {
  return callModel({ route, messages: MESSAGES, deadlineMs: 20_000, signal: new AbortController().signal, ...rest });
}

async function failed(call: Promise<unknown>): Promise<CallFailed> {
  const outcome = await call.catch((error: unknown) => error);
  if (!(outcome instanceof CallFailed)) throw new Error(`expected a failed call, got ${String(outcome)}`);
  return outcome;
}

describe('a whole answer', () => {
  test('is put together from its pieces, with the model and the tokens that the provider names', async () => {
    const { route, requests } = await serveModel((response) => sendAnswer(response, '{"text":"Grüße, 世界 😀"}'));
    const answer = await ask(route);
    expect(answer).toMatchObject({
      content: '{"text":"Grüße, 世界 😀"}',
      model: 'gpt-4-0613',
      promptTokens: 11,
      completionTokens: 7,
    });
    expect(answer.durationMs).toBeGreaterThanOrEqual(0);
    expect(requests[0]).toMatchObject({
      url: '/v1/chat/completions',
      headers: { authorization: 'Bearer sk-secret-of-the-test' },
      body: { model: 'gpt-4', messages: MESSAGES, stream: true },
    });
  });

  test('survives being torn at every byte, and comments and CRLF between events', async () => {
    const bytes = Buffer.from(
      `: waking up\r\n\r\n${delta({ content: '世界' }).replaceAll('\n', '\r\n')}${delta({ content: '😀' }, 'stop')}${event('[DONE]')}`,
    );
    const { route } = await serveModel(async (response) => {
      startStream(response);
      for (const byte of bytes) {
        response.write(Buffer.of(byte));
        await new Promise((resolve) => setImmediate(resolve));
      }
      response.end();
    });
    expect((await ask(route)).content).toBe('世界😀');
  });

  test('is read too from a server that does not stream', async () => {
    const { route } = await serveModel((response) =>
      sendJson(response, 200, {
        model: 'm',
        choices: [{ message: { content: 'whole' }, finish_reason: 'stop' }],
        usage: { prompt_tokens: 1, completion_tokens: 2 },
      }),
    );
    expect(await ask(route)).toMatchObject({ content: 'whole', promptTokens: 1, completionTokens: 2 });
  });

  test('counts although the connection breaks after the model had finished', async () => {
    const { route } = await serveModel((response) => {
      startStream(response).write(delta({ content: 'all' }, 'stop') + usage(3, 4), () => response.destroy());
    });
    expect(await ask(route)).toMatchObject({ content: 'all', promptTokens: 3, completionTokens: 4 });
  });

  test('counts although the server never ends its stream', async () => {
    const { route } = await serveModel((response) => {
      startStream(response).write(delta({ content: 'all' }, 'stop') + event('[DONE]'));
    });
    expect((await ask(route)).content).toBe('all');
  });

  test('has a model name that can be stored, whatever the provider calls it', async () => {
    const { route } = await serveModel((response) => {
      const choices = [{ delta: { content: 'x' }, finish_reason: 'stop' }];
      startStream(response).end(event({ model: `a\u0000\ud800b${'c'.repeat(5000)}`, choices }));
    });
    expect((await ask(route)).model).toMatch(/^a bc{1,100}…$/);
  });

  test('has no tokens when the provider does not count them', async () => {
    const { route } = await serveModel((response) => {
      startStream(response).end(delta({ content: 'x' }, 'stop'));
    });
    expect(await ask(route)).toMatchObject({ promptTokens: 0, completionTokens: 0 });
  });
});

describe('what is sent', () => {
  test('temperature and limit go to models that take them', async () => {
    const { route, requests } = await serveModel((response) => sendAnswer(response, 'x'));
    await ask(route, { temperature: 0.2, maxTokens: 100 });
    expect(requests[0]?.body).toMatchObject({ temperature: 0.2, max_tokens: 100 });
  });

  test('models with sampling of their own get no temperature and the limit under its other name', async () => {
    const { route, requests } = await serveModel((response) => sendAnswer(response, 'x'));
    await ask({ ...route, model: 'o3-mini' }, { temperature: 0.2, maxTokens: 100 });
    expect(requests[0]?.body).toMatchObject({ max_completion_tokens: 100 });
    expect(requests[0]?.body).not.toHaveProperty('temperature');
    expect(requests[0]?.body).not.toHaveProperty('max_tokens');
  });

  test('credentials and organisation of the environment stay there', async () => {
    vi.stubEnv('OPENAI_API_KEY', 'of-the-environment');
    vi.stubEnv('OPENAI_ORG_ID', 'of-the-environment');
    vi.stubEnv('OPENAI_PROJECT_ID', 'of-the-environment');
    onTestFinished(() => void vi.unstubAllEnvs());
    const { route, requests } = await serveModel((response) => sendAnswer(response, 'x'));
    await ask(route);
    expect(JSON.stringify(requests[0]?.headers)).not.toContain('of-the-environment');
  });

  test('an endpoint has one client, and another key another one', async () => {
    const route: ModelRoute = { provider: 'openai', model: 'a', baseUrl: 'http://one.test/v1', apiKey: 'x' };
    expect(clientOf({ ...route, model: 'b' })).toBe(clientOf(route));
    expect(clientOf({ ...route, apiKey: 'y' })).not.toBe(clientOf(route));
    expect(clientOf({ ...route, baseUrl: 'http://two.test/v1' })).not.toBe(clientOf(route));
  });

  test('connections are kept for the calls that follow', async () => {
    const { route, connections } = await serveModel((response) => sendAnswer(response, 'x'));
    for (let call = 0; call < 6; call++) await ask({ ...route });
    // Two, because a connection becomes free only a moment after its answer has been read.
    expect(connections()).toBeLessThanOrEqual(2);
  });
});

describe('the model called local', () => {
  const local = (baseUrl: string): ModelRoute => ({ provider: 'local', model: 'local', baseUrl, apiKey: 'none' });

  test('is the first one that the server lists, asked for once', async () => {
    const { baseUrl, requests } = await serveModel((response, { url }) => {
      if (url === '/v1/models') sendJson(response, 200, { object: 'list', data: [{ id: 'qwen' }, { id: 'llama' }] });
      else sendAnswer(response, 'x');
    });
    await ask(local(baseUrl));
    await ask(local(baseUrl));
    expect(requests.map(({ url }) => url)).toEqual(['/v1/models', '/v1/chat/completions', '/v1/chat/completions']);
    expect(requests[1]?.body.model).toBe('qwen');
  });

  test.each([
    ['lists none', { data: [] }],
    ['lists nonsense', { data: 'x' }],
  ])('is sent as "local" to a server that %s', async (_, list) => {
    const { baseUrl, requests } = await serveModel((response, { url }) => {
      if (url === '/v1/models') sendJson(response, 200, list);
      else sendAnswer(response, 'x');
    });
    await ask(local(baseUrl));
    expect(requests[1]?.body.model).toBe('local');
  });

  test('is looked up again once the server does not know it any more', async () => {
    let loaded = 'qwen';
    const { baseUrl, requests } = await serveModel((response, { url, body }) => {
      if (url === '/v1/models') return sendJson(response, 200, { data: [{ id: loaded }] });
      if (body.model !== loaded) return sendJson(response, 404, { error: { message: 'not loaded' } });
      sendAnswer(response, 'x');
    });
    await ask(local(baseUrl));
    loaded = 'llama';
    expect((await failed(ask(local(baseUrl)))).failure.type).toBe('ModelNotFound');
    await ask(local(baseUrl));
    expect(requests.at(-1)?.body.model).toBe('llama');
  });
});

describe('cancellation', () => {
  test('closes the connection in the middle of an answer and gives the reason of the signal', async () => {
    const { route, requests } = await serveModel((response) => {
      startStream(response).write(delta({ content: 'half' }));
    });
    const cancel = new AbortController();
    const reason = new Error('cancelled by the operator');
    const call = ask(route, { signal: cancel.signal, onProgress: () => cancel.abort(reason) });
    await expect(call).rejects.toBe(reason);
    await requests[0]?.cut;
  });

  test('closes the connection while the provider has not answered at all', async () => {
    const cancel = new AbortController();
    const reason = new Error('cancelled');
    const { route, requests } = await serveModel(() => cancel.abort(reason));
    await expect(ask(route, { signal: cancel.signal })).rejects.toBe(reason);
    await requests[0]?.cut;
  });

  test('before the call sends nothing', async () => {
    const { route, requests } = await serveModel((response) => sendAnswer(response, 'x'));
    const reason = new Error('cancelled');
    await expect(ask(route, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(requests).toEqual([]);
  });

  test('leaves nothing behind on a signal that many calls share', async () => {
    const { route } = await serveModel((response) => sendAnswer(response, 'x'));
    const { signal } = new AbortController();
    let listeners = 0;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners++;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners--;
      remove(...args);
    };
    await ask(route, { signal });
    await ask(route, { signal });
    expect(listeners).toBe(0);
  });
});

describe('the deadline', () => {
  test('cuts a trickle that outlives it, and closes the connection', async () => {
    let trickle: NodeJS.Timeout | undefined;
    const { route, requests } = await serveModel(async (response, { cut }) => {
      startStream(response);
      trickle = setInterval(() => response.write(delta({ content: '.' })), 20);
      await cut;
      clearInterval(trickle);
    });
    const { failure, answer } = await failed(ask(route, { deadlineMs: 300 }));
    expect(failure).toMatchObject({ type: 'DeadlineExceeded', retryable: true });
    expect(failure.message).toContain('0.3 s');
    expect(answer.content).toMatch(/^\.*$/);
    await requests[0]?.cut;
  });

  test('cuts a provider that does not answer at all', async () => {
    const { route, requests } = await serveModel(() => {});
    expect((await failed(ask(route, { deadlineMs: 100 }))).failure.type).toBe('DeadlineExceeded');
    await requests[0]?.cut;
  });

  test('cuts an error page that never ends', async () => {
    const { route, requests } = await serveModel((response) => {
      response.writeHead(500).write('x');
    });
    expect((await failed(ask(route, { deadlineMs: 100 }))).failure.type).toBe('DeadlineExceeded');
    await requests[0]?.cut;
  });

  test('that has passed already sends nothing', async () => {
    const { route, requests } = await serveModel((response) => sendAnswer(response, 'x'));
    expect((await failed(ask(route, { deadlineMs: 0 }))).failure.type).toBe('DeadlineExceeded');
    expect(requests).toEqual([]);
  });

  test('may be longer than a timer can hold', async () => {
    const { route } = await serveModel((response) => sendAnswer(response, 'x'));
    expect((await ask(route, { deadlineMs: 90 * 24 * 3_600_000 })).content).toBe('x');
  });
});

describe('a failed call', () => {
  test('is made once only', async () => {
    const { route, requests } = await serveModel((response) => sendJson(response, 500, {}));
    await failed(ask(route));
    expect(requests).toHaveLength(1);
  });

  test('carries what had arrived and was counted', async () => {
    const { route } = await serveModel((response) => sendAnswer(response, 'half of it', 'length'));
    const { answer } = await failed(ask(route));
    expect(answer).toMatchObject({ content: 'half of it', promptTokens: 11, completionTokens: 7, model: 'gpt-4-0613' });
  });

  test.each([
    ['an answer', (size: number) => delta({ content: 'x'.repeat(size) })],
    ['an event without end', (size: number) => `data: ${'x'.repeat(size)}`],
    ['a line without end', (size: number) => 'x'.repeat(size)],
    ['data lines without end', (size: number) => `data: ${'x'.repeat(size)}\n`],
  ])('closes the connection on %s that goes over the limit', async (_, piece) => {
    const { route, requests } = await serveModel(async (response, { cut }) => {
      startStream(response);
      const pump = () => {
        while (!response.destroyed && response.write(piece(64 * 1024)));
        if (!response.destroyed) response.once('drain', pump);
      };
      pump();
      await cut;
    });
    expect((await failed(ask(route))).failure).toMatchObject({ type: 'AnswerTooLarge', retryable: false });
    await requests[0]?.cut;
  });

  test('closes the connection on a web page', async () => {
    const { route, requests } = await serveModel((response) => {
      response.writeHead(200, { 'content-type': 'text/html' }).write('<html>');
    });
    await failed(ask(route));
    await requests[0]?.cut;
  });
});

test('progress is told for every piece that arrives, comments of a waking provider included', async () => {
  let pieces = 0;
  let arrived = () => {};
  const next = () => new Promise<void>((resolve) => (arrived = resolve));
  const { route } = await serveModel(async (response) => {
    const first = next();
    startStream(response).write(': waking up\n\n');
    await first;
    const second = next();
    response.write(delta({ content: 'x' }));
    await second;
    response.end(delta({}, 'stop'));
  });
  await ask(route, {
    onProgress: () => {
      pieces++;
      arrived();
    },
  });
  expect(pieces).toBeGreaterThanOrEqual(3);
});
