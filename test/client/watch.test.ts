import { describe, expect, it } from 'vitest';
import { ApiError } from '../../src/client/api-error.ts';
import type { EventReply, HandoffReply, HistoryReply, StatusReply, StreamedEvent } from '../../src/client/client.ts';
import { type WatchedRow, watch } from '../../src/client/watch.ts';

const AT = '2026-01-02T03:04:05.000Z';
const event = (seq: number, type = 'phase_started', id = `1.${seq}`): EventReply => ({
  ...{ id, seq, event_type: type, triggered_by: 'system', event_data: {}, timestamp: AT, undone: false },
});
const handoff = (seq: number): HandoffReply => ({
  ...{ seq, from_role: 'q_assistant', to_role: 'code_writer', from_state: 'planning', to_state: 'handoff_to_coder' },
  ...{ timestamp: AT, data_transferred: {}, notes: null, undone: false },
});

type Step = Partial<HistoryReply> | ApiError;
type Ending = Pick<StatusReply, 'status' | 'source'>;

/** What one connection gives; it breaks off behind that, unless it waits or the build is over. */
type Connection = Readonly<{ events: readonly EventReply[]; afterwards: 'breaks' | 'waits' | 'over' }>;

/** An API that gives the steps one after the other, the last one again and again. Without connections none comes about. */
function scripted(
  steps: readonly Step[],
  endings: readonly Ending[] = [{ status: 'complete', source: 'mirror' }],
  connections: readonly Connection[] = [],
) {
  const connectedBehind: (string | null | undefined)[] = [];
  const signals: AbortSignal[] = [];
  const cursors: (string | null | undefined)[] = [];
  let looks = 0;
  let asked = 0;
  const at = <T>(list: readonly T[], index: number): T => list[Math.min(index, list.length - 1)] as T;
  async function* events(
    _id: string,
    { lastEventId, signal }: { lastEventId?: string | null; signal?: AbortSignal | undefined } = {},
  ): AsyncGenerator<StreamedEvent, void> {
    const connection = connections[connectedBehind.length];
    connectedBehind.push(lastEventId);
    if (signal) signals.push(signal);
    for (const row of connection?.events ?? []) {
      yield { id: row.id, event: { ...row, workflow_id: 'w', handoff: row.seq === 2 ? handoff(2) : null } };
    }
    if (connection?.afterwards === 'over') return;
    if (connection?.afterwards === 'waits') await new Promise((resolve) => signal?.addEventListener('abort', resolve));
    throw new ApiError('broke off', { code: 'unreachable' });
  }
  return {
    cursors,
    connectedBehind,
    signals,
    events,
    looks: () => looks,
    history: async (_id: string, page: { cursor?: string | null } = {}): Promise<HistoryReply> => {
      cursors.push(page.cursor);
      const step = at(steps, looks++);
      if (step instanceof ApiError) throw step;
      const empty = { workflow_id: 'w', handoff_count: 0, total_handoffs: 0, handoffs: [], events: [] };
      return { ...empty, next_cursor: null, ...step };
    },
    status: async () => at(endings, asked++) as StatusReply,
  };
}

async function collect(client: ReturnType<typeof scripted>, patienceMs = 60_000): Promise<WatchedRow[]> {
  const rows: WatchedRow[] = [];
  for await (const row of watch(client, 'w', { pollMs: 1, patienceMs })) rows.push(row);
  return rows;
}

const seqs = (rows: readonly WatchedRow[]): number[] => rows.map(({ seq }) => seq);
const passing = (code: 'unreachable' | 'mirror_unavailable' = 'unreachable'): ApiError =>
  new ApiError('away', { code });

describe('watching a build', () => {
  it('gives every row once, in order, though its looks overlap', async () => {
    const [one, two, three] = [event(1), event(2), event(3, 'completed')];
    const client = scripted([{ events: [one] }, { events: [one, two] }, { events: [one, two, three] }]);
    expect(seqs(await collect(client))).toEqual([1, 2, 3]);
  });

  it('goes on behind a full page with its cursor, and stays there while it is the last', async () => {
    const client = scripted([
      { events: [event(1)], next_cursor: 'c1' },
      { events: [event(2)], next_cursor: null },
      { events: [event(2), event(3, 'completed')], next_cursor: null },
    ]);
    expect(seqs(await collect(client))).toEqual([1, 2, 3]);
    expect(client.cursors.slice(0, 3)).toEqual([null, 'c1', 'c1']);
  });

  it('joins a row with the handoff it made, also when an earlier page had brought that', async () => {
    const client = scripted([
      { events: [event(1)], handoffs: [handoff(2)], next_cursor: 'c1' },
      { events: [event(2, 'phase_completed'), event(3, 'completed')] },
    ]);
    expect((await collect(client)).map((row) => row.handoff?.seq ?? null)).toEqual([null, 2, null]);
  });

  it('tells rows of two branches apart that have the same number', async () => {
    const client = scripted([{ events: [event(1), event(1, 'phase_started', '2.1'), event(2, 'completed', '2.2')] }]);
    expect((await collect(client)).map(({ id }) => id)).toEqual(['1.1', '2.1', '2.2']);
  });

  it('waits for what follows an abort until the workflow itself is over', async () => {
    const aborted = [event(1), event(2, 'aborted')];
    const client = scripted(
      [{ events: aborted }, { events: aborted }, { events: [...aborted, event(3, 'late_result')] }],
      [
        { status: 'cancelled', source: 'workflow' },
        { status: 'cancelled', source: 'mirror' },
      ],
    );
    expect(seqs(await collect(client))).toEqual([1, 2, 3]);
  });

  it('ends when a build was terminated, which leaves no last row', async () => {
    const client = scripted([{ events: [event(1)] }], [{ status: 'cancelled', source: 'mirror' }]);
    expect(seqs(await collect(client))).toEqual([1]);
  });

  it('goes on watching a parked build', async () => {
    const parked = [event(1, 'parked')];
    const waiting = Array.from({ length: 30 }, () => ({ events: parked }));
    const client = scripted(
      [...waiting, { events: [...parked, event(2, 'completed')] }],
      [
        ...Array.from({ length: 2 }, () => ({ status: 'error', source: 'workflow' }) as const),
        { status: 'complete', source: 'mirror' },
      ],
    );
    expect(seqs(await collect(client))).toEqual([1, 2]);
  });

  it('outlasts an API that is away for a while', async () => {
    const client = scripted([
      { events: [event(1)] },
      passing(),
      passing('mirror_unavailable'),
      { events: [event(1), event(2, 'completed')] },
    ]);
    expect(seqs(await collect(client))).toEqual([1, 2]);
  });

  it('does not wait for an API that never answered', async () => {
    const client = scripted([passing()]);
    await expect(collect(client)).rejects.toMatchObject({ code: 'unreachable' });
    expect(client.looks()).toBe(1);
  });

  it('gives up an API that stays away', async () => {
    const client = scripted([{ events: [event(1)] }, passing()]);
    await expect(collect(client, 20)).rejects.toMatchObject({ code: 'unreachable' });
  });

  it('does not repeat a call that was refused', async () => {
    const client = scripted([{ events: [event(1)] }, new ApiError('no', { code: 'not_found' })]);
    await expect(collect(client)).rejects.toMatchObject({ code: 'not_found' });
    expect(client.looks()).toBe(2);
  });

  it('ends with the reason of its signal', async () => {
    const controller = new AbortController();
    const reason = new Error('seen enough');
    const rows = watch(scripted([{ events: [event(1)] }], [{ status: 'in_progress', source: 'workflow' }]), 'w', {
      signal: controller.signal,
      pollMs: 60_000,
    });
    await rows.next();
    const waiting = rows.next();
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
  });
});

describe('watching a build live', () => {
  const first = { events: [event(1)] };
  const all = { events: [event(1), event(2), event(3, 'completed')] };

  it('gives the live rows behind what the history had, once and with their handoffs', async () => {
    const client = scripted([first, all], undefined, [
      { events: [event(1), event(2), event(3, 'completed')], afterwards: 'over' },
    ]);
    const rows = await collect(client);
    expect(rows.map(({ seq, handoff: made }) => [seq, made?.seq ?? null])).toEqual([
      [1, null],
      [2, 2],
      [3, null],
    ]);
    expect(client.connectedBehind).toEqual(['1.1']);
    expect(rows[1]).not.toHaveProperty('workflow_id');
  });

  it('goes on behind the last row when a connection breaks off', async () => {
    const client = scripted([first, first, first, first, all], undefined, [
      { events: [event(2)], afterwards: 'breaks' },
      { events: [event(3, 'completed')], afterwards: 'over' },
    ]);
    expect(seqs(await collect(client))).toEqual([1, 2, 3]);
    expect(client.connectedBehind.slice(0, 2)).toEqual(['1.1', '1.2']);
  });

  it('looks at the history where the mirror is behind the build', async () => {
    const client = scripted([first, { events: [event(1), event(2)] }, all], undefined, [
      { events: [], afterwards: 'waits' },
    ]);
    expect(seqs(await collect(client))).toEqual([1, 2, 3]);
  });

  it('does not ask for the history while events come live', async () => {
    const many = Array.from({ length: 200 }, (_, index) => event(index + 2));
    const client = scripted([first, { events: [event(202, 'completed')] }], undefined, [
      { events: [...many, event(202, 'completed')], afterwards: 'over' },
    ]);
    expect(seqs(await collect(client))).toEqual(Array.from({ length: 202 }, (_, index) => index + 1));
    expect(client.looks()).toBeLessThan(6);
  });

  it('ends when a build was terminated, which the stream does not say', async () => {
    const client = scripted(
      [first],
      [{ status: 'cancelled', source: 'mirror' }],
      [{ events: [], afterwards: 'waits' }],
    );
    expect(seqs(await collect(client))).toEqual([1]);
  });

  it('leaves no connection open, however it ends', async () => {
    const client = scripted(
      [first],
      [{ status: 'in_progress', source: 'workflow' }],
      [{ events: [event(2)], afterwards: 'waits' }],
    );
    for await (const { seq } of watch(client, 'w', { pollMs: 1 })) if (seq === 2) break;
    expect(client.signals.map(({ aborted }) => aborted)).toEqual([true]);
  });
});
