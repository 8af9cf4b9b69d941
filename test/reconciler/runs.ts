import { pino } from 'pino';
import { startBuild } from '../../src/machine/apply.ts';
import { isOver } from '../../src/machine/build.ts';
import { snapshotOf } from '../../src/machine/snapshot.ts';
import type { Endings } from '../../src/mirror/endings.ts';
import type { FlushInput } from '../../src/mirror/mirror.ts';
import type { ClosedRuns, LastWork, LatestRun, RunRecord } from '../../src/reconciler/closed-run.ts';
import type { EndedRun } from '../../src/reconciler/ended-build.ts';
import type { Repairs } from '../../src/reconciler/repair.ts';
import { type Step, specOf, T0 } from '../mirror/builds.ts';

export const CLOSED_MS = T0 + 3_600_000;

export const endedRun = (id: string, change: Partial<EndedRun> = {}): EndedRun => ({
  ...{ workflowId: `workflow-${id}`, runId: 'run-1', ending: 'terminated' },
  ...{ startedAtMs: T0, closedAtMs: CLOSED_MS },
  ...change,
});

export const recordOf = (change: Partial<RunRecord> = {}): RunRecord => ({
  ...{ input: {}, originalRunId: 'run-1', lastEventAtMs: CLOSED_MS },
  ...{ lastWork: null, ackedSeq: 0, lastAnswer: null, reason: null },
  ...change,
});

/** What an activity was given behind a step. */
export const workAt = ({ build, rows }: Step, branch = 'run-1'): LastWork => ({
  build: snapshotOf(build),
  batch: { branch, openedAtMs: build.updatedAtMs, rows },
});

type FakeWorld = Repairs & {
  /** Newest run of each build, by workflow id. */
  latest: Map<string, LatestRun>;
  written: FlushInput[];
  /** Builds that are open by the mirror; oldest first. */
  open: string[];
  away: boolean;
  /** Of every run; another than its own is that of a reset. */
  originalRunId: string;
  /** From when on looks asked for ended runs. */
  asked: number[];
  logged: string[];
};

/** Temporal and a mirror in memory: what was written is over. */
export function fakeWorld(): FakeWorld {
  const logged: string[] = [];
  const reached = <T>(value: T): Promise<T> =>
    world.away ? Promise.reject(new Error('away')) : Promise.resolve(value);
  const over = (workflowId: string): boolean => {
    const last = world.written.findLast(({ build }) => build.spec.workflowId === workflowId);
    return last !== undefined && isOver(last.build.position);
  };
  const runs: ClosedRuns = {
    changedSince: async function* ({ endedMs, startedMs }) {
      world.asked.push(endedMs);
      const changed = [...world.latest.values()].map(({ workflowId, runId, closedAtMs, startedAtMs }) => {
        return { workflowId, runId, isOpen: closedAtMs === null, changedAtMs: closedAtMs ?? startedAtMs };
      });
      yield await reached(changed.filter((run) => run.changedAtMs >= (run.isOpen ? startedMs : endedMs)));
    },
    latest: (workflowId) => reached(world.latest.get(workflowId) ?? null),
    record: ({ workflowId }) => {
      const spec = specOf(workflowId.replace('workflow-', ''));
      return reached(recordOf({ lastWork: workAt(startBuild(spec, T0)), originalRunId: world.originalRunId }));
    },
    rowsOf: () => reached(null),
  };
  const mirror: Endings = {
    unsettled: (known) => {
      const differs = ({ workflowId, isOpen }: (typeof known)[number]) => over(workflowId) === isOpen;
      return reached(known.filter(differs).map(({ workflowId }) => workflowId));
    },
    silent: (after, _sinceMs, limit) => {
      const behind = after === null ? 0 : world.open.indexOf(after.workflowId) + 1;
      const page = world.open.filter((id) => !over(id)).filter((id) => world.open.indexOf(id) >= behind);
      return reached(page.slice(0, limit).map((workflowId) => ({ workflowId, createdAtMs: T0 })));
    },
    write: async (_what, input) => {
      await reached(null);
      world.written.push(input);
      return 'written';
    },
    close: async () => undefined,
  };
  const log = pino({ level: 'info' }, { write: (line: string) => logged.push(line) });
  const world: FakeWorld = {
    ...{
      runs,
      mirror,
      log,
      latest: new Map(),
      written: [],
      open: [],
      away: false,
      asked: [],
      logged,
      originalRunId: 'run-1',
    },
  };
  return world;
}
