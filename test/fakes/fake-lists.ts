import type { BuildFilter, BuildPage, ListedBuild, ProjectFigures } from '../../src/api/ports.ts';
import { STATUSES } from '../../src/machine/build.ts';
import { PHASES } from '../../src/machine/states.ts';
import type { Tally } from '../../src/machine/tally.ts';

export type CountedBuild = ListedBuild & Readonly<{ tally: Tally }>;

const placeOf = ({ view }: ListedBuild) => ({ createdAtMs: Date.parse(view.created_at), id: view.workflow_id });

/** Negative when `a` is the newer. */
function newestFirst(a: ReturnType<typeof placeOf>, b: ReturnType<typeof placeOf>): number {
  if (a.createdAtMs !== b.createdAtMs) return b.createdAtMs - a.createdAtMs;
  return a.id < b.id ? 1 : a.id > b.id ? -1 : 0;
}

const fits = ({ projectIds, userId, state, status, after }: BuildFilter, build: ListedBuild): boolean =>
  (projectIds === null || projectIds.includes(build.view.project_id)) &&
  (userId === null || userId === build.userId) &&
  (state === null || state === build.view.current_state) &&
  (status === null || status === build.view.status) &&
  (after === null || newestFirst(after, placeOf(build)) < 0);

/** A list of builds by nothing but its definition. */
export function listOf(builds: readonly ListedBuild[], filter: BuildFilter): BuildPage {
  const fitting = builds
    .filter((build) => fits(filter, build))
    .sort((a, b) => newestFirst(placeOf(a), placeOf(b)))
    .map(({ userId, view }) => ({ userId, view }));
  const shown = fitting.slice(0, filter.limit);
  const last = shown.at(-1);
  return { builds: shown, next: last && fitting.length > shown.length ? placeOf(last) : null };
}

/** The figures of a project by nothing but their definition. */
export function figuresOf(builds: readonly CountedBuild[], projectId: string): ProjectFigures {
  const own = builds.filter(({ view }) => view.project_id === projectId);
  const sum = (of: (build: CountedBuild) => number): number => own.reduce((total, build) => total + of(build), 0);
  const table = <K extends string>(keys: readonly K[], of: (key: K) => number) =>
    Object.fromEntries(keys.map((key) => [key, of(key)])) as Record<K, number>;
  return {
    builds: table(STATUSES, (status) => own.filter(({ view }) => view.status === status).length),
    completeMs: sum(({ view }) =>
      view.completed_at === null ? 0 : Date.parse(view.completed_at) - Date.parse(view.created_at),
    ),
    handoffs: sum(({ tally }) => tally.handoffs),
    failures: table(PHASES, (phase) => sum(({ tally }) => tally.failures[phase] ?? 0)),
  };
}
