import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readApiKeys } from '../../../src/api-keys.ts';
import { eventually } from '../../eventually.ts';
import { type EventReader, readEvents } from '../event-reader.ts';
import { type Served, serve } from '../serve.ts';

const PROJECT = '/api/workflows/project/shop/events';
const open = (api: Served, headers: Record<string, string> = {}, path = PROJECT): Promise<EventReader> =>
  readEvents(`${api.server.url}${path}`, headers);
const untilIds = (reader: EventReader, ids: readonly string[]) => eventually(() => expect(reader.ids()).toEqual(ids));
const add = (api: Served, count = 1): void => {
  for (let n = 0; n < count; n += 1) api.feed.add({ workflowId: 'w' });
};
const count = (api: Served, name: string): number => api.feed.asked.filter((asked) => asked === name).length;

type TakesNothing = Readonly<{ isOver(): boolean; gone(): Promise<void> }>;

/** A reader that asks for the stream and then takes nothing of it. `gone`: the server has cut it off. */
async function openWithoutReading(api: Served, path = PROJECT): Promise<TakesNothing> {
  const socket = connect(api.server.port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => undefined);
  socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Request-Id: takes-nothing\r\n\r\n`);
  await new Promise((resolve) => socket.once('readable', resolve));
  // A paused socket never hears of its end; the server logs a call when it is over.
  const isOver = (): boolean => api.logged.some((line) => line.includes('takes-nothing'));
  return { isOver, gone: () => eventually(() => expect(isOver()).toBe(true)) };
}

const LARGE = { text: 'x'.repeat(1_000_000) };
/** More than the system takes on behalf of a reader (about 10 MB), in one page. */
const addTooMuch = (api: Served, workflowId = 'w'): void => {
  for (let n = 0; n < 180; n += 1) api.feed.add({ workflowId, data: { text: 'x'.repeat(100_000) } });
};

describe('many watchers', () => {
  it('share every look and every page: what is asked of the mirror does not grow with them', async () => {
    const api = await serve({}, { lookMs: 20 });
    add(api, 5);
    // However long it takes until all are there, none is served before the last.
    const serveAll = api.feed.hold('page');
    const readers = await Promise.all(Array.from({ length: 60 }, () => open(api)));
    serveAll();
    for (const reader of readers) await untilIds(reader, ['1', '2', '3', '4', '5']);
    const pages = count(api, 'page');
    expect(pages).toBeLessThan(10);
    add(api, 2);
    for (const reader of readers) await untilIds(reader, ['1', '2', '3', '4', '5', '6', '7']);
    expect(count(api, 'rows')).toBe(1);
    expect(count(api, 'page')).toBe(pages);
  });

  it('are none: nothing is asked, and nothing before the first', async () => {
    const api = await serve();
    add(api);
    expect(api.feed.asked).toEqual([]);
    const reader = await open(api);
    await untilIds(reader, ['1']);
    reader.close();
    const asked = await eventually(() => {
      const before = api.feed.asked.length;
      return new Promise<number>((resolve, reject) => {
        setTimeout(() => (api.feed.asked.length === before ? resolve(before) : reject(new Error('still asks'))), 50);
      });
    });
    add(api, 2);
    await untilIds(await open(api), ['1', '2', '3']);
    expect(api.feed.asked.length).toBeGreaterThan(asked);
  });

  it('who come at any time get each event once and in order', async () => {
    const api = await serve({}, { lookMs: 1 });
    const readers: EventReader[] = [];
    for (let round = 0; round < 40; round += 1) {
      add(api, 7);
      readers.push(await open(api, round % 2 === 0 ? {} : { 'last-event-id': String(round * 3) }));
    }
    for (const [round, reader] of readers.entries()) {
      const after = round % 2 === 0 ? 0 : round * 3;
      await untilIds(
        reader,
        Array.from({ length: 280 - after }, (_, index) => String(after + index + 1)),
      );
    }
  });
});

describe('a watcher who comes while rows are read for others', () => {
  it('gets those of them that are its own', async () => {
    const api = await serve();
    add(api);
    const reader = await open(api);
    await untilIds(reader, ['1']);
    const release = api.feed.hold('rows');
    add(api);
    api.feed.add({ workflowId: 'v', projectId: 'other' });
    await eventually(() => expect(count(api, 'rows')).toBe(1));
    const newcomer = await open(api, { 'last-event-id': '1' }, '/api/workflows/project/other/events');
    release();
    await untilIds(reader, ['1', '2']);
    await untilIds(newcomer, ['3']);
  });
});

describe('rows that become visible out of order', () => {
  it('wait for those before them, also for who comes meanwhile', async () => {
    const api = await serve();
    add(api, 2);
    const reader = await open(api);
    await untilIds(reader, ['1', '2']);
    api.feed.writing = ['other', 'late'];
    api.feed.add({ workflowId: 'quick', position: 5 });
    const looks = count(api, 'writers');
    await eventually(() => expect(count(api, 'writers')).toBeGreaterThan(looks + 3));
    const newcomer = await open(api);
    await untilIds(newcomer, ['1', '2']);
    api.feed.writing = ['late'];
    await eventually(() => expect(count(api, 'writers')).toBeGreaterThan(looks + 6));
    expect(reader.ids()).toEqual(['1', '2']);
    api.feed.add({ workflowId: 'late', position: 3 });
    api.feed.add({ workflowId: 'late', position: 4 });
    api.feed.writing = ['next'];
    for (const each of [reader, newcomer]) await untilIds(each, ['1', '2', '3', '4', '5']);
  });

  it('are not sent again to a reader whom another API was ahead with', async () => {
    const api = await serve();
    add(api, 2);
    const local = await open(api);
    await untilIds(local, ['1', '2']);
    api.feed.writing = ['late'];
    add(api, 3);
    // The other API has seen that `late` holds no lower position.
    const moved = await open(api, { 'last-event-id': '4' });
    api.feed.writing = [];
    await untilIds(local, ['1', '2', '3', '4', '5']);
    await untilIds(moved, ['5']);
  });
});

describe('a reader that takes nothing', () => {
  it('is cut off when too much waits for it, while others go on', async () => {
    const api = await serve();
    add(api);
    const reader = await open(api);
    const slow = await openWithoutReading(api);
    await untilIds(reader, ['1']);
    const sent = ['1'];
    // As fast as the other one reads: on a busy machine it would be behind as well.
    while (!slow.isOver()) {
      api.feed.add({ workflowId: 'w', data: LARGE });
      sent.push(String(sent.length + 1));
      await untilIds(reader, sent);
    }
  });

  it('is cut off when it stays so while it catches up; until then no more than a page waits for it', async () => {
    const api = await serve({}, { heartbeatMs: 50 });
    for (const workflowId of ['v', 'w']) addTooMuch(api, workflowId);
    const slow = await openWithoutReading(api);
    await slow.gone();
    expect(count(api, 'page')).toBe(1);
  });

  it('is cut off also behind its last event', async () => {
    const api = await serve({}, { heartbeatMs: 50 });
    const id = randomUUID();
    addTooMuch(api, id);
    api.feed.add({ workflowId: id, ending: 'complete' });
    const slow = await openWithoutReading(api, `/api/workflows/${id}/events`);
    await slow.gone();
  });
});

describe('a silent stream', () => {
  it('is kept open by comments', async () => {
    const api = await serve({}, { heartbeatMs: 10 });
    const reader = await open(api);
    await eventually(() => expect(reader.comments.length).toBeGreaterThan(2));
    expect(new Set(reader.comments)).toEqual(new Set(['']));
  });
});

describe('streams over the limit', () => {
  it('of the server are 503, until one of the others ends', async () => {
    const api = await serve({}, { limits: { all: 2, perKey: 2 } });
    const [first] = await Promise.all([open(api), open(api)]);
    const refused = await api.get(PROJECT);
    expect(refused.body).toMatchObject({ status: 503, code: 'streams_exhausted' });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await api.get('/healthz')).status).toBe(200);
    first?.close();
    await eventually(async () => expect((await open(api)).status).toBe(200));
  });

  it('of a key are 429, and leave room for other keys', async () => {
    const { keys } = readApiKeys('ann:secret-of-ann,bob:secret-of-bob');
    const api = await serve({ keys }, { limits: { all: 3, perKey: 1 } });
    const as = (name: string) => ({ authorization: `Bearer secret-of-${name}` });
    const own = await open(api, as('ann'));
    expect((await api.get(PROJECT, as('ann'))).body).toMatchObject({ status: 429, code: 'too_many_streams' });
    expect((await open(api, as('bob'))).status).toBe(200);
    own.close();
    await eventually(async () => expect((await open(api, as('ann'))).status).toBe(200));
  });

  it('do not count what was refused or has nothing to say', async () => {
    const api = await serve({}, { limits: { all: 1, perKey: 1 } });
    for (let n = 0; n < 3; n += 1) {
      expect((await api.get('/api/workflows/none/events')).status).toBe(404);
      expect((await api.send(PROJECT, { method: 'HEAD' })).status).toBe(200);
    }
    await eventually(async () => expect((await open(api)).status).toBe(200));
  });
});

describe('a shutdown', () => {
  it('ends open streams, and is not held up by them', async () => {
    const api = await serve();
    add(api);
    const readers = await Promise.all(Array.from({ length: 20 }, () => open(api)));
    for (const reader of readers) await untilIds(reader, ['1']);
    api.live.close();
    await Promise.all([api.server.close(), ...readers.map(({ ended }) => ended)]);
    const asked = api.feed.asked.length;
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(api.feed.asked.length).toBe(asked);
  });

  it('ends a stream that is opened meanwhile, and one that takes nothing', async () => {
    const api = await serve();
    addTooMuch(api);
    const slow = await openWithoutReading(api);
    await eventually(() => expect(count(api, 'page')).toBe(1));
    api.live.close();
    await (await open(api)).ended;
    await api.server.close();
    await slow.gone();
  });
});
