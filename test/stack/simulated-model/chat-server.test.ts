import { once } from 'node:events';
import { connect } from 'node:net';
import OpenAI from 'openai';
import { afterEach, describe, expect, test } from 'vitest';
import {
  type AnswerChat,
  ChatRefusal,
  type ChatRequest,
  type ChatServer,
  startChatServer,
} from '../../../src/stack/simulated-model/chat-server.ts';

const opened: ChatServer[] = [];

async function start(answer: AnswerChat): Promise<ChatServer> {
  const server = await startChatServer({ answer });
  opened.push(server);
  return server;
}

function clientOf({ baseUrl }: ChatServer): OpenAI {
  return new OpenAI({ apiKey: 'none', baseURL: baseUrl, maxRetries: 0, timeout: 10_000 });
}

const user = (content: string) => [{ role: 'user' as const, content }];
const never = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));

/** A promise that the test itself resolves. */
function moment(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

function post(server: ChatServer, body: string): Promise<Response> {
  return fetch(`${server.baseUrl}/chat/completions`, { method: 'POST', body });
}

afterEach(async () => {
  await Promise.all(opened.splice(0).map((server) => server.stop()));
});

describe('a call without streaming', () => {
  test('answers with the content, the requested model and usage by length', async () => {
    const client = clientOf(await start(async ({ messages }) => ({ content: `heard: ${messages[0]?.content}` })));
    const reply = await client.chat.completions.create({ model: 'gpt-4', messages: user('hello') });
    expect(reply.model).toBe('gpt-4');
    expect(reply.choices[0]?.message).toMatchObject({ role: 'assistant', content: 'heard: hello' });
    expect(reply.choices[0]?.finish_reason).toBe('stop');
    expect(reply.usage).toEqual({ prompt_tokens: 2, completion_tokens: 3, total_tokens: 5 });
  });

  test('hands the whole request to the answering side, text parts joined', async () => {
    const seen: ChatRequest[] = [];
    const client = clientOf(
      await start(async (request) => {
        seen.push(request);
        return { content: 'x' };
      }),
    );
    const parts = [
      { type: 'text' as const, text: 'one ' },
      { type: 'text' as const, text: 'two' },
    ];
    await client.chat.completions.create({
      model: 'm',
      temperature: 0.5,
      messages: [
        { role: 'system', content: 's' },
        { role: 'user', content: parts },
      ],
    });
    expect(seen[0]?.messages).toEqual([
      { role: 'system', content: 's' },
      { role: 'user', content: 'one two' },
    ]);
    expect(seen[0]?.body).toMatchObject({ temperature: 0.5 });
  });
});

describe('a streamed call', () => {
  const content = 'Grüße 🚀🚀🚀 and more than a few words, so that several chunks are worth their while';

  test.each([{}, { chunkDelayMs: 1, maxChunks: 20 }, { delayMs: 1 }])(
    'gives role, content, end and usage in order with %j',
    async (pacing) => {
      const client = clientOf(await start(async () => ({ content, ...pacing })));
      const stream = await client.chat.completions.create({
        model: 'claude',
        messages: user('hello'),
        stream: true,
        stream_options: { include_usage: true },
      });
      const chunks: OpenAI.ChatCompletionChunk[] = [];
      for await (const chunk of stream) chunks.push(chunk);
      const deltas = chunks.flatMap(({ choices }) => choices.map(({ delta }) => delta.content ?? ''));
      const ends = chunks.flatMap(({ choices }) => choices.map((choice) => choice.finish_reason));
      expect(chunks[0]?.choices[0]?.delta.role).toBe('assistant');
      expect(deltas.join('')).toBe(content);
      expect(deltas.filter((delta) => delta !== '').length).toBeGreaterThan(2);
      expect(ends.at(-1)).toBe('stop');
      expect(ends.slice(0, -1).every((end) => end === null)).toBe(true);
      expect(chunks.at(-1)).toMatchObject({ model: 'claude', choices: [], usage: { prompt_tokens: 2 } });
      expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);
    },
  );

  test('leaves usage out unless it was asked for, and ends with [DONE]', async () => {
    const server = await start(async () => ({ content }));
    const reply = await post(server, JSON.stringify({ model: 'm', messages: user('x'), stream: true }));
    const text = await reply.text();
    expect(reply.headers.get('content-type')).toContain('text/event-stream');
    expect(text).not.toContain('usage');
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
  });

  test('cuts no character in two', async () => {
    const server = await start(async () => ({ content: 'a🚀🚀🚀🚀', maxChunks: 9 }));
    const reply = await post(server, JSON.stringify({ model: 'm', messages: user('x'), stream: true }));
    expect(await reply.text()).not.toMatch(/\\ud[89a-f]/);
  });

  test('of an empty answer still begins and ends', async () => {
    const client = clientOf(await start(async () => ({ content: '' })));
    const stream = client.chat.completions.stream({ model: 'm', messages: user('x') });
    expect((await stream.finalChatCompletion()).choices[0]?.finish_reason).toBe('stop');
  });
});

describe('a client that goes away', () => {
  test('aborts the signal of its call', async () => {
    const aborted = moment();
    const asked = moment();
    const server = await start((_, signal) => {
      signal.addEventListener('abort', () => aborted.resolve());
      asked.resolve();
      return never(signal);
    });
    const controller = new AbortController();
    const call = clientOf(server).chat.completions.create(
      { model: 'm', messages: user('x') },
      { signal: controller.signal },
    );
    await asked.promise;
    controller.abort();
    await expect(call).rejects.toThrow(OpenAI.APIUserAbortError);
    await aborted.promise;
  });

  test('in the middle of a stream aborts it too', async () => {
    const aborted = moment();
    const server = await start(async (_, signal) => {
      signal.addEventListener('abort', () => aborted.resolve());
      return { content: 'long'.repeat(100), chunkDelayMs: 50, maxChunks: 400 };
    });
    const stream = await clientOf(server).chat.completions.create({ model: 'm', messages: user('x'), stream: true });
    for await (const _ of stream) break;
    await aborted.promise;
  });
});

describe('wrong requests', () => {
  test.each([
    ['no JSON', 'not valid JSON', null],
    ['[]', 'must be a JSON object', null],
    ['{"messages":[{"role":"user","content":"x"}]}', '"model" is missing', 'model'],
    ['{"model":"m","messages":[]}', '"messages" is missing', 'messages'],
    ['{"model":"m","messages":[{"content":"x"}]}', 'messages[0]', 'messages[0]'],
    ['{"model":"m","messages":[{"role":"user","content":7}]}', 'messages[0].content', 'messages[0].content'],
    ['{"model":"m","messages":[{"role":"user","content":"x"}],"stream":"yes"}', '"stream"', 'stream'],
  ])('%s is 400 with an error like that of OpenAI', async (body, message, param) => {
    const reply = await post(await start(async () => ({ content: 'x' })), body);
    expect(reply.status).toBe(400);
    expect(await reply.json()).toEqual({
      error: { message: expect.stringContaining(message), type: 'invalid_request_error', param, code: null },
    });
  });

  test('over the size limit are 413', async () => {
    const server = await start(async () => ({ content: 'x' }));
    const socket = connect(server.port, '127.0.0.1');
    const size = 33 * 1024 * 1024;
    socket.write(`POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: ${size}\r\n\r\n`);
    socket.write(Buffer.alloc(size, ' '));
    const [reply] = await once(socket, 'data');
    socket.destroy();
    expect(String(reply)).toMatch(/^HTTP\/1.1 413 /);
  });

  test('for other paths are 404, with other methods 405', async () => {
    const server = await start(async () => ({ content: 'x' }));
    expect((await fetch(`${server.baseUrl}/embeddings`, { method: 'POST' })).status).toBe(404);
    expect((await fetch(`${server.baseUrl}/chat/completions`)).status).toBe(405);
    expect((await fetch(`${server.baseUrl}/models`, { method: 'POST' })).status).toBe(405);
  });

  test('that the answering side refuses or fails get its status and message', async () => {
    const refusing = clientOf(await start(() => Promise.reject(new ChatRefusal(429, 'too many'))));
    const failing = clientOf(await start(() => Promise.reject(new Error('broken'))));
    const call = { model: 'm', messages: user('x') };
    await expect(refusing.chat.completions.create(call)).rejects.toThrow('429 too many');
    await expect(failing.chat.completions.create(call)).rejects.toThrow('500 broken');
  });
});

test('the list of models can be read', async () => {
  const client = clientOf(await start(async () => ({ content: 'x' })));
  expect((await client.models.list()).data.map(({ id }) => id)).toEqual(['simulated']);
});

test('a taken port is told by its number', async () => {
  const { port } = await start(async () => ({ content: 'x' }));
  const second = startChatServer({ answer: async () => ({ content: 'x' }), port });
  await expect(second).rejects.toMatchObject({ code: 'port_taken', message: expect.stringContaining(String(port)) });
});

test('stopping cuts the calls that are open and frees the port', async () => {
  const asked = moment();
  const server = await start((_, signal) => {
    asked.resolve();
    return never(signal);
  });
  const call = clientOf(server).chat.completions.create({ model: 'm', messages: user('x') });
  const outcome = expect(call).rejects.toThrow(OpenAI.APIConnectionError);
  await asked.promise;
  await server.stop();
  await outcome;
  await server.stop();
  opened.push(await startChatServer({ answer: async () => ({ content: 'x' }), port: server.port }));
});

test('many calls at once each get their own answer', async () => {
  const client = clientOf(await start(async ({ messages }) => ({ content: `for ${messages[0]?.content}` })));
  const numbers = Array.from({ length: 300 }, (_, i) => String(i));
  const replies = await Promise.all(
    numbers.map((number) => client.chat.completions.stream({ model: 'm', messages: user(number) }).finalContent()),
  );
  expect(replies).toEqual(numbers.map((number) => `for ${number}`));
});
