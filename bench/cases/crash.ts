import { setTimeout as sleep } from 'node:timers/promises';
import { runMany, type Subject } from '../driver.ts';
import { forEachHistory, historyFigures, phaseTimes } from '../measure/histories.ts';
import type { Setup } from '../setup.ts';
import { sumTroubles, type Troubles } from './load.ts';

const PHASES = 6;

export type Crash = Readonly<{
  builds: number;
  delayMs: number;
  /** From the start of the new worker's process to the last completion. */
  restartToLastMs: number;
  /** What the model alone still needed for the build that was furthest behind. */
  modelRemainingMs: number;
  troubles: Troubles;
}>;

/** kill -9 of the only worker with builds in flight, and a new one at once. */
export async function measureCrash(
  setup: Setup,
  subject: Subject,
  { builds, delayMs, killAfterMs }: Readonly<{ builds: number; delayMs: number; killAfterMs: number }>,
): Promise<Crash> {
  await setup.model.ask('delay', delayMs);
  try {
    const running = runMany(setup.client, subject, builds, builds);
    // It is awaited below; until then its failure is nobody's.
    running.catch(() => undefined);
    await sleep(killAfterMs);
    await setup.crashBuilder();
    const killedAtMs = Date.now();
    await setup.restartBuilder();
    const runs = await running;
    const restartToLastMs = Date.now() - killedAtMs;
    const ids = runs.map(({ workflowId }) => workflowId);
    const left = await forEachHistory(ids, async (id) => {
      const phases = await phaseTimes(setup.client, id);
      return PHASES - phases.filter(({ endedAtMs }) => endedAtMs <= killedAtMs).length;
    });
    const figures = await forEachHistory(ids, (id) => historyFigures(setup.client, id));
    return {
      builds,
      delayMs,
      restartToLastMs,
      modelRemainingMs: Math.max(...left) * delayMs,
      troubles: sumTroubles(figures),
    };
  } finally {
    await setup.model.ask('delay', 0);
  }
}
