import type { PrismaClient } from '../../prisma/client/client.ts';
import { STATUSES, type Status } from '../machine/build.ts';
import { PHASES, type Phase } from '../machine/states.ts';

/** What the builds of a project come to. */
export type ProjectFigures = Readonly<{
  builds: Readonly<Record<Status, number>>;
  /** From start to end, of all complete builds together, in milliseconds. */
  completeMs: number;
  handoffs: number;
  /** Failing verdicts and parkings, by the phase that failed. */
  failures: Readonly<Record<Phase, number>>;
}>;

type Row = Readonly<{ status: Status; builds: number; complete_ms: number | null; handoffs: number }> &
  Readonly<Record<`${Phase}_failures`, number>>;

/**
 * The figures of a project; all zero when the mirror knows no build of it. Read from the index
 * build_workflows_project_figures_idx alone, which has every column that is asked for here.
 */
export async function readProjectFigures(prisma: PrismaClient, projectId: string): Promise<ProjectFigures> {
  // Sums are bigint in Postgres: a double holds what they can come to, and is a number in JavaScript.
  const rows = await prisma.$queryRaw<Row[]>`
    select status,
      count(*)::float8 as builds,
      1000 * extract(epoch from sum(completed_at - created_at))::float8 as complete_ms,
      sum(handoff_count)::float8 as handoffs,
      sum(discovery_failures)::float8 as discovery_failures,
      sum(planning_failures)::float8 as planning_failures,
      sum(implementation_failures)::float8 as implementation_failures,
      sum(testing_failures)::float8 as testing_failures,
      sum(verification_failures)::float8 as verification_failures,
      sum(deployment_failures)::float8 as deployment_failures
    from build_workflows where project_id = ${projectId} group by status`;
  const sum = (of: (row: Row) => number | null): number => rows.reduce((total, row) => total + (of(row) ?? 0), 0);
  const buildsIn = (status: Status): number => sum((row) => (row.status === status ? row.builds : 0));
  return {
    builds: Object.fromEntries(STATUSES.map((status) => [status, buildsIn(status)])) as Record<Status, number>,
    completeMs: sum((row) => row.complete_ms),
    handoffs: sum((row) => row.handoffs),
    failures: Object.fromEntries(
      PHASES.map((phase) => [phase, sum((row) => row[`${phase}_failures`])]),
    ) as ProjectFigures['failures'],
  };
}
