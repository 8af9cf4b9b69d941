import type { ArtifactRef, Content } from './build.ts';
import type { AbortCommand, AdvanceCommand, OperatorCommand, RetryCommand, RollbackCommand } from './commands.ts';
import { clipText, type Fault, isJsonObject, type Json, type JsonObject, jsonFaults } from './json.ts';
import { isPhase, type OpenState, PHASES, ROLES, readRole, readState, STATES } from './states.ts';

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
/** A build carries a hundred of them. The API sends digests. */
const OP_ID_LIMIT_CHARS = 100;
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

function idField(reader: Reader, at: string): string | null {
  return text(reader, at, OP_ID_LIMIT_CHARS, '') || null;
}

const by = (reader: Reader): Pick<RetryCommand, 'actor' | 'opId' | 'opContent' | 'expectedState'> => ({
  actor: text(reader, 'actor', 100, DEFAULT_ACTOR),
  opId: idField(reader, 'op_id'),
  opContent: idField(reader, 'op_content'),
  expectedState: stateField(reader, 'expected_state'),
});

const reason = (reader: Reader): string => text(reader, 'reason', REASON_LIMIT_CHARS, null);

function artifactField(reader: Reader, at: string): ArtifactRef | null {
  const given = reader.input[at];
  if (given === undefined || given === null) return null;
  if (isJsonObject(given) && typeof given.sha256 === 'string' && /^[0-9a-f]{64}$/.test(given.sha256)) {
    return {
      sha256: given.sha256,
      bytes: typeof given.bytes === 'number' ? given.bytes : 0,
      preview: typeof given.preview === 'string' ? clipText(given.preview, 120) : '',
    };
  }
  reader.faults.push({ at, fault: 'must be {sha256, bytes, preview}' });
  return null;
}

/** Text or JSON, whole in `ai_response` or by reference in `ai_response_artifact`. */
function aiResponse(reader: Reader): Content | null {
  const ref = artifactField(reader, 'ai_response_artifact');
  if (ref !== null) return { kind: 'artifact', ref };
  const given: Json | undefined = reader.input.ai_response;
  return given === undefined || given === null ? null : { kind: 'inline', value: given };
}

function readAdvance(reader: Reader): AdvanceCommand {
  const role = readRole(reader.input.role);
  if (role === null) reader.faults.push({ at: 'role', fault: `must be one of ${ROLES.join(', ')}` });
  const completed = readState(reader.input.completed_state);
  const open: OpenState | null = completed === 'complete' || completed === 'error' ? null : completed;
  if (open === null) {
    const names = STATES.filter((state) => state !== 'complete' && state !== 'error');
    reader.faults.push({ at: 'completed_state', fault: `must be one of ${names.join(', ')}` });
  }
  return {
    type: 'advance',
    ...by(reader),
    role: role ?? 'q_assistant',
    completedState: open ?? 'discovery',
    phaseResult: reader.input.phase_result ?? {},
    artifact: artifactField(reader, 'artifact'),
    aiResponse: aiResponse(reader),
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
  };
}

const READERS = {
  retry: (r: Reader): RetryCommand => ({ type: 'retry', ...by(r), reason: reason(r) }),
  rollback: readRollback,
  advance: readAdvance,
  abort: (r: Reader): AbortCommand => ({ type: 'abort', ...by(r), reason: reason(r) }),
} as const satisfies Record<MessageName, (reader: Reader) => OperatorCommand>;

/** What was sent instead of an object; null when it is one. The input itself is never told: it may be a secret. */
function givenInstead(input: unknown): string | null {
  if (input === undefined) return 'is missing';
  // Their many numbers would be looked at one by one.
  if (ArrayBuffer.isView(input)) return 'is bytes (binary/plain)';
  if (!isJsonObject(input)) return 'is no object';
  // What the payload converter puts in place of an input that it cannot decode.
  return '$undecodable' in input ? 'could not be decoded' : null;
}

/** Length in UTF-8, which is how it travels; pure, because a workflow has no Buffer. */
export function utf8Bytes(text: string): number {
  let bytes = 0;
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}

/** Reads a signal's or Update's input into a command, or lists every fault. Never throws, whatever comes in. */
export function parseMessage(name: MessageName, input: unknown): Parsed<OperatorCommand> {
  const given = givenInstead(input);
  if (given !== null || !isJsonObject(input)) {
    return {
      ok: false,
      faults: [{ at: '', fault: `the input ${given}; send one JSON object, encoded as json/plain` }],
    };
  }
  const stored = jsonFaults(input);
  if (stored.length > 0) return { ok: false, faults: stored };
  if (utf8Bytes(JSON.stringify(input)) > MESSAGE_LIMIT_BYTES) {
    return {
      ok: false,
      faults: [{ at: '', fault: `the input is over ${MESSAGE_LIMIT_BYTES} bytes; send a smaller one` }],
    };
  }
  const reader: Reader = { input, faults: [] };
  const command = READERS[name](reader);
  return reader.faults.length === 0 ? { ok: true, command } : { ok: false, faults: reader.faults };
}
