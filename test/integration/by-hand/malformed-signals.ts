import type { Client } from '@temporalio/client';
import fc from 'fast-check';
import { MESSAGE_NAMES } from '../../../src/machine/messages.ts';

/** A payload as it goes over the wire: nothing of it is checked on the way. */
export type RawPayload = Readonly<{ metadata?: Readonly<Record<string, Uint8Array>>; data?: Uint8Array }>;

/** A signal that no build obeys, whatever state it is in. */
export type MalformedSignal = Readonly<{
  name: string;
  /** Undefined: no input at all. */
  payloads: readonly RawPayload[] | undefined;
}>;

/** Stands in every value that is sent; nothing that is kept may contain it. */
export const SECRET = 'hunter2-hunter2';

const bytes = (text: string): Uint8Array => Buffer.from(text, 'utf8');
const encoded = (encoding: string, data: Uint8Array, more: Record<string, Uint8Array> = {}): RawPayload => ({
  metadata: { encoding: bytes(encoding), ...more },
  data,
});
const json = (text: string): RawPayload => encoded('json/plain', bytes(text));
const nested = (depth: number): string => `{"reason": ${'['.repeat(depth)}"${SECRET}"${']'.repeat(depth)}}`;

/** Objects whose fields are wrong for every signal; as text, because no JSON.stringify writes some of them. */
export const WRONG_OBJECTS: readonly string[] = [
  '{}',
  `{"reason": ["${SECRET}"]}`,
  `{"reason": {"text": "${SECRET}"}, "target_state": 3, "role": null}`,
  `{"reason": "   ", "actor": "${SECRET}"}`,
  `{"reason": "${SECRET}\\u0000", "target_state": "discovery", "role": "q_assistant", "completed_state": "discovery"}`,
  `{"reason": "${SECRET}\\ud800", "target_state": "discovery", "role": "q_assistant", "completed_state": "discovery"}`,
  `{"__proto__": {"reason": "${SECRET}", "role": "q_assistant"}, "constructor": {"prototype": {"reason": "${SECRET}"}}}`,
  `{"reason": "${SECRET}", "target_state": "nowhere", "role": "boss", "completed_state": "nowhere", "expected_state": "x"}`,
  `{"reason": "${SECRET}", "expected_state": "complete", "target_state": "complete", "role": "q_assistant"}`,
  `{"reason": "${SECRET}", "op_id": "${'x'.repeat(101)}", "target_state": "discovery"}`,
  `{"reason": "${SECRET}", "artifact": 7, "actor": 7, "target_state": "discovery"}`,
  `{"$undecodable": "${SECRET}", "reason": "${SECRET}"}`,
  nested(100),
  nested(9000),
  `{"reason": "${SECRET.repeat(70_000)}"}`,
];
/** Over a megabyte, so not for every draw. */
const LARGE_FROM_CHARS = 100_000;
const SMALL_WRONG_OBJECTS = WRONG_OBJECTS.filter(({ length }) => length < LARGE_FROM_CHARS);

const REFERENCE = { messageType: bytes('temporal.api.sdk.v1.ExternalStorageReference') };
/** Not UTF-8. */
const BROKEN = Uint8Array.from([0xff, 0xfe, 0xc0, 0x80]);

export const UNKNOWN_NAMES: readonly string[] = [
  'RETRY',
  'retry ',
  ' ',
  'status',
  'constructor',
  '__proto__',
  'a\0b',
  'n'.repeat(900),
  '__stack_trace',
  '__enhanced_stack_trace',
  '__temporal_workflow_metadata',
  '__temporal_x',
];

const anyJson = fc
  .jsonValue({ maxDepth: 4, depthSize: 'small' })
  .filter((value) => typeof value !== 'object' || value === null || Array.isArray(value))
  .map((value) => json(JSON.stringify(value)));

const wrongPayloads: fc.Arbitrary<MalformedSignal['payloads']> = fc.oneof(
  fc.constant(undefined),
  fc.constant([]),
  anyJson.map((payload) => [payload]),
  { weight: 4, arbitrary: fc.constantFrom(...SMALL_WRONG_OBJECTS).map((text) => [json(text)]) },
  fc.string({ maxLength: 40 }).map((text) => [json(`{"reason": ${SECRET} ${text}`)]),
  fc.uint8Array({ maxLength: 60 }).map((data) => [encoded('json/plain', Uint8Array.from([...BROKEN, ...data]))]),
  fc
    .tuple(
      fc.oneof(
        fc.constantFrom('json/protobuf', 'binary/protobuf', 'binary/encrypted', 'binary/null', 'binary/plain', ''),
        fc.string({ minLength: 1, maxLength: 30 }).filter((name) => name !== 'json/plain'),
      ),
      fc.constantFrom(`{"reason": "${SECRET}"}`, '', '"'),
      fc.constantFrom<Record<string, Uint8Array>>({}, REFERENCE, { messageType: bytes('no.such.Type') }),
    )
    .map(([encoding, data, more]) => [encoded(encoding, bytes(data), more)]),
  fc.constantFrom<readonly RawPayload[]>(
    [{}],
    [{ data: bytes(`{"reason": "${SECRET}"}`) }],
    [{ metadata: {}, data: bytes(SECRET) }],
    [{ metadata: { encoding: BROKEN }, data: bytes(SECRET) }],
    [{ metadata: { encoding: bytes('json/plain') } }],
    [json(nested(100_000))],
  ),
  fc.integer({ min: 2, max: 5 }).map((count) => Array.from({ length: count }, () => json(`{"reason": "${SECRET}"}`))),
);

const unknownSignals: fc.Arbitrary<MalformedSignal> = fc.record({
  name: fc.oneof(
    fc.constantFrom(...UNKNOWN_NAMES),
    // The server takes no empty name, and the machine knows four.
    fc.string({ minLength: 1, maxLength: 60 }).filter((name) => !MESSAGE_NAMES.some((known) => known === name)),
  ),
  payloads: fc.oneof(wrongPayloads, fc.constant([json(`{"reason": "${SECRET}"}`)])),
});

const knownSignals: fc.Arbitrary<MalformedSignal> = fc.record({
  name: fc.constantFrom(...MESSAGE_NAMES),
  payloads: wrongPayloads,
});

/** The same signals for the same seed; the large ones, a few times each, are among them. */
export function malformedSignals(seed: number, count: number): readonly MalformedSignal[] {
  const large = WRONG_OBJECTS.filter(({ length }) => length >= LARGE_FROM_CHARS);
  const few = MESSAGE_NAMES.flatMap((name) => large.map((text) => ({ name, payloads: [json(text)] })));
  const mixed = fc.oneof({ weight: 3, arbitrary: knownSignals }, { weight: 1, arbitrary: unknownSignals });
  return [...few, ...fc.sample(mixed, { seed, numRuns: count - few.length })];
}

/** Sends it as it is: the client's own way would encode it anew. */
export async function sendMalformed(client: Client, workflowId: string, signal: MalformedSignal): Promise<void> {
  const { name, payloads } = signal;
  await client.workflowService.signalWorkflowExecution({
    namespace: client.options.namespace,
    workflowExecution: { workflowId },
    signalName: name,
    ...(payloads === undefined ? {} : { input: { payloads: [...payloads] } }),
  });
}
