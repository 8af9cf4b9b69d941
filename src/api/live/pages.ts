import type { EventFeed, Stretch, Topic } from './feed.ts';
import { endOf, framesOf } from './frames.ts';

/** A part of what a topic's watcher has missed. */
export type Page = Readonly<{
  frames: Buffer;
  /** All of the topic up to here is in this page or before it. */
  position: number;
  /** What is said at last, where the topic is a build that is over. */
  end: string | null;
}>;

const PAGE_ROWS = 200;
/** Many come at about the same time, after a restart of another server. What a settled page says hardly ever changes. */
const KEPT_MS = 1_000;
/** So that many who catch up leave connections for those who are live. */
const LOADS_AT_ONCE = 2;

export type Pages = (topic: Topic, where: Stretch) => Promise<Page>;

async function load(feed: EventFeed, topic: Topic, where: Stretch): Promise<Page> {
  const rows = await feed.page(topic, where, PAGE_ROWS);
  const last = rows.at(-1);
  return {
    frames: framesOf(rows, topic.kind),
    position: last && rows.length === PAGE_ROWS ? last.position : where.upTo,
    end: topic.kind === 'build' ? endOf(rows) : null,
  };
}

/** Loads pages; those who want the same one at about the same time share it. */
export function createPages(feed: EventFeed): Pages {
  const recent = new Map<string, Promise<Page>>();
  const queue: (() => void)[] = [];
  let loads = 0;
  const inTurn = async <T>(work: () => Promise<T>): Promise<T> => {
    if (loads >= LOADS_AT_ONCE) await new Promise<void>((resolve) => queue.push(resolve));
    else loads += 1;
    try {
      return await work();
    } finally {
      const next = queue.shift();
      if (next) next();
      else loads -= 1;
    }
  };
  return (topic, where) => {
    const key = JSON.stringify([topic.kind, topic.id, where.after, where.upTo]);
    const known = recent.get(key);
    if (known !== undefined) return known;
    const forget = (): boolean => recent.delete(key);
    const page = inTurn(() => load(feed, topic, where));
    page.then(() => setTimeout(forget, KEPT_MS).unref(), forget);
    recent.set(key, page);
    return page;
  };
}
