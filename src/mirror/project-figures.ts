import { Prisma, type PrismaClient } from '../../prisma/client/client.ts';
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

const builds = STATUSES.map((status) => `${status}_builds` as const);
const failures = PHASES.map((phase) => `${phase}_failures` as const);
const figures = [...builds, 'complete_ms', 'handoffs', ...failures] as const;
type Row = Readonly<Record<(typeof figures)[number], number>>;

/** What one build that goes on comes to, by the names of the table of settled ones. */
const LIVE: Readonly<Partial<Record<keyof Row, string>>> = { in_progress_builds: '1', handoffs: 'handoff_count' };

const settled = figures.map((name) => (name === 'in_progress_builds' ? '0' : name));
const live = figures.map((name) => LIVE[name] ?? (name.endsWith('_failures') ? name : '0'));
// Sums are numeric in PostgreSQL: a double holds what these come to, and is a number in JavaScript.
const sums = figures.map((name) => `coalesce(sum(${name}), 0)::float8 as ${name}`);

/**
 * Settled builds (parked or over) are counted as they settle, into a few rows of project_figures for each project;
 * those that go on are few, and are counted here. One statement, so that no build is seen on both sides or on neither.
 */
const statement = (projectId: string): Prisma.Sql => Prisma.sql`
  select ${Prisma.raw(sums.join(', '))} from (
    select ${Prisma.raw(settled.join(', '))} from project_figures where project_id = ${projectId}
    union all
    select ${Prisma.raw(live.join(', '))} from build_workflows where project_id = ${projectId} and status = 'in_progress'
  ) counted(${Prisma.raw(figures.join(', '))})`;

/** The figures of a project; all zero when the mirror knows no build of it. */
export async function readProjectFigures(prisma: PrismaClient, projectId: string): Promise<ProjectFigures> {
  const [row] = await prisma.$queryRaw<[Row]>(statement(projectId));
  return {
    builds: Object.fromEntries(STATUSES.map((status) => [status, row[`${status}_builds`]])) as ProjectFigures['builds'],
    completeMs: row.complete_ms,
    handoffs: row.handoffs,
    failures: Object.fromEntries(
      PHASES.map((phase) => [phase, row[`${phase}_failures`]]),
    ) as ProjectFigures['failures'],
  };
}
