import type { Phase } from '../../src/machine/states.ts';
import {
  type ChatAnswer,
  type ChatRequest,
  type ChatServer,
  startChatServer,
} from '../../src/stack/simulated-model/chat-server.ts';

/** Small valid answers of every role: one file with one test, so that nothing takes long. */
export const ANSWERS: Readonly<Record<Phase, Record<string, unknown>>> = {
  discovery: { discovered_reqs: ['double a number'], success_criteria: ['double(2) is 4'], open_questions: [] },
  planning: {
    plan: 'one function',
    testing_strategy: 'unit',
    requirements: ['double'],
    success_criteria: ['double(2) is 4'],
  },
  implementation: {
    files: [
      { path: 'package.json', content: '{"name":"double","type":"module"}' },
      { path: 'src/double.js', content: 'export const double = (n) => n * 2;\n' },
      {
        path: 'test/double.test.js',
        content:
          "import test from 'node:test';\nimport assert from 'node:assert';\nimport { double } from '../src/double.js';\ntest('doubles', () => assert.equal(double(2), 4));\n",
      },
    ],
    test_cases: [{ name: 'doubles', input: '2', expected_output: '4' }],
    documentation: 'double(n)',
    technical_notes: 'none',
  },
  testing: { all_tests_passed: true, test_coverage: 100, test_results: ['doubles'] },
  verification: {
    approved_for_deployment: true,
    verification_report: 'fine',
    recommendations: [],
    evidence: [{ criterion: 'double(2) is 4', met: true, evidence: 'n * 2', file: 'src/double.js', line: 1 }],
  },
  deployment: {
    deployment_successful: true,
    deployed_at: '2026-01-01T00:00:00Z',
    version: '1.0.0',
    notes: 'first',
    monitoring_status: 'none',
  },
};

export type ModelCallSeen = Readonly<{
  phase: Phase;
  attempt: number;
  build: string;
  prompt: string;
  /** What all messages say, the prompt included. */
  messages: readonly string[];
  model: string;
  /** The names of the tools that were offered. */
  tools: readonly string[];
}>;

export type FakeModel = Readonly<{
  baseUrl: string;
  /** Every call that came in, in order. */
  calls: readonly ModelCallSeen[];
  /** Calls whose client went away before they were answered. */
  cancelled: readonly ModelCallSeen[];
  /**
   * What a phase answers from now on: a text is sent as it is, and a function is asked at each call. An object with
   * `tool_calls` [{name, arguments}] asks for tools instead.
   */
  answer(phase: Phase, with_: unknown): void;
  /** Calls of this phase (of one build, when given) get no answer until the returned function is called. */
  hold(phase: Phase, build?: string): () => void;
  stop(): Promise<void>;
}>;

function toolsOf({ tools }: ChatRequest['body']): string[] {
  const listed = Array.isArray(tools) ? (tools as { function: { name: string } }[]) : [];
  return listed.map((tool) => tool.function.name);
}

type AskingForTools = { tool_calls: { name: string; arguments: unknown }[] };
const asksForTools = (given: unknown): given is AskingForTools =>
  typeof given === 'object' && given !== null && 'tool_calls' in given;

function chatAnswer(given: unknown): Pick<ChatAnswer, 'content' | 'toolCalls'> {
  if (!asksForTools(given)) return { content: typeof given === 'string' ? given : JSON.stringify(given) };
  const toolCalls = given.tool_calls.map(({ name, arguments: args }) => ({
    name,
    arguments: typeof args === 'string' ? args : JSON.stringify(args),
  }));
  return { content: '', toolCalls };
}

function seen({ messages, model, body }: ChatRequest): ModelCallSeen {
  const prompt = messages.findLast(({ content }) => content.includes('# Phase: '))?.content ?? '';
  const phase = /^# Phase: (\w+)$/m.exec(prompt)?.[1] as Phase;
  const build = /^# Build: (.+)$/m.exec(prompt)?.[1] ?? '';
  const attempt = Number(/^# Attempt: (\d+)$/m.exec(prompt)?.[1]);
  return {
    phase,
    attempt,
    build,
    prompt,
    messages: messages.map(({ content }) => content),
    model,
    tools: toolsOf(body),
  };
}

/** The outside world's edge: a model over real HTTP whose answers a test decides. */
export async function startFakeModel(delayMs = 0): Promise<FakeModel> {
  const calls: ModelCallSeen[] = [];
  const cancelled: ModelCallSeen[] = [];
  const answers: Record<string, unknown> = { ...ANSWERS };
  const held = new Map<string, Promise<void>>();
  const answer = async (request: ChatRequest, signal: AbortSignal): Promise<ChatAnswer> => {
    const call = seen(request);
    calls.push(call);
    signal.addEventListener('abort', () => cancelled.push(call), { once: true });
    const gone = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    await Promise.race([held.get(call.phase), gone]);
    await Promise.race([held.get(`${call.phase} ${call.build}`), gone]);
    const chosen = answers[call.phase];
    const given: unknown = typeof chosen === 'function' ? chosen(call) : chosen;
    return { ...chatAnswer(given), delayMs };
  };
  const server: ChatServer = await startChatServer({ answer });
  return {
    baseUrl: server.baseUrl,
    calls,
    cancelled,
    answer: (phase, with_) => {
      answers[phase] = with_;
    },
    hold: (phase, build) => {
      const { promise, resolve } = withResolvers();
      const what = build === undefined ? phase : `${phase} ${build}`;
      held.set(what, promise);
      return () => {
        held.delete(what);
        resolve();
      };
    },
    stop: () => server.stop(),
  };
}

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
