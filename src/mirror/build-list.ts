import type { BuildWorkflowModel, BuildWorkflowWhereInput } from '../../prisma/client/models.ts';
import { AppError } from '../errors.ts';
import type { Build } from '../machine/build.ts';
import type { JsonObject } from '../machine/json.ts';
import type { State } from '../machine/states.ts';
import type { StatusView } from '../machine/status-view.ts';

/** A build as the mirror has it. */
export type MirrorBuild = Readonly<{
  workflowId: string;
  userId: string;
  /** Digest of what the start asked for. */
  startDigest: string | null;
  /** The status at the last flush. */
  view: StatusView;
}>;

export type BuildFilter = Readonly<{
  projectId?: string;
  userId?: string;
  state?: State;
  status?: Build['position']['status'];
  limit: number;
  /** `nextCursor` of the page before. */
  cursor?: string;
}>;

/** Newest first; `nextCursor` is null on the last page. */
export type BuildPage = Readonly<{ builds: readonly MirrorBuild[]; nextCursor: string | null }>;

type BuildRow = Pick<BuildWorkflowModel, 'id' | 'userId' | 'createdAt' | 'workflowMetadata'>;

export function toBuild({ id, userId, workflowMetadata }: Omit<BuildRow, 'createdAt'>): MirrorBuild {
  // As a flush wrote it.
  const { start_digest, view } = workflowMetadata as JsonObject;
  const startDigest = typeof start_digest === 'string' ? start_digest : null;
  return { workflowId: id, userId, startDigest, view: view as unknown as StatusView };
}

/** Two builds may be made in one millisecond: their ids decide. */
export const cursorOf = ({ createdAt, id }: BuildRow): string =>
  Buffer.from(JSON.stringify([createdAt.getTime(), id])).toString('base64url');

function readCursor(cursor: string): { createdAt: Date; id: string } {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    const [atMs, id] = Array.isArray(parsed) ? parsed : [];
    const createdAt = new Date(atMs);
    if (typeof id === 'string' && !id.includes('\0') && !Number.isNaN(createdAt.getTime())) return { createdAt, id };
  } catch {
    // Told below, like a cursor that is JSON but not ours.
  }
  throw new AppError('invalid_body', 'cursor is none of ours; leave it out to begin with the newest build', {
    faults: [{ at: 'cursor', fault: 'must be the next_cursor of an earlier answer' }],
  });
}

/** @throws AppError `invalid_body` when the cursor is not one that a page gave */
export function whereOf({ projectId, userId, state, status, cursor }: BuildFilter): BuildWorkflowWhereInput {
  const from = cursor === undefined ? null : readCursor(cursor);
  return {
    ...(projectId === undefined ? {} : { projectId }),
    ...(userId === undefined ? {} : { userId }),
    ...(state === undefined ? {} : { currentState: state }),
    ...(status === undefined ? {} : { status }),
    ...(from === null
      ? {}
      : { OR: [{ createdAt: { lt: from.createdAt } }, { createdAt: from.createdAt, id: { lt: from.id } }] }),
  };
}
