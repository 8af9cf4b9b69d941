import { buildSubject, type Run, runOne } from '../driver.ts';
import { forEachHistory, type PhaseTime, phaseTimes } from '../measure/histories.ts';
import { QUEUES, type Setup } from '../setup.ts';
import { percentile } from '../statistics.ts';

const REQUIREMENTS = 'a function that slugifies titles';

export type RealWork = Readonly<{
  builds: number;
  p50Ms: number;
  /** p50 of each attempt of each phase in the order of the build, such as "testing 2". */
  phases: readonly Readonly<{ name: string; p50Ms: number }>[];
}>;

function named(times: readonly PhaseTime[]): Readonly<{ name: string; durationMs: number }>[] {
  const seen = new Map<string, number>();
  return times.map(({ phase, durationMs }) => {
    const attempt = (seen.get(phase) ?? 0) + 1;
    seen.set(phase, attempt);
    return { name: attempt === 1 ? phase : `${phase} ${attempt}`, durationMs };
  });
}

/** p50 per phase over several builds of the same course. */
export async function phaseMedians(setup: Setup, runs: readonly Run[]): Promise<RealWork['phases']> {
  const builds = await forEachHistory(
    runs.map(({ workflowId }) => workflowId),
    async (id) => named(await phaseTimes(setup.client, id)),
  );
  const names = builds[0]?.map(({ name }) => name) ?? [];
  return names.map((name) => {
    const took = builds.flatMap((build) => build.filter((phase) => phase.name === name));
    return {
      name,
      p50Ms: percentile(
        took.map(({ durationMs }) => durationMs),
        50,
      ),
    };
  });
}

/** Builds of a recipe with real files, git, test runs and release, one at a time. */
export async function measureRealWork(
  setup: Setup,
  { builds, firstAttemptMistake }: Readonly<{ builds: number; firstAttemptMistake: boolean }>,
): Promise<RealWork> {
  const worker = await setup.startWorker(QUEUES.real, { kind: 'real', firstAttemptMistake });
  try {
    const subject = buildSubject(setup.client, QUEUES.real, REQUIREMENTS);
    await runOne(setup.client, subject);
    const runs: Run[] = [];
    for (let i = 0; i < builds; i++) runs.push(await runOne(setup.client, subject));
    const took = runs.map(({ startedAtMs, endedAtMs }) => endedAtMs - startedAtMs);
    return { builds, p50Ms: percentile(took, 50), phases: await phaseMedians(setup, runs) };
  } finally {
    await worker.stop();
  }
}
