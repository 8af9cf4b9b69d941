import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { ROLES } from '../../../src/machine/states.ts';
import { WORKFLOW_TYPE } from '../../../src/workflows/messages.ts';
import { readEvents } from '../../api/event-reader.ts';
import { ANSWERS } from '../../fakes/model.ts';
import { specOf } from '../../machine/sample-builds.ts';
import { startTestApi } from '../fixtures/api.ts';
import { until } from '../fixtures/builds.ts';
import { startTestWorker } from '../fixtures/worker.ts';
import { startWire } from '../mirror/wire.ts';
import { CANCELLED, type Outside, seenIn, startOutside, untilAsked, untilCancelled, untilRow } from './outside.ts';

const EXTERNAL = { external_roles: ROLES };

let outside: Outside;

beforeAll(async () => {
  outside = await startOutside();
});
afterAll(() => outside?.stop());

const terminate = (id: string, reason = 'wrong customer') =>
  outside.temporal('workflow', 'terminate', '-w', id, '--reason', reason);
const abortsOf = async (id: string) => (await outside.audit(id)).filter(({ event_type }) => event_type === 'aborted');
const typesOf = async (id: string) => (await outside.audit(id)).map(({ event_type }) => event_type);
const numbersOf = async (id: string) => (await outside.audit(id)).map(({ seq }) => seq);
const flushed = (id: string, seq: number) => untilRow(outside, id, ({ last_seq }) => last_seq === seq);

describe('a build that was terminated while it waits for a person', () => {
  it('reads cancelled everywhere, its streams end, and its audit says once who ended it and why, over two APIs', async () => {
    const other = await startTestApi(outside.test);
    onTestFinished(() => other.close());
    const { id, project } = await outside.begin(EXTERNAL);
    await outside.api.claim(id, 'discovery');
    await flushed(id, 4);
    const stream = await readEvents(`${outside.api.url}/api/workflows/${id}/events`);
    await terminate(id, 'wrong customer\nwith sk-abcdef123456');
    expect(await outside.status(id)).toMatchObject({ status: 'cancelled', current_state: 'planning' });
    await stream.ended;
    expect(stream.ids()).toEqual(['1.1', '1.2', '1.3', '1.4', '1.5', undefined]);
    expect(stream.events.at(-1)).toMatchObject({ event: 'end', data: { status: 'cancelled' } });
    expect(await seenIn(outside, project)).toMatchObject({
      listed: { status: 'cancelled', current_state: 'planning', workflow_id: id },
      stats: CANCELLED,
    });
    expect(await outside.row(id)).toMatchObject({ status: 'cancelled', current_state: 'planning', last_seq: 5 });
    expect(await abortsOf(id)).toMatchObject([
      {
        seq: 5,
        triggered_by: 'system',
        event_data: {
          ...{ from: 'planning', to: 'planning', actor: 'temporal' },
          reason: 'it was terminated in Temporal: wrong customer with [key]',
        },
      },
    ]);
    const status = await outside.status(id);
    expect(status).toMatchObject({ status: 'cancelled', source: 'mirror', completed_phases: ['discovery'] });
    expect(String(status.state_description)).toContain('wrong customer');
    const late = await outside.api.post(`/api/workflows/${id}/abort`, { reason: 'me too' });
    expect(late).toMatchObject({ status: 409, body: { code: 'build_over' } });
    const again = await readEvents(`${outside.api.url}/api/workflows/${id}/events`, { 'last-event-id': '1.5' });
    expect(again.status).toBe(204);
  });

  it('keeps the state in which it was parked', async () => {
    outside.model.answer('planning', 'I would rather talk about the weather.');
    onTestFinished(() => outside.model.answer('planning', ANSWERS.planning));
    const { id, project } = await outside.begin();
    await untilRow(outside, id, ({ current_state }) => current_state === 'error');
    await terminate(id);
    expect(await untilCancelled(outside, id)).toMatchObject({ current_state: 'error', completed_at: null });
    expect(await seenIn(outside, project)).toMatchObject({ stats: CANCELLED });
    expect((await typesOf(id)).slice(-2)).toEqual(['parked', 'aborted']);
  });

  it('keeps signals that were refused and not written yet', async () => {
    const { id } = await outside.begin(EXTERNAL);
    await flushed(id, 2);
    await outside.test.client.workflow.getHandle(id).signal('advance', 'junk');
    await terminate(id);
    await untilCancelled(outside, id);
    expect(await typesOf(id)).toEqual(['build_started', 'phase_started', 'signal_rejected', 'aborted']);
    expect(await numbersOf(id)).toEqual([1, 2, 3, 4]);
  });
});

describe('a build that was terminated while a phase runs', () => {
  it('is over, whatever the phase still does', async () => {
    const release = outside.model.hold('implementation');
    onTestFinished(() => release());
    const begun = await outside.begin();
    const { id, project, buildId } = begun;
    await untilAsked(outside, 'implementation', begun);
    await terminate(id);
    const row = await untilCancelled(outside, id);
    expect(row).toMatchObject({ current_state: 'implementation', handoff_count: 2 });
    const audit = await outside.audit(id);
    // The phase hears of it with its next heartbeat.
    await until('the call is given up', async () => outside.model.cancelled.some((call) => call.build === buildId));
    release();
    expect(await outside.audit(id)).toEqual(audit);
    expect(await outside.row(id)).toEqual(row);
    expect(await seenIn(outside, project)).toMatchObject({ stats: CANCELLED });
  });
});

describe('a build that was terminated while no worker answers', () => {
  it('is ended in the mirror although nobody ever worked on it', async () => {
    await outside.stopWorker();
    onTestFinished(() => outside.startWorker());
    const { id, project } = await outside.begin(EXTERNAL);
    await terminate(id);
    // By Temporal, until the mirror follows.
    expect(await outside.status(id)).toMatchObject({ status: 'cancelled' });
    await untilCancelled(outside, id);
    expect(await typesOf(id)).toEqual(['build_started', 'phase_started', 'aborted']);
    expect(await seenIn(outside, project)).toMatchObject({ listed: { status: 'cancelled' }, stats: CANCELLED });
  });

  it('has all rows that only the history of its run still holds', async () => {
    await outside.stopWorker();
    const wire = await startWire(outside.test.databaseUrl);
    const worker = await startTestWorker({ ...outside.test, databaseUrl: wire.url }, outside.model);
    wire.cut();
    const { id } = await outside.begin(EXTERNAL);
    for (const phase of ['discovery', 'planning']) await outside.api.claim(id, phase);
    await worker.close();
    await wire.stop();
    onTestFinished(() => outside.startWorker());
    expect(await outside.row(id)).toBeUndefined();
    await terminate(id);
    const row = await untilCancelled(outside, id);
    expect(row).toMatchObject({ current_state: 'handoff_to_coder', handoff_count: 2 });
    expect(row.planning_phase).toMatchObject({ plan: 'one function' });
    expect(await numbersOf(id)).toEqual([1, 2, 3, 4, 5, 6]);
  });
});

describe('a run that ended otherwise', () => {
  it('is followed as well when Temporal timed it out', async () => {
    const id = 'timed-out';
    const spec = specOf({ workflowId: id, buildId: id, projectId: id, externalRoles: ROLES });
    await outside.test.client.workflow.start(WORKFLOW_TYPE, {
      workflowId: id,
      taskQueue: outside.test.config.temporal.taskQueue,
      workflowExecutionTimeout: '2s',
      args: [{ spec }],
    });
    await untilCancelled(outside, id);
    expect(await abortsOf(id)).toMatchObject([{ event_data: { reason: 'its execution timed out in Temporal' } }]);
  });

  it('is found by an API that was not there when it happened', async () => {
    const { id } = await outside.begin(EXTERNAL);
    await flushed(id, 2);
    await outside.api.close();
    await terminate(id);
    const later = await startTestApi(outside.test);
    onTestFinished(() => later.close());
    await untilCancelled(outside, id);
    expect(await abortsOf(id)).toHaveLength(1);
  });
});
