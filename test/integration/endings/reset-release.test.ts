import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { statusOf, until } from '../fixtures/builds.ts';
import { standingReleases } from '../fixtures/releases.ts';
import { type Begun, type Outside, startOutside, untilAsked, untilRow } from './outside.ts';
import { taskThatLedTo } from './resets.ts';

type Event = Readonly<{ event_type: string; event_data: Record<string, unknown>; undone: boolean }>;

let outside: Outside;

beforeAll(async () => {
  outside = await startOutside();
});
afterAll(() => outside?.stop());

const standing = ({ project, buildId }: Begun) => standingReleases(outside.test, project, buildId);

const git = (id: string, ...args: string[]): string =>
  execFileSync('git', [`--git-dir=${join(outside.test.config.dataDir, 'workspaces', `${id}.git`)}`, ...args], {
    encoding: 'utf8',
  }).trim();

/** The audit without what the reset has undone. */
async function eventsOf({ id }: Begun): Promise<Event[]> {
  const { body } = await outside.api.read(`/api/workflows/${id}/history?limit=500`);
  return (body.events as Event[]).filter(({ undone }) => !undone);
}

async function finished(): Promise<Begun> {
  const begun = await outside.begin();
  await untilRow(outside, begun.id, ({ status }) => status === 'complete');
  await outside.test.client.workflow.getHandle(begun.id).result();
  expect(await standing(begun)).toMatchObject([{ attempt: 1 }]);
  return begun;
}

async function resetBefore({ id }: Begun, state: string): Promise<void> {
  const task = await taskThatLedTo(outside.test.client.workflow.getHandle(id), state);
  const how = ['--event-id', task, '--reapply-exclude', 'All', '--reason', 'a poisoned run'];
  await outside.temporal('workflow', 'reset', '-w', id, ...how);
}

describe('a reset of a build that has released', () => {
  it.each(['testing', 'deployment'] as const)(
    'to before %s takes the release back, and the build goes on to one of its own',
    async (state) => {
      const begun = await finished();
      const asked = outside.model.calls.length;
      const goOn = outside.model.hold(state);
      await resetBefore(begun, state);
      await until('the phase again', async () => outside.model.calls.slice(asked).some(({ phase }) => phase === state));
      // The tree fits the state: the code is there, and nothing is released.
      expect(await standing(begun)).toEqual([]);
      goOn();
      await untilAsked(outside, 'deployment', begun);
      await outside.test.client.workflow.getHandle(begun.id).result();
      const events = await eventsOf(begun);
      expect(events.filter(({ event_type }) => event_type === 'release_undone')).toMatchObject([
        { event_data: { attempt: 1, version: '1.0.0' } },
      ]);
      const implemented = events.find(
        ({ event_type, event_data }) => event_type === 'phase_completed' && event_data.phase === 'implementation',
      );
      const [release, ...others] = await standing(begun);
      expect(others).toEqual([]);
      expect(release).toMatchObject({ attempt: 1, commit: implemented?.event_data.commit });
      expect(git(begun.id, 'rev-parse', `${release?.commit}^{tree}`)).toBe(implemented?.event_data.tree);
      expect(git(begun.id, 'tag', '--list')).toMatch(/^release\/[^\n]+$/);
      // A worker that never saw the run replays it for a query. Outside of a server no replay knows that a run was reset.
      await outside.stopWorker();
      await outside.startWorker();
      const told = await statusOf(outside.test.client.workflow.getHandle(begun.id));
      expect(told).toMatchObject({ status: 'complete', current_state: 'complete' });
    },
  );

  it('that is aborted then leaves no release', async () => {
    const begun = await finished();
    const asked = outside.model.calls.length;
    const goOn = outside.model.hold('verification');
    await resetBefore(begun, 'verification');
    await until('the phase again', async () => outside.model.calls.length > asked);
    await outside.api.post(`/api/workflows/${begun.id}/abort`, { reason: 'not any more' });
    goOn();
    await untilRow(outside, begun.id, ({ status }) => status === 'cancelled');
    await until('no release', async () => (await standing(begun)).length === 0);
    expect((await eventsOf(begun)).map(({ event_type }) => event_type)).toContain('release_undone');
  });
});
