import { describe, expect, it } from 'vitest';
import { historyReply } from '../../src/api/replies.ts';
import { AppError } from '../../src/errors.ts';
import { complete, RESULTS, type Served, serve } from './serve.ts';

const UNKNOWN = '00000000-0000-5000-8000-000000000000';
const PHASES = ['discovery', 'planning', 'implementation', 'testing', 'verification', 'deployment'] as const;

async function read(api: Served, id: string, search = '') {
  const reply = await api.get(`/api/workflows/${id}/history${search}`);
  if (reply.status !== 200) throw new Error(reply.text);
  return historyReply.parse(reply.body);
}

async function built(api: Served): Promise<string> {
  const id = await api.startExternal();
  await complete(api, id, PHASES);
  return id;
}

describe('history', () => {
  it('lists handoffs and events oldest first, and counts both what it gives and what there is', async () => {
    const api = await serve();
    const id = await api.startExternal();
    await complete(api, id, ['discovery', 'planning']);
    const history = await read(api, id);
    expect(history).toMatchObject({ workflow_id: id, handoff_count: 2, total_handoffs: 2, next_cursor: null });
    expect(history.handoffs[0]).toEqual({
      seq: 3,
      from_role: 'q_assistant',
      to_role: 'q_assistant',
      from_state: 'discovery',
      to_state: 'planning',
      timestamp: '2026-01-02T03:04:05.000Z',
      data_transferred: RESULTS.discovery,
      notes: null,
      undone: false,
    });
    expect(history.events.map((event) => event.id)).toEqual(['1.1', '1.2', '1.3', '1.4', '1.5']);
    expect(history.events.map((event) => event.event_type)).toEqual([
      'build_started',
      'phase_started',
      'phase_completed',
      'phase_started',
      'phase_completed',
    ]);
  });

  it.each([0, 3, 5])('is the same however much of it was flushed (%s rows)', async (upToSeq) => {
    const api = await serve();
    const id = await api.startExternal();
    await complete(api, id, ['discovery', 'planning']);
    const before = await read(api, id);
    if (upToSeq > 0) api.mirror.flush(api.heldBuild(id), upToSeq);
    expect(await read(api, id)).toEqual(before);
  });

  it.each(['workflow', 'both', 'mirror'])('gives every row once, page by page, with rows in the %s', async (where) => {
    const api = await serve();
    const id = await built(api);
    api.heldBuild(id).ending = where === 'mirror' ? 'completed' : null;
    if (where !== 'workflow') api.mirror.flush(api.heldBuild(id), where === 'both' ? 7 : undefined);
    const whole = await read(api, id);
    const events: string[] = [];
    const handoffs: number[] = [];
    let cursor: string | null = null;
    let pages = 0;
    do {
      const search: string = `?limit=2${cursor === null ? '' : `&cursor=${cursor}`}`;
      const page = await read(api, id, search);
      expect(page.events.length).toBeLessThanOrEqual(2);
      expect(page.handoff_count).toBe(page.handoffs.length);
      expect(page.total_handoffs).toBe(5);
      events.push(...page.events.map((event) => event.id));
      handoffs.push(...page.handoffs.map(({ seq }) => seq));
      cursor = page.next_cursor;
      pages += 1;
    } while (cursor !== null && pages < 100);
    expect(events).toEqual(whole.events.map((event) => event.id));
    expect(handoffs).toEqual(whole.handoffs.map(({ seq }) => seq));
    expect(pages).toBe(Math.ceil(events.length / 2));
  });

  it('gives fifty of each list unless another limit is asked for', async () => {
    const api = await serve();
    const id = await api.startExternal();
    for (let n = 0; n < 30; n += 1) {
      await api.post(`/api/workflows/${id}/rollback`, { target_state: 'discovery', reason: `again ${n}` });
    }
    expect((await read(api, id)).events).toHaveLength(50);
    expect((await read(api, id, '?limit=500')).events).toHaveLength(62);
  });

  it.each([
    ['limit=0', 'limit'],
    ['limit=501', 'limit'],
    ['limit=ten', 'limit'],
    ['limit=1&limit=2', 'limit'],
    ['cursor=xyz', 'cursor'],
    ['cursor=', 'cursor'],
    [`cursor=${Buffer.from('[[1,2147483648],null]').toString('base64url')}`, 'cursor'],
    ['cursor=x&cursor=y', 'cursor'],
    ['page=2', 'page'],
  ])('with ?%s is 400', async (search, place) => {
    const api = await serve();
    const id = await api.startExternal();
    const reply = await api.get(`/api/workflows/${id}/history?${search}`);
    expect(reply.body).toMatchObject({ status: 400, code: 'invalid_body', faults: [{ at: place }] });
  });
});

describe('history after a reset', () => {
  it('keeps the rows that were undone, marked, before those of the new branch', async () => {
    const api = await serve();
    const id = await api.startExternal();
    await complete(api, id, ['discovery', 'planning']);
    const held = api.heldBuild(id);
    api.mirror.flush(held);
    const [, , third, fourth, fifth] = held.rows;
    if (!third || !fourth || !fifth) throw new Error('rows are missing');
    // Reset to just after row 2: the new branch does the third row again, differently.
    held.branch = 'second';
    held.rows = [...held.rows.slice(0, 2), { ...third, data: { redone: true } }];
    held.flushedSeq = 2;
    const history = await read(api, id);
    expect(history.events.map((event) => [event.id, event.undone])).toEqual([
      ['1.1', false],
      ['1.2', false],
      ['1.3', true],
      ['1.4', true],
      ['1.5', true],
      ['2.3', false],
    ]);
    expect(history.total_handoffs).toBe(3);
    const status = await api.get(`/api/workflows/${id}/status`);
    expect(status.body.handoff_history).toHaveLength(1);
  });
});

describe('history while a part is away', () => {
  it('comes from the mirror when no worker answers', async () => {
    const api = await serve();
    const id = await api.startExternal();
    api.mirror.flush(api.heldBuild(id));
    api.builds.silent = new AppError('no_worker', 'No worker answered in time.', { retryAfterS: 5 });
    expect((await read(api, id)).events).toHaveLength(2);
  });

  it('is empty when no worker answers and the mirror does not know the build yet', async () => {
    const api = await serve();
    const id = await api.startExternal();
    api.builds.silent = new AppError('no_worker', 'No worker answered in time.', { retryAfterS: 5 });
    expect(await read(api, id)).toMatchObject({ handoff_count: 0, total_handoffs: 0, events: [] });
  });

  it('comes whole from the workflow when the mirror is away and nothing was flushed', async () => {
    const api = await serve();
    const id = await api.startExternal();
    api.mirror.mood = 'refuses';
    expect((await read(api, id)).events).toHaveLength(2);
  });

  it('is 503, not half of it, when the mirror is away and has rows that nobody else has', async () => {
    const api = await serve();
    const id = await api.startExternal();
    api.mirror.flush(api.heldBuild(id));
    await complete(api, id, ['discovery']);
    api.mirror.mood = 'refuses';
    const reply = await api.get(`/api/workflows/${id}/history`);
    expect(reply.body).toMatchObject({ status: 503, code: 'mirror_unavailable' });
  });

  it('is 404 for a build that nobody knows', async () => {
    const api = await serve();
    expect((await api.get(`/api/workflows/${UNKNOWN}/history`)).body).toMatchObject({ status: 404, code: 'not_found' });
    expect((await api.get('/api/workflows/else/history')).body).toMatchObject({ status: 404, code: 'not_found' });
  });
});
