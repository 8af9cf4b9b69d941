import type { PrismaClient } from '../../prisma/client/client.ts';
import type { BuildWorkflowModel } from '../../prisma/client/models.ts';
import { AppError } from '../errors.ts';
import type { JsonObject } from '../machine/json.ts';
import type { StatusView } from '../machine/status-view.ts';
import { within } from '../within.ts';
import { type BuildFilter, type BuildPage, listBuilds } from './build-list.ts';
import { type HistoryPages, type MirrorHistory, readHistory } from './history.ts';
import { type ProjectFigures, readProjectFigures } from './project-figures.ts';

/** A build as the mirror has it. */
type MirrorBuild = Readonly<{
  workflowId: string;
  /** The run of the last flush. */
  runId: string;
  userId: string;
  /** Digest of what the start asked for. */
  startDigest: string | null;
  /** The status at the last flush. */
  view: StatusView;
}>;

/** The mirror, as the API reads it. Every read has a deadline, and fails with AppError `mirror_unavailable`. */
export type MirrorReader = Readonly<{
  findBuild: (workflowId: string) => Promise<MirrorBuild | null>;
  findByBuildId: (buildId: string) => Promise<MirrorBuild | null>;
  /** @returns null when the mirror does not know the build */
  history: (workflowId: string, pages: HistoryPages) => Promise<MirrorHistory | null>;
  /** What a handoff passed on, if no reset has undone it; null when there is none of this number. */
  handoffData: (workflowId: string, seq: number) => Promise<JsonObject | null>;
  listBuilds: (filter: BuildFilter) => Promise<BuildPage>;
  projectFigures: (projectId: string) => Promise<ProjectFigures>;
  /** @param timeoutMs default: the reader's deadline */
  ping: (timeoutMs?: number) => Promise<void>;
}>;

const ROW = { id: true, runId: true, userId: true, workflowMetadata: true } as const;

function toBuild({ id, runId, userId, workflowMetadata }: Pick<BuildWorkflowModel, keyof typeof ROW>): MirrorBuild {
  // As a flush wrote it.
  const { start_digest, view } = workflowMetadata as JsonObject;
  const startDigest = typeof start_digest === 'string' ? start_digest : null;
  return { workflowId: id, runId, userId, startDigest, view: view as unknown as StatusView };
}

/** @param timeoutMs the deadline of each call */
export function createReader(prisma: PrismaClient, timeoutMs: number): MirrorReader {
  return {
    findBuild: async (id) => {
      const row = await answered(prisma.buildWorkflow.findUnique({ where: { id }, select: ROW }), timeoutMs);
      return row ? toBuild(row) : null;
    },
    findByBuildId: async (buildId) => {
      const row = await answered(prisma.buildWorkflow.findUnique({ where: { buildId }, select: ROW }), timeoutMs);
      return row ? toBuild(row) : null;
    },
    history: (workflowId, pages) => answered(readHistory(prisma, workflowId, pages), timeoutMs),
    handoffData: async (workflowId, seq) => {
      const row = await answered(prisma.currentHandoff.findFirst({ where: { workflowId, seq } }), timeoutMs);
      return row ? (row.dataTransferred as JsonObject) : null;
    },
    listBuilds: (filter) => answered(listBuilds(prisma, filter), timeoutMs),
    projectFigures: (projectId) => answered(readProjectFigures(prisma, projectId), timeoutMs),
    ping: async (pingTimeoutMs = timeoutMs) => {
      await answered(prisma.$queryRaw`select 1`, pingTimeoutMs);
    },
  };
}

async function answered<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  try {
    return await within(work, timeoutMs);
  } catch (error) {
    // Prisma's messages name the server and quote statements: only its code is passed on.
    const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
    throw new AppError(
      'mirror_unavailable',
      `The mirror did not answer a read within ${timeoutMs} ms or refused it${code}; check that PostgreSQL answers.`,
    );
  }
}
