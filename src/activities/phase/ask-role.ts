import { loadPromptParts } from '../../artifacts/contents.ts';
import { clipText, type Fault, type JsonObject } from '../../machine/json.ts';
import { STATE_TABLE } from '../../machine/states.ts';
import { type ModelRoute, routeModel } from '../../models.ts';
import { buildPrompt } from '../../prompts/prompt.ts';
import type { PhaseInput } from '../contract.ts';
import type { ActivityDeps } from '../deps.ts';
import { AskFailed, askForResult, type Check } from '../llm/ask.ts';
import type { ChatMessage } from '../llm/tool-call.ts';
import type { Tools } from '../llm/tools.ts';
import { answerCheck, type Ground } from './check-answer.ts';
import { createFileTools } from './read-on.ts';
import { shownFiles } from './shown-files.ts';
import type { WorkMeter } from './work-meter.ts';

/** Everything one attempt works with. */
export type Attempt = Readonly<{ deps: ActivityDeps; input: PhaseInput; meter: WorkMeter }>;

export type Files = { path: string; content: string }[];

/** The files of a checked result; its shape was checked before. */
export const filesOf = (value: JsonObject): Files =>
  Array.isArray(value.files) ? (value.files as unknown as Files) : [];

/** What one phase asks beside what all do. */
export type Question = Readonly<{
  /** The orchestrator's own run of the tests, for the prompt. */
  testRun?: JsonObject | null;
  /** What the build changed in the code that it began with, for the prompt. */
  diff?: string | null;
  /** More that the answer must meet; a fault is told to the model, which answers again a bounded number of times. */
  faultsOf?: (value: JsonObject) => readonly Fault[];
}>;

/** What is said to a role about its answer, and how the next one is judged. */
export type Reply = Readonly<{
  told: string;
  /** The tree that the role sees now. */
  ground: Ground;
  check: Check<JsonObject>;
}>;

export type Answer = Readonly<{
  value: JsonObject;
  /** Whether every call up to this answer went to the simulated model. */
  simulated: boolean;
  /** Goes on with the conversation that led to the answer. Throws as `askRole`. */
  goOn(reply: Reply): Promise<Answer>;
}>;

/** Of an answer in the conversation that goes on; its author can read its files again. */
const ANSWER_LIMIT_CHARS = 60_000;
/** An answer that was accepted is not worth as much as the first one. */
const REPAIRS_OF_A_REPLY = 1;

type Session = Readonly<{
  attempt: Attempt;
  routes: readonly [ModelRoute, ...ModelRoute[]];
  /** Null in phases that see all they may see. */
  tools: Readonly<{ tools: Tools; readAt: (ground: Ground) => void }> | null;
}>;

type Round = Readonly<{
  messages: readonly ChatMessage[];
  check: Check<JsonObject>;
  simulated: boolean;
  maxRepairs?: number;
}>;

function routesOf({ deps, input }: Attempt): Session['routes'] {
  const { byRole, fallbacks, providers } = deps.models;
  const model = input.build.spec.model ?? byRole[STATE_TABLE[input.phase].owner];
  return [routeModel(model, providers), ...fallbacks.map((name) => routeModel(name, providers))];
}

function shortened(talk: readonly ChatMessage[]): ChatMessage[] {
  const last = talk.at(-1);
  if (last?.role !== 'assistant' || last.content.length <= ANSWER_LIMIT_CHARS) return [...talk];
  const content = `${clipText(last.content, ANSWER_LIMIT_CHARS)}\n[… cut: ${last.content.length} characters in all]`;
  return [...talk.slice(0, -1), { ...last, content }];
}

async function converse(session: Session, { messages, check, simulated, ...rest }: Round): Promise<Answer> {
  const { attempt, routes, tools } = session;
  const { meter } = attempt;
  const startedAt = performance.now();
  try {
    const asked = await askForResult({
      routes,
      messages,
      check,
      tools: tools?.tools,
      deadlineMs: meter.remainingMs(),
      signal: meter.signal,
      onCall: meter.addCall,
      ...rest,
    });
    const all = simulated && asked.calls.every(({ provider }) => provider === 'simulated');
    const goOn = (reply: Reply): Promise<Answer> => {
      tools?.readAt(reply.ground);
      const talk: ChatMessage[] = [...shortened(asked.talk), { role: 'user', content: reply.told }];
      return converse(session, {
        messages: talk,
        check: reply.check,
        simulated: all,
        maxRepairs: REPAIRS_OF_A_REPLY,
      });
    };
    return { value: asked.value, simulated: all, goOn };
  } catch (error) {
    if (!(error instanceof AskFailed) && meter.signal.aborted) {
      meter.addCancelledCall(routes[0], performance.now() - startedAt);
    }
    throw error;
  }
}

/** Builds the role's prompt, asks its model, and gives the answer once it passes the phase's checks. */
export async function askRole(
  attempt: Attempt,
  { testRun = null, diff = null, faultsOf }: Question = {},
): Promise<Answer> {
  const { deps, input } = attempt;
  const { build, phase } = input;
  const loading = loadPromptParts(deps.store, build, phase);
  const [parts, shown] = await Promise.all([loading, shownFiles(attempt, loading)]);
  const messages = buildPrompt({ ...parts, driver: 'llm', ...shown, diff, testRun });
  const session = { attempt, routes: routesOf(attempt), tools: createFileTools(attempt) };
  return converse(session, { messages, check: answerCheck(attempt, faultsOf), simulated: true });
}
