import { describe, expect, test } from 'vitest';
import { type Ask, AskFailed, askForResult, type ModelCall } from '../../../src/activities/llm/ask.ts';
import type { ToolCall } from '../../../src/activities/llm/tool-call.ts';
import { createTools, TOOL_LIMITS } from '../../../src/activities/llm/tools.ts';
import type { JsonObject } from '../../../src/machine/json.ts';
import { delta, event, type Handler, sendAnswer, sendJson, serveModel, startStream, usage } from './model-server.ts';

const SPEC = { name: 'look', description: 'Looks.', parameters: { type: 'object', properties: {} } };
const MESSAGES = [{ role: 'user', content: 'Judge.' }] as const;
const GOOD = '{"verdict":"pass"}';

type Look = Readonly<{ calls: ToolCall[]; tools: ReturnType<typeof createTools> }>;

const looking = (answer: (call: ToolCall) => string = () => 'seen'): Look => {
  const calls: ToolCall[] = [];
  const run = async (call: ToolCall): Promise<string> => {
    calls.push(call);
    return answer(call);
  };
  return { calls, tools: createTools(() => [SPEC], run) };
};

function ask(route: Ask<JsonObject>['routes'][0], { tools }: Look, more: Partial<Ask<JsonObject>> = {}) {
  return askForResult<JsonObject>({
    routes: [route],
    messages: MESSAGES,
    tools,
    check: (value) =>
      value.verdict === undefined
        ? { ok: false, faults: [{ at: 'verdict', fault: 'is missing' }] }
        : { ok: true, value },
    deadlineMs: 20_000,
    signal: new AbortController().signal,
    ...more,
  });
}

const asked = (id: string, given = '{}', name = 'look'): object => ({
  id,
  type: 'function',
  function: { name, arguments: given },
});

/** Streams calls as OpenAI does: name first, arguments in pieces. */
const sendCalls: (...ids: string[]) => Handler =
  (...ids) =>
  (response) => {
    startStream(response);
    for (const [index, id] of ids.entries()) {
      response.write(delta({ tool_calls: [{ index, ...asked(id, '') }] }));
      response.write(delta({ tool_calls: [{ index, function: { arguments: '{"at"' } }] }));
      response.write(delta({ tool_calls: [{ index, function: { arguments: `:"${id}"}` } }] }));
    }
    response.end(delta({}, 'tool_calls') + usage(11, 7) + event('[DONE]'));
  };
const thenAnswer =
  (first: Handler, rounds = 1): Handler =>
  (response, request, index) =>
    index < rounds ? first(response, request, index) : sendAnswer(response, GOOD);

describe('calls of tools', () => {
  test('are collected from a stream, answered, and each call of the model is recorded', async () => {
    const look = looking(({ arguments: given }) => `seen ${given}`);
    const { route, requests } = await serveModel(thenAnswer(sendCalls('a', 'b')));
    const told: ModelCall[] = [];
    const { value, calls, talk } = await ask(route, look, { onCall: (call) => told.push(call) });
    expect(value).toEqual({ verdict: 'pass' });
    expect(look.calls).toEqual([
      { id: 'a', name: 'look', arguments: '{"at":"a"}' },
      { id: 'b', name: 'look', arguments: '{"at":"b"}' },
    ]);
    expect(calls.map(({ outcome, completionTokens }) => [outcome, completionTokens])).toEqual([
      ['ok', 7],
      ['ok', 7],
    ]);
    expect(told).toEqual(calls);
    expect(requests[0]?.body.tools).toEqual([{ type: 'function', function: SPEC }]);
    expect(requests[1]?.body.messages.slice(1)).toEqual([
      { role: 'assistant', content: null, tool_calls: [asked('a', '{"at":"a"}'), asked('b', '{"at":"b"}')] },
      { role: 'tool', tool_call_id: 'a', content: 'seen {"at":"a"}' },
      { role: 'tool', tool_call_id: 'b', content: 'seen {"at":"b"}\n\n[Calls are answered 7 more times.]' },
    ]);
    expect(talk.at(-1)).toEqual({ role: 'assistant', content: GOOD });
  });

  test.each<[string, Handler]>([
    [
      'sent whole, in a completion that is not streamed',
      (response) =>
        sendJson(response, 200, {
          model: 'm',
          choices: [{ message: { content: null, tool_calls: [asked('a'), asked('b')] }, finish_reason: 'tool_calls' }],
        }),
    ],
    [
      'all counted 0, told apart by their ids',
      (response) => {
        const both = [
          { index: 0, ...asked('a') },
          { index: 0, ...asked('b') },
        ];
        startStream(response).end(delta({ tool_calls: both }) + delta({}, 'tool_calls') + event('[DONE]'));
      },
    ],
    [
      'in an answer that ends with "stop"',
      (response) => {
        const both = [
          { index: 0, ...asked('a') },
          { index: 1, ...asked('b') },
        ];
        startStream(response).end(delta({ tool_calls: both }) + delta({}, 'stop') + event('[DONE]'));
      },
    ],
  ])('are understood %s', async (_, first) => {
    const look = looking();
    const { route } = await serveModel(thenAnswer(first));
    expect((await ask(route, look)).value).toEqual({ verdict: 'pass' });
    expect(look.calls.map(({ id }) => id)).toEqual(['a', 'b']);
  });

  test('that are hostile break nothing: no ids, no name, arguments that are no JSON, and too many of them', async () => {
    const look = looking();
    const odd = [null, 7, {}, { index: 'x', function: null }, { index: 1, function: { arguments: '{"' } }];
    const many = Array.from({ length: 5000 }, (_, index) => ({ index: index + 2, ...asked(`c${index}`) }));
    const { route, requests } = await serveModel(
      thenAnswer((response) => {
        startStream(response).end(delta({ tool_calls: [...odd, ...many] }) + delta({}, 'tool_calls'));
      }),
    );
    expect((await ask(route, look)).value).toEqual({ verdict: 'pass' });
    expect(look.calls).toHaveLength(TOOL_LIMITS.callsPerRound);
    const [, asking, ...answers] = (requests[1]?.body.messages ?? []) as unknown as {
      tool_calls: { id: string; function: { arguments: string } }[];
      tool_call_id: string;
    }[];
    expect(answers.map((answer) => answer.tool_call_id)).toEqual(asking?.tool_calls.map(({ id }) => id));
    expect(asking?.tool_calls.map((call) => JSON.parse(call.function.arguments))).toHaveLength(32);
  });

  test('end after a number of rounds: the model is told, and may call none in the last one', async () => {
    const look = looking();
    const { route, requests } = await serveModel(thenAnswer(sendCalls('a'), TOOL_LIMITS.rounds));
    const { calls } = await ask(route, look);
    expect(calls).toHaveLength(TOOL_LIMITS.rounds + 1);
    expect(requests.map(({ body }) => body.tool_choice)).toEqual([
      ...Array.from({ length: TOOL_LIMITS.rounds }, () => undefined),
      'none',
    ]);
    expect(requests.at(-1)?.body.messages.at(-1)?.content).toMatch(/answer with the JSON object now\.\]$/);
  });

  test('of a model that calls on and on are a bad answer, in the end', async () => {
    const look = looking();
    const { route, requests } = await serveModel(sendCalls('a'));
    const failure = await ask(route, look).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(AskFailed);
    expect((failure as AskFailed).failure.type).toBe('BadAnswer');
    expect((failure as AskFailed).failure.message).toContain('no more calls are answered');
    expect(requests).toHaveLength(TOOL_LIMITS.rounds + 3);
  });

  test('give no more text than fits, over all rounds and asks', async () => {
    const look = looking(() => 'x'.repeat(50_000));
    const { route, requests } = await serveModel(thenAnswer(sendCalls('a', 'b', 'c')));
    await ask(route, look);
    const [first = '', second = '', third = ''] = (requests[1]?.body.messages ?? [])
      .slice(2)
      .map(({ content }) => content);
    expect(first).toHaveLength(50_000);
    expect(second).toMatch(/^x{30000}\n\[… cut/);
    expect(third).toMatch(/^Not answered: no more can be read/);
    expect(look.tools.isOpen()).toBe(false);
  });

  test('stay in the conversation when the answer after them is refused', async () => {
    const look = looking();
    const { route, requests } = await serveModel((response, request, index) => {
      if (index === 0) return sendCalls('a')(response, request, index);
      sendAnswer(response, index === 1 ? 'nonsense' : GOOD);
    });
    const { calls } = await ask(route, look);
    expect(calls.map(({ outcome }) => outcome)).toEqual(['ok', 'failed', 'repaired']);
    expect(requests[2]?.body.messages.map(({ role }) => role)).toEqual([
      'user',
      'assistant',
      'tool',
      'assistant',
      'user',
    ]);
  });
});

describe('a server that refuses tools', () => {
  test.each([
    [400, 'unknown field'],
    [404, 'No endpoints found that support tool use'],
    [500, 'tools param requires --jinja flag'],
  ])('(%i: %s) is asked once more without them, and never again with them', async (status, message) => {
    const look = looking();
    const { route, requests } = await serveModel((response, { body }) =>
      body.tools === undefined ? sendAnswer(response, GOOD) : sendJson(response, status, { error: { message } }),
    );
    const { calls } = await ask(route, look);
    expect(calls.map(({ outcome }) => outcome)).toEqual(['failed', 'repaired']);
    await ask(route, look);
    expect(requests.map(({ body }) => body.tools === undefined)).toEqual([false, true, true]);
  });

  test('for another reason fails as it does without them', async () => {
    const { route, requests } = await serveModel((response) => sendJson(response, 400, { error: { message: 'no' } }));
    const failure = await ask(route, looking()).catch((error: unknown) => error);
    expect((failure as AskFailed).failure.type).toBe('BadRequest');
    expect(requests).toHaveLength(2);
  });
});

test('a call of a tool that was not offered is no answer', async () => {
  const { route, requests } = await serveModel(sendCalls('a'));
  const failure = await ask(route, looking(), { tools: undefined }).catch((error: unknown) => error);
  expect((failure as AskFailed).failure.type).toBe('UnexpectedEnd');
  expect(requests[0]?.body).not.toHaveProperty('tools');
});
