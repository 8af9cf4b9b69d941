import type { ModelRoute } from '../../models.ts';
import type { ModelFailure } from './failure.ts';
import type { ChatMessage, ToolCall, ToolSpec } from './tool-call.ts';

/** What all asks of one attempt may spend together: each round is a paid call, and what is read is sent again with each. */
export const TOOL_LIMITS = { rounds: 8, callsPerRound: 8, chars: 80_000 } as const;

/** The tools of one attempt, with what is left of their bounds. */
export type Tools = Readonly<{
  /** What to offer to a route; undefined once it has refused tools, or where there are none. */
  specsFor(route: ModelRoute): readonly ToolSpec[] | undefined;
  /** Whether another round of calls is answered. */
  isOpen(): boolean;
  /** To be called when a route refuses a request for its tools: it is asked without any from then on. */
  refuse(route: ModelRoute): void;
  /** Answers the calls of one round. */
  answer(calls: readonly ToolCall[]): Promise<ChatMessage[]>;
}>;

const idOf = ({ baseUrl, model }: ModelRoute): string => JSON.stringify([baseUrl, model]);

/** What a server says that does not take tools; a plain 400 may mean anything, so one call without them is worth it. */
export const refusesTools = ({ type, message }: ModelFailure): boolean =>
  type === 'BadRequest' || ((type === 'ModelNotFound' || type === 'ProviderError') && /\btools?\b/i.test(message));

const TOO_MANY = `Not answered: at most ${TOOL_LIMITS.callsPerRound} calls are answered at a time.`;
const USED_UP = 'Not answered: no more can be read in this phase.';

function noteOf(roundsLeft: number): string {
  if (roundsLeft === 0) return '[No call is answered after this one: answer with the JSON object now.]';
  return `[Calls are answered ${roundsLeft} more ${roundsLeft === 1 ? 'time' : 'times'}.]`;
}

/**
 * @param specs what is offered now; undefined while there is nothing to ask for
 * @param run answers one call in text, whatever its arguments are; it fails only when cancelled, or for a fault of ours
 */
export function createTools(
  specs: () => readonly ToolSpec[] | undefined,
  run: (call: ToolCall) => Promise<string>,
): Tools {
  const refusedBy = new Set<string>();
  let rounds = 0;
  let charsLeft: number = TOOL_LIMITS.chars;
  const isOpen = (): boolean => rounds < TOOL_LIMITS.rounds && charsLeft > 0;
  const bounded = async (call: ToolCall): Promise<string> => {
    if (charsLeft <= 0) return USED_UP;
    const text = await run(call);
    const cut =
      text.length > charsLeft ? `${text.slice(0, charsLeft)}\n[… cut: no more can be read in this phase]` : text;
    charsLeft -= text.length;
    return cut;
  };
  return {
    specsFor: (route) => (refusedBy.has(idOf(route)) ? undefined : specs()),
    isOpen,
    refuse: (route) => void refusedBy.add(idOf(route)),
    async answer(calls) {
      rounds += 1;
      const answers: ChatMessage[] = [];
      for (const [index, call] of calls.entries()) {
        const told = index < TOOL_LIMITS.callsPerRound ? await bounded(call) : TOO_MANY;
        // In the last answer and not in a message of its own: some models' templates know no user between tool and answer.
        const note = index === calls.length - 1 ? `\n\n${noteOf(isOpen() ? TOOL_LIMITS.rounds - rounds : 0)}` : '';
        answers.push({ role: 'tool', content: told + note, toolCallId: call.id });
      }
      return answers;
    },
  };
}
