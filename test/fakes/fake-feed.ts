import type { EventFeed, FeedRow, Stretch } from '../../src/api/live/feed.ts';
import type { FakeMirror } from './fake-mirror.ts';

/** The line of all events in memory: what was flushed into a fake mirror, and what a test adds. */
export type FakeFeed = EventFeed & {
  readonly lines: readonly FeedRow[];
  /** Names of calls, in order. */
  asked: string[];
  /** Transactions that hold the table now. */
  writing: string[];
  /** From now on calls of this name are answered only when the returned function was called. */
  hold(name: 'rows' | 'page'): () => void;
  /** Adds an event of a build, at the next position unless another is given. */
  add(row: Partial<FeedRow> & Pick<FeedRow, 'workflowId'>): void;
};

const AT_MS = Date.UTC(2026, 0, 2, 3, 4, 5);

export function createFakeFeed(mirror: FakeMirror): FakeFeed {
  const lines: FeedRow[] = [];
  const adopted = new Set<unknown>();
  const adopt = (): void => {
    for (const [workflowId, { build, events, handoffs }] of mirror.held) {
      const { project_id: projectId, status } = build.view;
      for (const event of events) {
        if (adopted.has(event)) continue;
        adopted.add(event);
        const { generation, seq } = event;
        const handoff = handoffs.find((one) => one.generation === generation && one.seq === seq) ?? null;
        const isLast = event === events.at(-1) && (status === 'complete' || status === 'cancelled');
        fake.add({ workflowId, projectId, ...event, handoff, ending: isLast ? status : null });
      }
    }
  };
  const held = new Map<string, Promise<void>>();
  const answer = async <T>(name: string, look: () => T): Promise<T> => {
    fake.asked.push(name);
    if (mirror.mood === 'hangs') return new Promise(() => undefined);
    if (mirror.mood === 'refuses') throw new Error('connect ECONNREFUSED 10.1.2.3:5432');
    adopt();
    // What was there when it was asked for, as a database answers.
    const found = look();
    await held.get(name);
    return found;
  };
  const inside = ({ after, upTo }: Stretch): FeedRow[] =>
    lines.filter(({ position }) => position > after && position <= upTo);
  const fake: FakeFeed = {
    lines,
    asked: [],
    writing: [],
    hold: (name) => {
      let release = (): void => undefined;
      held.set(name, new Promise((resolve) => (release = resolve)));
      return () => {
        held.delete(name);
        release();
      };
    },
    add: (row) => {
      const base = {
        projectId: 'shop',
        generation: 1,
        atMs: AT_MS,
        type: 'phase_started' as const,
        by: 'system' as const,
      };
      const seq = lines.filter(({ workflowId }) => workflowId === row.workflowId).length + 1;
      const position = (lines.at(-1)?.position ?? 0) + 1;
      lines.push({ ...base, seq, position, data: {}, undone: false, handoff: null, ending: null, ...row });
      lines.sort((a, b) => a.position - b.position);
    },
    end: () => answer('end', () => lines.at(-1)?.position ?? 0),
    writers: () => answer('writers', () => [...fake.writing]),
    rows: ({ builds, projects }, where) =>
      answer('rows', () =>
        inside(where).filter(
          ({ workflowId, projectId }) => builds.includes(workflowId) || projects.includes(projectId),
        ),
      ),
    page: ({ kind, id }, where, limit) =>
      answer('page', () =>
        inside(where)
          .filter((row) => (kind === 'build' ? row.workflowId : row.projectId) === id)
          .slice(0, limit),
      ),
    locate: (workflowId, place) =>
      answer('locate', () => {
        const own = lines.filter((row) => row.workflowId === workflowId);
        if (own.length === 0) return null;
        const known = own.filter(
          ({ generation, seq }) =>
            place !== null && (generation < place.generation || (generation === place.generation && seq <= place.seq)),
        );
        const position = known.at(-1)?.position ?? 0;
        const last = own.at(-1);
        return { position, over: last !== undefined && last.ending !== null && last.position <= position };
      }),
  };
  return fake;
}
