import { AppError } from '../errors.ts';
import type { WireMessage } from '../machine/messages.ts';
import type { OperationReply, UpdateName } from '../workflows/messages.ts';
import { notFound } from './access.ts';
import { digestOf } from './digest.ts';
import { fromMirror } from './mirror-deadline.ts';
import type { ApiDeps } from './ports.ts';
import type { Call } from './route.ts';

/** Codes with which every command may be refused. */
export const COMMAND_ERRORS = [
  'not_found',
  'wrong_state',
  'build_over',
  'idempotency_key_reused',
  'no_worker',
  'temporal_unreachable',
  'mirror_unavailable',
] as const;

/** What a command needs to know of its call. */
export type Commanded = Pick<Call<{ workflow_id: string }, unknown, unknown>, 'params' | 'caller' | 'idempotencyKey'>;

/** A build that Temporal's retention has forgotten is still known to be over. */
async function forgotten(workflowId: string, name: UpdateName, deps: ApiDeps): Promise<AppError> {
  const known = await fromMirror(() => deps.mirror.findBuild(workflowId));
  if (known === null) return notFound(workflowId);
  return new AppError('build_over', `the build has ended long ago; ${name} is refused after the end`, {
    currentState: known.view.current_state,
    allowed: [],
  });
}

/**
 * Sends one command to a build and waits for what came of it.
 *
 * The operation's id is derived from the caller and the Idempotency-Key: the key of another caller is another key.
 * @throws AppError a refusal's code, or one of {@link COMMAND_ERRORS}
 */
export async function operate(
  name: UpdateName,
  { params, caller, idempotencyKey }: Commanded,
  message: WireMessage,
  deps: ApiDeps,
): Promise<OperationReply> {
  const { workflow_id: workflowId } = params;
  const { name: actor } = caller;
  const opId = digestOf(`${actor}\n${idempotencyKey}`);
  try {
    return await deps.builds.execute(workflowId, name, { ...message, actor, op_id: opId }, opId);
  } catch (error) {
    if (error instanceof AppError && error.code === 'not_found') throw await forgotten(workflowId, name, deps);
    throw error;
  }
}
