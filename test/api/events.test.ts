import { describe, expect, it } from 'vitest';
import { liveEvent, streamEnd } from '../../src/api/replies.ts';
import { readApiKeys } from '../../src/api-keys.ts';
import { AppError } from '../../src/errors.ts';
import { PHASES } from '../../src/machine/states.ts';
import { eventually } from '../eventually.ts';
import { type EventReader, readEvents } from './event-reader.ts';
import { complete, type Served, serve } from './serve.ts';

const UNKNOWN = '0d7e5b7e-52a4-5d0b-9a66-0c4d8e5b2f19';
const ofBuild = (id: string): string => `/api/workflows/${id}/events`;
const ofProject = (id: string): string => `/api/workflows/project/${id}/events`;
const open = (api: Served, path: string, headers: Record<string, string> = {}): Promise<EventReader> =>
  readEvents(`${api.server.url}${path}`, headers);
const behind = (id: string) => ({ 'last-event-id': id });
const untilIds = (reader: EventReader, ids: readonly (string | undefined)[]) =>
  eventually(() => expect(reader.ids()).toEqual(ids));

/** A build of which all is flushed, up to the end of the given phases. */
async function flushedBuild(api: Served, phases: Parameters<typeof complete>[2] = [], buildId = 'build-1') {
  const id = await api.startExternal(buildId);
  await complete(api, id, phases);
  api.mirror.flush(api.heldBuild(id));
  return id;
}

const numbers = (first: number, last: number): string[] =>
  Array.from({ length: last - first + 1 }, (_, index) => `1.${first + index}`);

describe('the stream of a build', () => {
  it('gives each event with its id, its type as the name, and what the history tells of it', async () => {
    const api = await serve();
    const id = await flushedBuild(api, ['discovery', 'planning']);
    const { body } = await api.get(`/api/workflows/${id}/history`);
    const [events, handoffs] = [body.events, body.handoffs] as Record<string, unknown>[][];
    const reader = await open(api, ofBuild(id));
    await eventually(() => expect(reader.events).toHaveLength(events?.length ?? 0));
    expect(reader.events).toEqual(
      events?.map((event) => {
        const handoff = handoffs?.find(({ seq }) => seq === event.seq) ?? null;
        return { id: event.id, event: event.event_type, data: { workflow_id: id, ...event, handoff } };
      }),
    );
    expect(reader.events.filter(({ data }) => data.handoff !== null)).toHaveLength(2);
    for (const { data } of reader.events) expect(liveEvent.parse(data)).toEqual(data);
    expect(reader.text()).toMatch(
      /^retry: \d+\n\nid: 1\.1\nevent: build_started\ndata: \{"workflow_id":[^\n]*\}\n\nid: 1\.2\n/,
    );
  });

  it('says what intermediaries must know, also to a HEAD, which ends', async () => {
    const api = await serve();
    const id = await flushedBuild(api);
    const expected = {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    };
    const { status, headers } = await open(api, ofBuild(id));
    expect([status, Object.fromEntries(headers)]).toEqual([200, expect.objectContaining(expected)]);
    const head = await api.send(ofBuild(id), { method: 'HEAD' });
    expect([head.status, Object.fromEntries(head.headers), head.text]).toEqual([
      200,
      expect.objectContaining(expected),
      '',
    ]);
  });

  it('goes on with what is flushed later', async () => {
    const api = await serve();
    const id = await flushedBuild(api);
    const reader = await open(api, ofBuild(id));
    await untilIds(reader, numbers(1, 2));
    await complete(api, id, ['discovery']);
    api.mirror.flush(api.heldBuild(id));
    await untilIds(reader, numbers(1, 4));
  });

  it('begins behind the Last-Event-ID, also in a generation that a reset began', async () => {
    const api = await serve();
    const id = await flushedBuild(api, ['discovery']);
    const held = api.heldBuild(id);
    held.branch = 'second';
    held.flushedSeq = 2;
    api.mirror.flush(held);
    const all = [...numbers(1, 4), '2.3', '2.4'];
    await untilIds(await open(api, ofBuild(id)), all);
    for (const [index, last] of all.entries()) {
      await untilIds(await open(api, ofBuild(id), behind(last)), all.slice(index + 1));
    }
    // No event has this id: what is behind its place follows.
    await untilIds(await open(api, ofBuild(id), behind('1.77')), ['2.3', '2.4']);
  });

  it('takes the id from the address where there is no header, and the header where there is', async () => {
    const api = await serve();
    const id = await flushedBuild(api, ['discovery']);
    await untilIds(await open(api, `${ofBuild(id)}?last_event_id=1.3`), ['1.4']);
    await untilIds(await open(api, `${ofBuild(id)}?last_event_id=1.1`, behind('1.2')), ['1.3', '1.4']);
    await untilIds(await open(api, `${ofBuild(id)}?last_event_id=1.2`, behind('')), ['1.3', '1.4']);
  });

  it('ends with `end` when the build is over; a reconnect behind its last event is 204', async () => {
    const api = await serve();
    const id = await flushedBuild(api, PHASES);
    const reader = await open(api, ofBuild(id));
    await reader.ended;
    const end = reader.events.at(-1);
    expect(end).toEqual({ id: undefined, event: 'end', data: { workflow_id: id, status: 'complete' } });
    expect(streamEnd.parse(end?.data)).toEqual(end?.data);
    expect(reader.ids().slice(0, -1)).toEqual(numbers(1, reader.events.length - 1));
    const last = reader.ids().at(-2) ?? '';
    const before = reader.ids().at(-3) ?? '';
    expect(await api.get(ofBuild(id), behind(last))).toMatchObject({ status: 204, text: '' });
    const late = await open(api, ofBuild(id), behind(before));
    await late.ended;
    expect(late.events.map(({ event }) => event)).toEqual(['completed', 'end']);
  });

  it('ends for all that are live when the build does', async () => {
    const api = await serve();
    const id = await flushedBuild(api);
    const readers = await Promise.all([open(api, ofBuild(id)), open(api, ofBuild(id))]);
    for (const reader of readers) await untilIds(reader, numbers(1, 2));
    await api.post(`/api/workflows/${id}/abort`, { reason: 'enough' });
    api.mirror.flush(api.heldBuild(id));
    await Promise.all(readers.map(({ ended }) => ended));
    for (const { events } of readers) expect(events.at(-1)?.data).toEqual({ workflow_id: id, status: 'cancelled' });
  });

  it('of a build that the mirror does not know yet waits for it; of one that nobody knows it is 404', async () => {
    const api = await serve();
    const id = await api.startExternal();
    const reader = await open(api, ofBuild(id));
    expect(reader.status).toBe(200);
    api.mirror.flush(api.heldBuild(id));
    await untilIds(reader, numbers(1, 2));
    expect((await api.get(ofBuild(UNKNOWN))).body).toMatchObject({ status: 404, code: 'not_found' });
    expect((await api.get(ofBuild('else'))).body).toMatchObject({ status: 404, code: 'not_found' });
  });

  it('of a build that the mirror does not know is 503 while Temporal is away', async () => {
    const api = await serve();
    api.builds.fault = new AppError('temporal_unreachable', 'Temporal is away', { retryAfterS: 5 });
    expect((await api.get(ofBuild(UNKNOWN))).body).toMatchObject({ status: 503, code: 'temporal_unreachable' });
  });
});

describe('the stream of a project', () => {
  it('gives the events of its builds, of each in their order, under ids of its own', async () => {
    const api = await serve();
    const [one, two] = [await flushedBuild(api, [], 'one'), await flushedBuild(api, [], 'two')];
    api.feed.add({ workflowId: 'other', projectId: 'else' });
    const reader = await open(api, ofProject('shop'));
    await eventually(() => expect(reader.events).toHaveLength(4));
    await complete(api, one, ['discovery']);
    api.mirror.flush(api.heldBuild(one));
    await eventually(() => expect(reader.events).toHaveLength(6));
    expect(reader.events.map(({ data }) => [data.workflow_id, data.id])).toEqual([
      ...[one, two].flatMap((id) => numbers(1, 2).map((number) => [id, number])),
      ...numbers(3, 4).map((number) => [one, number]),
    ]);
    for (const { data } of reader.events) expect(liveEvent.parse(data)).toEqual(data);
    for (const [index, id] of reader.ids().entries()) {
      const again = await open(api, ofProject('shop'), behind(id ?? ''));
      await untilIds(again, reader.ids().slice(index + 1));
    }
  });

  it('goes on when one of its builds is over', async () => {
    const api = await serve();
    const over = await flushedBuild(api, PHASES, 'over');
    const reader = await open(api, ofProject('shop'));
    await eventually(() => expect(reader.events.at(-1)?.event).toBe('completed'));
    const next = await flushedBuild(api, [], 'next');
    await eventually(() => expect(reader.events.at(-1)?.data).toMatchObject({ workflow_id: next, id: '1.2' }));
    expect(reader.events.filter(({ data }) => data.workflow_id === over).at(-1)?.data.event_type).toBe('completed');
  });

  it('behind an id that was never sent begins with what comes next', async () => {
    const api = await serve();
    await flushedBuild(api);
    const reader = await open(api, ofProject('shop'), behind('999'));
    await eventually(() => expect(api.feed.asked).toContain('writers'));
    await flushedBuild(api, [], 'next');
    await untilIds(reader, ['3', '4']);
  });
});

const PATHS = [ofBuild(UNKNOWN), ofProject('shop')] as const;
const BAD_IDS = ['0.1', '1.0', '1', '1.x', 'x.1', '1.1.1', '-1.2', '1.1234567890', ' ', '01.1', '1,1'];
const BAD_POSITIONS = ['1.1', 'x', '-1', '01', '1e3', '1234567890123456', '0x1'];

describe('an id that is none', () => {
  it.each([...BAD_IDS.map((id) => [PATHS[0], id] as const), ...BAD_POSITIONS.map((id) => [PATHS[1], id] as const)])(
    'is 400 at %s: %j',
    async (path, id) => {
      const api = await serve();
      const query = await api.get(`${path}?last_event_id=${encodeURIComponent(id)}`);
      expect(query.body).toMatchObject({ code: 'invalid_body', faults: [{ at: 'last_event_id' }] });
      if (id.trim() === '') return;
      const header = await api.get(path, behind(id));
      expect(header.body).toMatchObject({ status: 400, code: 'invalid_body', faults: [{ at: 'Last-Event-ID' }] });
    },
  );

  it('is told with all other faults of the call', async () => {
    const api = await serve();
    const reply = await api.get('/api/workflows/%09/events?last_event_id=x', behind('y'));
    expect(reply.body.faults).toMatchObject([{ at: 'workflow_id' }, { at: 'last_event_id' }, { at: 'Last-Event-ID' }]);
  });
});

describe('while Postgres is away', () => {
  it.each(['refuses', 'hangs'] as const)('a new stream is 503 (%s)', async (mood) => {
    const api = await serve();
    const id = await flushedBuild(api);
    api.mirror.mood = mood;
    for (const path of [ofBuild(id), ofProject('shop'), ofProject('none')]) {
      const reply = await api.get(path);
      expect(reply.body).toMatchObject({ status: 503, code: 'mirror_unavailable' });
      expect(Number(reply.headers.get('retry-after'))).toBeGreaterThan(0);
    }
  });

  it('an open stream says so, stays open, and goes on when it is back', async () => {
    const api = await serve();
    const id = await flushedBuild(api);
    const reader = await open(api, ofBuild(id));
    await untilIds(reader, numbers(1, 2));
    api.mirror.mood = 'refuses';
    await eventually(() => expect(reader.comments).toEqual([expect.stringContaining('does not answer')]));
    await complete(api, id, ['discovery']);
    api.mirror.flush(api.heldBuild(id));
    api.mirror.mood = 'answers';
    await untilIds(reader, numbers(1, 4));
    expect(reader.comments).toHaveLength(2);
    expect(api.logged.filter((line) => line.includes('live events wait'))).toHaveLength(1);
  });
});

describe('a key that is bound to projects', () => {
  const { keys } = readApiKeys('all:secret-of-all,web(project=web):secret-of-web');
  const as = (name: string) => ({ authorization: `Bearer secret-of-${name}` });

  it('hears of a foreign project byte for byte what it hears of none', async () => {
    const api = await serve({ keys }, { heartbeatMs: 20 });
    api.feed.add({ workflowId: 'w', projectId: 'shop' });
    const [foreign, none, allowed] = await Promise.all([
      open(api, ofProject('shop'), as('web')),
      open(api, ofProject('none'), as('web')),
      open(api, ofProject('shop'), as('all')),
    ]);
    api.feed.add({ workflowId: 'w', projectId: 'shop' });
    await untilIds(allowed, ['1', '2']);
    await eventually(() => expect(foreign.comments.length).toBeGreaterThan(1));
    await eventually(() => expect(none.comments.length).toBeGreaterThan(1));
    const bytes = ({ text }: EventReader): string => text().replace(/(:\n\n)+$/, 'heartbeats');
    expect(bytes(foreign)).toBe(bytes(none));
    expect([foreign.status, none.status, foreign.events]).toEqual([200, 200, []]);
    const told = ({ headers }: EventReader) => {
      const { 'x-request-id': _, date: __, ...rest } = Object.fromEntries(headers);
      return rest;
    };
    expect(told(foreign)).toEqual(told(none));
    const bad = await Promise.all(
      ['shop', 'none'].map((id) => api.get(ofProject(id), { ...as('web'), ...behind('x') })),
    );
    expect(bad[0]?.body).toEqual(bad[1]?.body);
  });

  it.each(['shop', 'none'])('hears of an outage on the stream of %s alike', async (project) => {
    const api = await serve({ keys });
    const reader = await open(api, ofProject(project), as('web'));
    api.mirror.mood = 'refuses';
    await eventually(() => expect(reader.comments).toEqual([expect.stringContaining('does not answer')]));
  });
});
