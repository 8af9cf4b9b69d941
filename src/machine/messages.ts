import type { ArtifactRef } from './build.ts';
import type { AbortCommand, AdvanceCommand, OperatorCommand, RetryCommand, RollbackCommand } from './commands.ts';
import { type Fault, isJsonObject, type JsonObject, jsonFaults } from './json.ts';
import { isPhase, PHASES, ROLES, readRole, readState, STATES } from './states.ts';

/** The four operations that exist as signals and as Updates under the same names. */
export const MESSAGE_NAMES = ['retry', 'rollback', 'advance', 'abort'] as const;
export type MessageName = (typeof MESSAGE_NAMES)[number];

/** A message as it is sent: the wire names of the contract. */
export type WireMessage = JsonObject;

export type Parsed<T> = Readonly<{ ok: true; command: T } | { ok: false; faults: Fault[] }>;

/** Who acts when a message does not say. */
const DEFAULT_ACTOR = 'operator';
/** A message by hand may carry this much (design, section 4); larger results go to the artifact store first. */
export const MESSAGE_LIMIT_BYTES = 32 * 1024;
const REASON_LIMIT_CHARS = 4000;

/** Reads fields one by one and gathers what is wrong with them. */
type Reader = Readonly<{ input: JsonObject; faults: Fault[] }>;

function text(reader: Reader, at: string, limitChars: number, fallback: string | null): string {
  const given = reader.input[at];
  if ((given === undefined || given === null) && fallback !== null) return fallback;
  if (typeof given === 'string' && given.trim() !== '' && given.length <= limitChars) return given;
  reader.faults.push({ at, fault: `must be a text of 1 to ${limitChars} characters` });
  return '';
}

function stateField(reader: Reader, at: string): ReturnType<typeof readState> {
  const given = reader.input[at];
  if (given === undefined || given === null) return null;
  const state = readState(given);
  if (state === null) reader.faults.push({ at, fault: `must be one of ${STATES.join(', ')}` });
  return state;
}

function opId(reader: Reader): string | null {
  return text(reader, 'op_id', 200, '') || null;
}

const by = (reader: Reader): { actor: string; opId: string | null } => ({
  actor: text(reader, 'actor', 100, DEFAULT_ACTOR),
  opId: opId(reader),
});

const reason = (reader: Reader): string => text(reader, 'reason', REASON_LIMIT_CHARS, null);

function artifactField(reader: Reader): ArtifactRef | null {
  const given = reader.input.artifact;
  if (given === undefined || given === null) return null;
  if (isJsonObject(given) && typeof given.sha256 === 'string' && /^[0-9a-f]{64}$/.test(given.sha256)) {
    return {
      sha256: given.sha256,
      bytes: Number(given.bytes) || 0,
      preview: String(given.preview ?? '').slice(0, 120),
    };
  }
  reader.faults.push({ at: 'artifact', fault: 'must be {sha256, bytes, preview}' });
  return null;
}

function readAdvance(reader: Reader): AdvanceCommand {
  const role = readRole(reader.input.role);
  if (role === null) reader.faults.push({ at: 'role', fault: `must be one of ${ROLES.join(', ')}` });
  const completed = stateField(reader, 'completed_state');
  if (completed === null || completed === 'complete' || completed === 'error') {
    reader.faults.push({ at: 'completed_state', fault: 'must be the phase or handoff state that was completed' });
  }
  return {
    type: 'advance',
    ...by(reader),
    role: role ?? 'q_assistant',
    completedState: completed === null || completed === 'complete' || completed === 'error' ? 'discovery' : completed,
    phaseResult: reader.input.phase_result ?? {},
    artifact: artifactField(reader),
    nextState: stateField(reader, 'next_state'),
  };
}

function readRollback(reader: Reader): RollbackCommand {
  const target = readState(reader.input.target_state);
  if (target === null || !isPhase(target)) {
    reader.faults.push({ at: 'target_state', fault: `must be one of ${PHASES.join(', ')}` });
  }
  return {
    type: 'rollback',
    ...by(reader),
    targetState: target !== null && isPhase(target) ? target : 'discovery',
    reason: reason(reader),
    expectedState: stateField(reader, 'expected_state'),
  };
}

const READERS = {
  retry: (r: Reader): RetryCommand => ({
    type: 'retry',
    ...by(r),
    reason: reason(r),
    expectedState: stateField(r, 'expected_state'),
  }),
  rollback: readRollback,
  advance: readAdvance,
  abort: (r: Reader): AbortCommand => ({ type: 'abort', ...by(r), reason: reason(r) }),
} as const satisfies Record<MessageName, (reader: Reader) => OperatorCommand>;

/** What the payload converter puts in place of an input that it cannot decode. */
const isUndecodable = (input: JsonObject): boolean => '$undecodable' in input;

/** Reads a signal's or Update's input into a command, or lists every fault. Never throws, whatever comes in. */
export function parseMessage(name: MessageName, input: unknown): Parsed<OperatorCommand> {
  if (!isJsonObject(input) || isUndecodable(input)) {
    const given = isJsonObject(input) ? 'could not be decoded' : `is ${input === undefined ? 'missing' : 'no object'}`;
    return { ok: false, faults: [{ at: '', fault: `the input ${given}; send one JSON object` }] };
  }
  const stored = jsonFaults(input);
  if (stored.length > 0) return { ok: false, faults: stored };
  if (JSON.stringify(input).length > MESSAGE_LIMIT_BYTES) {
    return { ok: false, faults: [{ at: '', fault: `the input is over ${MESSAGE_LIMIT_BYTES} bytes` }] };
  }
  const reader: Reader = { input, faults: [] };
  const command = READERS[name](reader);
  return reader.faults.length === 0 ? { ok: true, command } : { ok: false, faults: reader.faults };
}
