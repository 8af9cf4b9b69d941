import { AppError } from '../errors.ts';
import type { Fault, Json } from '../machine/json.ts';
import type { WireMessage } from '../machine/messages.ts';
import { checkPhaseResult, extractResult } from '../machine/payloads.ts';
import type { Phase } from '../machine/states.ts';
import type { OperationReply } from '../workflows/messages.ts';
import { type Commanded, operate } from './operate.ts';
import type { ApiDeps } from './ports.ts';

/** A larger result is stored, and travels as an extract with a reference. */
const INLINE_RESULT_LIMIT_BYTES = 4 * 1024;

const inResult = (faults: readonly Fault[]): Fault[] =>
  faults.map(({ at, fault }) => ({ at: at === '' ? 'phase_result' : `phase_result.${at}`, fault }));

const refusedResult = (phase: Phase, faults: readonly Fault[]): AppError =>
  new AppError(
    'invalid_phase_result',
    `phase_result does not fit ${phase}: ${faults.map(({ at, fault }) => `${at} ${fault}`).join('; ')}.`,
    { faults },
  );

/** What stands for the phase_result in the command; `faults` when the whole of it is known not to fit. */
type Carried = Readonly<{ message: WireMessage; faults: readonly Fault[] }>;

/**
 * A result that fits no phase. The contract answers 404 and 409 before it looks at the result, and only the workflow
 * knows those: so for a large result that is faulty the workflow is asked with this one, which it cannot accept, and its
 * complaint about it is replaced with the faults of the whole.
 */
const NO_RESULT = 0;

async function carry(phase: Phase, given: Json, artifacts: ApiDeps['artifacts']): Promise<Carried> {
  if (Buffer.byteLength(JSON.stringify(given), 'utf8') <= INLINE_RESULT_LIMIT_BYTES) {
    return { message: { phase_result: given }, faults: [] };
  }
  const checked = checkPhaseResult(phase, given, 'external');
  if (!checked.ok) return { message: { phase_result: NO_RESULT }, faults: inResult(checked.faults) };
  const artifact = await artifacts.put(JSON.stringify(checked.value));
  return { message: { phase_result: extractResult(checked.value), artifact: { ...artifact } }, faults: [] };
}

/**
 * Hands on the result of a phase; `about` is what the advance says beside it.
 * @throws AppError `invalid_phase_result` naming every fault, and whatever `operate` throws
 */
export async function handOn(
  call: Commanded,
  phase: Phase,
  result: Json,
  about: WireMessage,
  deps: ApiDeps,
): Promise<OperationReply> {
  const carried = await carry(phase, result, deps.artifacts);
  const message = { ...about, completed_state: phase, ...carried.message };
  return operate('advance', call, message, deps).catch((error: unknown) => {
    if (!(error instanceof AppError) || error.code !== 'invalid_phase_result') throw error;
    throw refusedResult(phase, carried.faults.length > 0 ? carried.faults : inResult(error.details.faults ?? []));
  });
}
