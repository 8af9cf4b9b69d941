import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { PHASES, ROLES } from '../../../src/machine/states.ts';
import { ANSWERS } from '../../fakes/model.ts';
import { until } from '../fixtures/builds.ts';
import { readFaithfully } from '../fixtures/live-reader.ts';
import {
  type Begun,
  CANCELLED,
  GOES_ON,
  type Outside,
  seenIn,
  startOutside,
  untilCancelled,
  untilRow,
} from './outside.ts';
import { taskThatLedTo } from './resets.ts';

type Place = Readonly<{ id: string; undone: boolean; event_type: string }>;

const EXTERNAL = { external_roles: ROLES };
const COMPLETE = { total_workflows: 1, completed: 1, in_progress: 0, failed: 0 };
const NEEDS_OPERATOR = "BuildNeedsOperator = true AND ExecutionStatus = 'Running'";

let outside: Outside;

beforeAll(async () => {
  outside = await startOutside();
});
afterAll(() => outside?.stop());

const handleOf = (id: string) => outside.test.client.workflow.getHandle(id);

/** Resets a build to before it came into a state. A claim in a handoff state leads to the next one at once. */
async function resetBefore(id: string, state: string): Promise<void> {
  const task = await taskThatLedTo(handleOf(id), state);
  const how = ['--event-id', task, '--reapply-exclude', 'All', '--reason', 'a poisoned run'];
  await outside.temporal('workflow', 'reset', '-w', id, ...how);
}

async function claimAll(id: string, phases: readonly string[]): Promise<void> {
  for (const phase of phases) {
    const { status, body } = await outside.api.claim(id, phase);
    if (status !== 200) throw new Error(JSON.stringify(body));
  }
}

async function historyOf(id: string): Promise<Place[]> {
  const { body } = await outside.api.read(`/api/workflows/${id}/history?limit=500`);
  return body.events as Place[];
}

/** What is left of a build's audit stands once and without gap, and all that was undone is from before. */
async function isWhole(id: string, generations: number): Promise<void> {
  const events = await historyOf(id);
  const current = events.filter(({ undone }) => !undone).map(({ id: place }) => place.split('.').map(Number));
  expect(current.map(([, seq]) => seq)).toEqual(current.map((_, index) => index + 1));
  expect(current.map(([generation]) => generation)).toEqual(current.map(([generation]) => generation).sort());
  expect(current.at(-1)?.[0]).toBe(generations);
  const undone = events.filter((event) => event.undone);
  expect(undone.length).toBeGreaterThan(0);
  expect(undone.every(({ id: place }) => Number(place.split('.')[0]) < generations)).toBe(true);
}

async function goesOn({ id, project }: Begun, state: string): Promise<void> {
  await outside.api.untilState(id, state);
  await untilRow(outside, id, ({ current_state, status }) => current_state === state && status === 'in_progress');
  // The mirror answers in its place where the worker is slow.
  const own = await until('its own status', async () => {
    const status = await outside.status(id);
    return status.source === 'workflow' ? status : null;
  });
  expect(own).toMatchObject({ status: 'in_progress', current_state: state, completed_at: null });
  expect(await seenIn(outside, project)).toMatchObject({
    listed: { status: 'in_progress', current_state: state, completed_at: null },
    stats: GOES_ON,
  });
}

async function endsComplete({ id, project }: Begun, generations: number): Promise<void> {
  await untilRow(outside, id, ({ status }) => status === 'complete');
  await isWhole(id, generations);
  expect(await outside.row(id)).toMatchObject({ current_state: 'complete', handoff_count: 5 });
  expect(await outside.status(id)).toMatchObject({ status: 'complete', progress: { percentage: 100 } });
  expect(await seenIn(outside, project)).toMatchObject({ listed: { status: 'complete' }, stats: COMPLETE });
}

describe('a reset', () => {
  it('of a build that goes on makes a new branch, which row, status, list, figures and streams follow', async () => {
    const begun = await outside.begin(EXTERNAL);
    const { id } = begun;
    const reader = readFaithfully(() => `${outside.api.url}/api/workflows/${id}/events`);
    onTestFinished(() => reader.stop());
    await claimAll(id, PHASES.slice(0, 4));
    await untilRow(outside, id, ({ current_state }) => current_state === 'handoff_to_verifier');
    await resetBefore(id, 'handoff_to_tester');
    await goesOn(begun, 'handoff_to_coder');
    await claimAll(id, ['implementation']);
    await goesOn(begun, 'handoff_to_tester');
    await isWhole(id, 2);
    await claimAll(id, PHASES.slice(3));
    await endsComplete(begun, 2);
    await reader.ended;
    expect([...reader.ids()].sort()).toEqual((await historyOf(id)).map((event) => event.id).sort());
    expect(reader.events.at(-1)?.event).toBe('completed');
  });

  it('of a finished build opens it again: its figures are taken back, its start is still the same one', async () => {
    const begun = await outside.begin(EXTERNAL);
    const { id, project, body } = begun;
    await claimAll(id, PHASES);
    await untilRow(outside, id, ({ status }) => status === 'complete');
    expect(await seenIn(outside, project)).toMatchObject({ stats: COMPLETE });
    const last = (await historyOf(id)).at(-1)?.id ?? '';
    await resetBefore(id, 'handoff_to_releaser');
    await goesOn(begun, 'handoff_to_verifier');
    await claimAll(id, ['verification']);
    await goesOn(begun, 'handoff_to_releaser');
    const again = await outside.api.post(`/api/workflows/${project}/start`, body);
    expect([again.status, again.body.workflow_id]).toEqual([200, id]);
    const reader = readFaithfully(() => `${outside.api.url}/api/workflows/${id}/events?last_event_id=${last}`);
    onTestFinished(() => reader.stop());
    await claimAll(id, ['deployment']);
    await endsComplete(begun, 2);
    await reader.ended;
    expect(new Set(reader.ids().map((place) => place?.split('.')[0]))).toEqual(new Set(['2']));
  });

  it('of a build that was terminated makes it current again, and a second end is written as the first was', async () => {
    const begun = await outside.begin(EXTERNAL);
    const { id, project } = begun;
    await claimAll(id, ['discovery', 'planning']);
    await outside.temporal('workflow', 'terminate', '-w', id, '--reason', 'by mistake');
    await untilCancelled(outside, id);
    await resetBefore(id, 'handoff_to_coder');
    await goesOn(begun, 'planning');
    await claimAll(id, ['planning']);
    await goesOn(begun, 'handoff_to_coder');
    await isWhole(id, 2);
    expect((await historyOf(id)).filter(({ undone }) => undone).map(({ event_type }) => event_type)).toContain(
      'aborted',
    );
    await outside.temporal('workflow', 'terminate', '-w', id, '--reason', 'on purpose');
    await untilCancelled(outside, id);
    expect(await seenIn(outside, project)).toMatchObject({ stats: CANCELLED });
    const aborts = (await historyOf(id)).filter(({ event_type }) => event_type === 'aborted');
    expect(aborts.map(({ undone }) => undone)).toEqual([true, false]);
  });

  it('of a parked build takes it out of what needs an operator', async () => {
    outside.model.answer('planning', 'I would rather talk about the weather.');
    onTestFinished(() => outside.model.answer('planning', ANSWERS.planning));
    const begun = await outside.begin();
    const { id } = begun;
    await untilRow(outside, id, ({ current_state }) => current_state === 'error');
    const needy = () => outside.temporal('workflow', 'count', '--query', `WorkflowId = '${id}' AND ${NEEDS_OPERATOR}`);
    await until('the search attribute', async () => (await needy()).includes('1'));
    outside.model.answer('planning', ANSWERS.planning);
    const release = outside.model.hold('implementation', begun.buildId);
    onTestFinished(() => release());
    await resetBefore(id, 'planning');
    await goesOn(begun, 'implementation');
    await until('the search attribute', async () => !(await needy()).includes('1'));
    release();
    await endsComplete(begun, 2);
  });

  it('that no worker has taken up yet is followed too; ended once more, it is cancelled', async () => {
    const begun = await outside.begin(EXTERNAL);
    const { id, project } = begun;
    await claimAll(id, PHASES);
    await untilRow(outside, id, ({ status }) => status === 'complete');
    await outside.stopWorker();
    onTestFinished(() => outside.startWorker());
    await resetBefore(id, 'handoff_to_verifier');
    const status = await outside.status(id);
    // By Temporal, until the mirror follows.
    expect(status).toMatchObject({ status: 'in_progress', current_state: 'handoff_to_tester' });
    await untilRow(outside, id, ({ current_state }) => current_state === 'handoff_to_tester');
    expect(await seenIn(outside, project)).toMatchObject({ stats: GOES_ON });
    await outside.temporal('workflow', 'terminate', '-w', id, '--reason', 'no');
    const row = await untilCancelled(outside, id);
    expect(row).toMatchObject({ current_state: 'handoff_to_tester', completed_at: null, testing_phase: null });
    expect(await seenIn(outside, project)).toMatchObject({ stats: CANCELLED });
  });
});
