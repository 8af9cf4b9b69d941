import { Prisma, type PrismaClient } from '../../prisma/client/client.ts';
import type { AuditRow, EventType, Handoff } from '../machine/events.ts';
import type { JsonObject } from '../machine/json.ts';

/** Place of a row: `generation` counts a build's branches from 1, oldest first; a reset begins the next one. */
export type RowPlace = Readonly<{ generation: number; seq: number }>;

/** A part of a list in the order of its rows' places: at most `limit` rows behind `after` (null: from the first). */
type RowPage = Readonly<{ after: RowPlace | null; limit: number }>;

/** One audit row of the mirror. `undone`: a reset has taken it back. */
export type MirrorEvent = RowPlace & Pick<AuditRow, 'atMs' | 'type' | 'by' | 'data'> & Readonly<{ undone: boolean }>;
export type MirrorHandoff = RowPlace & Readonly<{ atMs: number; undone: boolean }> & Handoff;

export type MirrorHistory = Readonly<{
  /** Oldest first, so that a branch's generation is its index plus 1; `lastSeq` is the last row it has here, else 0. */
  branches: readonly Readonly<{ branch: string; lastSeq: number }>[];
  events: readonly MirrorEvent[];
  handoffs: readonly MirrorHandoff[];
  /** All of the build, those that a reset has undone included. */
  totalHandoffs: number;
}>;

/** Which rows are wanted; a list whose page is null stays empty. */
export type HistoryPages = Readonly<{ events: RowPage | null; handoffs: RowPage | null }>;

const behind = (workflowId: string, { after }: RowPage) => ({
  workflowId,
  ...(after === null
    ? {}
    : {
        OR: [{ generation: { gt: after.generation } }, { generation: after.generation, seq: { gt: after.seq } }],
      }),
});

const order = [{ generation: 'asc' as const }, { seq: 'asc' as const }];

async function readEvents(prisma: PrismaClient, workflowId: string, page: RowPage | null): Promise<MirrorEvent[]> {
  if (page === null) return [];
  const rows = await prisma.auditEvent.findMany({
    where: behind(workflowId, page),
    orderBy: order,
    take: page.limit,
  });
  return rows.map((row) => ({
    generation: row.generation,
    seq: row.seq,
    atMs: row.timestamp.getTime(),
    // What the machine wrote, perhaps a newer version's.
    type: row.eventType as EventType,
    by: row.triggeredBy,
    data: row.eventData as JsonObject,
    undone: row.beforeReset,
  }));
}

async function readHandoffs(prisma: PrismaClient, workflowId: string, page: RowPage | null): Promise<MirrorHandoff[]> {
  if (page === null) return [];
  const rows = await prisma.auditHandoff.findMany({
    where: behind(workflowId, page),
    orderBy: order,
    take: page.limit,
  });
  return rows.map((row) => ({
    generation: row.generation,
    seq: row.seq,
    atMs: row.timestamp.getTime(),
    fromRole: row.fromRole,
    toRole: row.toRole,
    fromState: row.fromState,
    toState: row.toState,
    data: row.dataTransferred as JsonObject,
    notes: row.notes,
    undone: row.beforeReset,
  }));
}

type BranchRow = Readonly<{ branch: string; last_seq: number; handoffs: number }>;

/**
 * Oldest first. One statement, so that a flush in between is in both figures or in neither: whoever adds the rows that the
 * workflow still holds counts those behind `last_seq`.
 */
const branchesOf = (workflowId: string): Prisma.Sql => Prisma.sql`
  select b.branch,
    coalesce((select max(e.seq) from workflow_events e where e.workflow_id = b.workflow_id and e.branch = b.branch), 0) as last_seq,
    (select count(*)::int from workflow_handoffs h where h.workflow_id = b.workflow_id and h.branch = b.branch) as handoffs
  from audit_branches b where b.workflow_id = ${workflowId} order by b.generation`;

/** A build's audit; null when the mirror does not know the build. */
export async function readHistory(
  prisma: PrismaClient,
  workflowId: string,
  pages: HistoryPages,
): Promise<MirrorHistory | null> {
  const [branches, events, handoffs] = await Promise.all([
    prisma.$queryRaw<BranchRow[]>(branchesOf(workflowId)),
    readEvents(prisma, workflowId, pages.events),
    readHandoffs(prisma, workflowId, pages.handoffs),
  ]);
  if (branches.length === 0) return null;
  return {
    branches: branches.map(({ branch, last_seq: lastSeq }) => ({ branch, lastSeq })),
    events,
    handoffs,
    totalHandoffs: branches.reduce((sum, row) => sum + row.handoffs, 0),
  };
}
