import { isBehind } from '../../src/api/audit.ts';
import type { MirrorBuild, MirrorEvent, MirrorHandoff, MirrorReader, RowPage, RowPlace } from '../../src/api/ports.ts';
import { snapshotOf } from '../../src/machine/snapshot.ts';
import { statusView } from '../../src/machine/status-view.ts';
import type { FakeBuild } from './fake-builds.ts';
import { type CountedBuild, figuresOf, listOf } from './fake-lists.ts';

type Held = { build: MirrorBuild & CountedBuild; events: MirrorEvent[]; handoffs: MirrorHandoff[]; branches: string[] };

/** A mirror in memory. */
export type FakeMirror = MirrorReader & {
  held: Map<string, Held>;
  /** `refuses`: Postgres is away. `hangs`: it never answers. */
  mood: 'answers' | 'refuses' | 'hangs';
  /** Writes a build's rows up to `upToSeq` (all unless given), as a flush does. */
  flush(fake: FakeBuild, upToSeq?: number): void;
};

const page = <T extends RowPlace>(rows: readonly T[], asked: RowPage | null): T[] =>
  asked === null ? [] : rows.filter((row) => isBehind(row, asked.after)).slice(0, asked.limit);

function write(held: Map<string, Held>, fake: FakeBuild, upToSeq: number): void {
  const { spec, tally } = fake.build;
  const old = held.get(spec.workflowId);
  const { events = [], handoffs = [], branches = [] } = old ?? {};
  if (!branches.includes(fake.branch)) branches.push(fake.branch);
  const generation = branches.indexOf(fake.branch) + 1;
  for (const { seq, atMs, type, by, data, handoff } of fake.rows) {
    if (seq <= fake.flushedSeq || seq > upToSeq) continue;
    events.push({ generation, seq, atMs, type, by, data, undone: false });
    if (handoff) handoffs.push({ generation, seq, atMs, undone: false, ...handoff });
  }
  const view = statusView(snapshotOf(fake.build), fake.build.updatedAtMs);
  const build = {
    workflowId: spec.workflowId,
    runId: fake.branch,
    userId: spec.userId,
    startDigest: spec.startDigest,
    view,
    tally,
  };
  held.set(spec.workflowId, { build, events, handoffs, branches });
}

export function createFakeMirror(): FakeMirror {
  const held = new Map<string, Held>();
  const read = <T>(look: () => T): Promise<T> => {
    if (fake.mood === 'hangs') return new Promise(() => undefined);
    if (fake.mood === 'refuses') return Promise.reject(new Error('connect ECONNREFUSED 10.1.2.3:5432'));
    return Promise.resolve(look());
  };
  const allBuilds = () => [...held.values()].map(({ build }) => build);
  const fake: FakeMirror = {
    held,
    mood: 'answers',
    flush(build, upToSeq = Number.POSITIVE_INFINITY) {
      write(held, build, upToSeq);
      build.flushedSeq = Math.min(upToSeq, build.build.seq);
    },
    findBuild: (workflowId) => read(() => held.get(workflowId)?.build ?? null),
    findByBuildId: (buildId) =>
      read(() => [...held.values()].find(({ build }) => build.view.build_id === buildId)?.build ?? null),
    history: (workflowId, pages) =>
      read(() => {
        const found = held.get(workflowId);
        if (!found) return null;
        const lastSeqOf = (generation: number): number =>
          Math.max(0, ...found.events.filter((row) => row.generation === generation).map(({ seq }) => seq));
        return {
          branches: found.branches.map((branch, index) => ({ branch, lastSeq: lastSeqOf(index + 1) })),
          events: page(found.events, pages.events),
          handoffs: page(found.handoffs, pages.handoffs),
          totalHandoffs: found.handoffs.length,
        };
      }),
    handoffData: (workflowId, seq) =>
      read(() => held.get(workflowId)?.handoffs.find((row) => row.seq === seq && !row.undone)?.data ?? null),
    listBuilds: (filter) => read(() => listOf(allBuilds(), filter)),
    projectFigures: (projectId) => read(() => figuresOf(allBuilds(), projectId)),
    ping: () => read(() => undefined),
  };
  return fake;
}
