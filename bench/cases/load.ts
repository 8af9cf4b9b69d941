import { runMany, type Subject } from '../driver.ts';
import { forEachHistory, type HistoryFigures, historyFigures } from '../measure/histories.ts';
import { type Cost, costOf, costPerRun } from '../measure/resources.ts';
import type { Setup } from '../setup.ts';

const PHASES = 6;

export type Troubles = Readonly<
  Pick<
    HistoryFigures,
    | 'activityRetries'
    | 'activityTimeouts'
    | 'activityFailures'
    | 'workflowTaskTimeouts'
    | 'workflowTaskFailures'
    | 'stickyTimeouts'
  >
>;

export type LoadRun = Readonly<{
  builds: number;
  delayMs: number;
  lastCompletedMs: number;
  perRun: Cost;
  troubles: Troubles;
}>;

export type Load = LoadRun & Readonly<{ idealMs: number }>;

/** When the last would complete if it took the floor's builds a second and the model's own time. */
export const idealMs = ({ builds, delayMs }: Pick<LoadRun, 'builds' | 'delayMs'>, floorPerSecond: number): number =>
  (builds / floorPerSecond) * 1000 + PHASES * delayMs;

export function sumTroubles(figures: readonly HistoryFigures[]): Troubles {
  const sum = (key: keyof Troubles): number => figures.reduce((total, figure) => total + figure[key], 0);
  return {
    activityRetries: sum('activityRetries'),
    activityTimeouts: sum('activityTimeouts'),
    activityFailures: sum('activityFailures'),
    workflowTaskTimeouts: sum('workflowTaskTimeouts'),
    workflowTaskFailures: sum('workflowTaskFailures'),
    stickyTimeouts: sum('stickyTimeouts'),
  };
}

/** All builds in flight at once, with a model that takes its time. */
export async function measureLoad(
  setup: Setup,
  subject: Subject,
  { builds, delayMs }: Readonly<{ builds: number; delayMs: number }>,
): Promise<LoadRun> {
  await setup.model.ask('delay', delayMs);
  try {
    const { outcome, cost } = await costOf(setup, setup.builder(), async () => {
      const startedAtMs = performance.now();
      const runs = await runMany(setup.client, subject, builds, builds);
      return { runs, lastCompletedMs: performance.now() - startedAtMs };
    });
    const ids = outcome.runs.map(({ workflowId }) => workflowId);
    const figures = await forEachHistory(ids, (id) => historyFigures(setup.client, id));
    return {
      builds,
      delayMs,
      lastCompletedMs: outcome.lastCompletedMs,
      perRun: costPerRun([cost], builds),
      troubles: sumTroubles(figures),
    };
  } finally {
    await setup.model.ask('delay', 0);
  }
}
