import type { Logger } from 'pino';
import type { EventFeed, FeedRow, Topic } from './feed.ts';
import { endOf, framesOf } from './frames.ts';
import { createPages, type Pages } from './pages.ts';
import type { StreamSink } from './sink.ts';
import { createStreamLimits, type StreamLimits } from './stream-limits.ts';
import { createTail, type Tail } from './tail.ts';

/** Proxies close what is silent for a minute, most of them later. */
const HEARTBEAT_MS = 15_000;

export type LiveOptions = Readonly<{
  feed: EventFeed;
  log: Logger;
  lookMs?: number;
  heartbeatMs?: number;
  limits?: Readonly<{ all: number; perKey: number }>;
}>;

/** All streams of one API: they share one look at the mirror, and what is read and written for them. */
export type LiveEvents = Pick<StreamLimits, 'admit'> &
  Readonly<{
    /**
     * Sends a topic's events behind a position until the sink is closed: what there is, then what comes. A build that is
     * over ends its stream. Without a topic there is never anything to send.
     */
    follow(topic: Topic | null, after: number, sink: StreamSink): void;
    /** Ends all streams; their readers come back to whoever answers then. */
    close(): void;
  }>;

type Watcher = Readonly<{ topic: Topic; sink: StreamSink }>;

/** `catching up` watchers read pages of their own; `live` ones, by topic, get what the tail hands out. */
type Hub = Readonly<{
  sinks: Set<StreamSink>;
  live: Map<string, Set<Watcher>>;
  pages: Pages;
  tail: Tail;
}>;

const keyOf = ({ kind, id }: Topic): string => `${kind} ${id}`;

/** Nothing is looked at until the first stream is open. */
export function createLiveEvents({ feed, log, lookMs, heartbeatMs = HEARTBEAT_MS, limits }: LiveOptions): LiveEvents {
  let closed = false;
  const sinks: Hub['sinks'] = new Set();
  const live: Hub['live'] = new Map();
  const streams = createStreamLimits(limits);
  const tellAll = (comment: string): void => {
    for (const sink of sinks) sink.write(`: ${comment}\n\n`);
  };
  const tail = createTail({
    feed,
    lookMs,
    isWatched: () => sinks.size > 0,
    wanted: () => wantedOf(live),
    onRows: (rows) => handOut(live, rows),
    onAway: (error) => {
      if (error === null) log.info('live events go on: the mirror answers again');
      else log.warn({ err: error }, 'live events wait: the mirror does not answer');
      tellAll(error === null ? 'the mirror answers again' : 'the mirror does not answer; events follow when it does');
    },
  });
  const hub: Hub = { sinks, live, pages: createPages(feed), tail };
  const heart = setInterval(() => {
    for (const sink of sinks) sink.beat();
  }, heartbeatMs);
  heart.unref();
  return {
    admit: streams.admit,
    follow: (topic, after, sink) => {
      if (closed) return sink.end();
      sinks.add(sink);
      sink.onClosed(() => sinks.delete(sink));
      // Also without a topic: an outage is told to all alike.
      tail.wake();
      if (topic !== null) void catchUp(hub, { topic, sink }, after);
    },
    close: () => {
      closed = true;
      clearInterval(heart);
      tail.close();
      for (const sink of sinks) sink.end();
    },
  };
}

function wantedOf(live: Hub['live']): { builds: string[]; projects: string[] } {
  const topics = [...live.values()].flatMap(([watcher]) => (watcher ? [watcher.topic] : []));
  const idsOf = (kind: Topic['kind']): string[] => topics.filter((topic) => topic.kind === kind).map(({ id }) => id);
  return { builds: idsOf('build'), projects: idsOf('project') };
}

/** Gives what there is behind a position, a page at a time as the reader takes it, and makes the watcher live. */
async function catchUp({ pages, tail, live }: Hub, watcher: Watcher, from: number): Promise<void> {
  const { topic, sink } = watcher;
  let after = from;
  while (sink.isOpen()) {
    const upTo = tail.position();
    // Another API may have handed out more than this one has looked at.
    if (upTo === null || upTo < after || tail.isReading()) await tail.nextLook();
    else if (upTo === after) return join(live, watcher);
    else {
      const page = await pages(topic, { after, upTo }).catch(() => null);
      if (page === null) await tail.nextLook();
      else {
        sink.write(page.frames);
        if (page.end !== null) sink.end(page.end);
        after = page.position;
        await sink.drained();
      }
    }
  }
}

function join(live: Hub['live'], watcher: Watcher): void {
  const key = keyOf(watcher.topic);
  const group = live.get(key) ?? new Set();
  live.set(key, group.add(watcher));
  watcher.sink.onClosed(() => {
    group.delete(watcher);
    if (group.size === 0 && live.get(key) === group) live.delete(key);
  });
}

/** Every frame is made once, however many watch. */
function handOut(live: Hub['live'], rows: readonly FeedRow[]): void {
  const byTopic = new Map<string, FeedRow[]>();
  for (const row of rows) {
    const topics: Topic[] = [
      { kind: 'build', id: row.workflowId },
      { kind: 'project', id: row.projectId },
    ];
    for (const key of topics.map(keyOf).filter((one) => live.has(one))) {
      const known = byTopic.get(key);
      if (known) known.push(row);
      else byTopic.set(key, [row]);
    }
  }
  for (const [key, own] of byTopic) tell(live.get(key) ?? new Set(), own);
}

function tell(group: ReadonlySet<Watcher>, rows: readonly FeedRow[]): void {
  const [first] = group;
  if (!first) return;
  const { kind } = first.topic;
  const frames = framesOf(rows, kind);
  const end = kind === 'build' ? endOf(rows) : null;
  for (const { sink } of group) {
    sink.write(frames);
    if (end !== null) sink.end(end);
  }
}
