import { describe, expect, it, onTestFinished } from 'vitest';
import { type ReconcilerOptions, startReconciler } from '../../src/reconciler/reconciler.ts';
import { until } from '../integration/fixtures/builds.ts';
import { CLOSED_MS, endedRun, fakeWorld } from './runs.ts';

type World = ReturnType<typeof fakeWorld>;

function reconcile(world: World, options: Partial<ReconcilerOptions> = {}) {
  const reconciler = startReconciler({ ...world, now: () => CLOSED_MS + 1000, lookMs: 5, ...options });
  onTestFinished(() => reconciler.close());
  return reconciler;
}

const writtenIds = ({ written }: World) => written.map(({ build }) => build.spec.workflowId).sort();
const untilWritten = (world: World, count: number) =>
  until(`${count} written`, async () => world.written.length >= count);
const looks = (world: World, count: number) => until(`${count} looks`, async () => world.asked.length >= count);
const open = (id: string) => ({ ...endedRun(id), ending: null, closedAtMs: null });

describe('the reconciler', () => {
  it('ends what ended in Temporal, once, and leaves alone what goes on', async () => {
    const world = fakeWorld();
    world.latest.set('workflow-a', endedRun('a')).set('workflow-b', open('b'));
    world.open = ['workflow-a', 'workflow-b'];
    reconcile(world);
    await looks(world, 5);
    expect(writtenIds(world)).toEqual(['workflow-a']);
  });

  it('opens again what a reset has begun anew, once', async () => {
    const world = fakeWorld();
    world.latest.set('workflow-a', endedRun('a'));
    reconcile(world);
    await untilWritten(world, 1);
    world.latest.set('workflow-a', { ...open('a'), runId: 'run-9', startedAtMs: CLOSED_MS });
    await untilWritten(world, 2);
    expect(world.written[1]).toMatchObject({ branch: 'run-9', build: { position: { status: 'in_progress' } } });
    const count = world.asked.length;
    await looks(world, count + 3);
    expect(world.written).toHaveLength(2);
  });

  it('goes back a day at first, then over the last minute, which visibility may be behind', async () => {
    const world = fakeWorld();
    reconcile(world);
    await looks(world, 3);
    const nowMs = CLOSED_MS + 1000;
    expect(world.asked.slice(0, 3)).toEqual([nowMs - 86_460_000, nowMs - 60_000, nowMs - 60_000]);
  });

  it('finds by its rounds what visibility never told of, a bounded number at a time', async () => {
    const world = fakeWorld();
    const ids = Array.from({ length: 120 }, (_, index) => `n${index}`);
    for (const id of ids) world.latest.set(`workflow-${id}`, endedRun(id, { closedAtMs: 1 }));
    world.open = ids.map((id) => `workflow-${id}`);
    const asked: number[] = [];
    const silent: World['mirror']['silent'] = async (...what) => {
      const found = await world.mirror.silent(...what);
      asked.push(found.length);
      return found;
    };
    reconcile({ ...world, mirror: { ...world.mirror, silent } });
    await untilWritten(world, 120);
    await looks(world, 5);
    expect(asked).toEqual([50, 50, 20]);
    expect(new Set(writtenIds(world)).size).toBe(120);
  });

  it('begins the next round only after a while', async () => {
    const world = fakeWorld();
    let nowMs = CLOSED_MS;
    reconcile(world, { now: () => nowMs });
    await looks(world, 3);
    world.latest.set('workflow-a', endedRun('a', { closedAtMs: 1 }));
    world.open = ['workflow-a'];
    await looks(world, 6);
    expect(world.written).toEqual([]);
    nowMs += 600_000;
    await untilWritten(world, 1);
  });

  it('says once that somebody is away and once that all are back, and misses nothing meanwhile', async () => {
    const world = fakeWorld();
    let nowMs = CLOSED_MS;
    reconcile(world, { now: () => nowMs, roundMs: Number.POSITIVE_INFINITY });
    await looks(world, 2);
    world.away = true;
    world.latest.set('workflow-a', endedRun('a'));
    await looks(world, 5);
    nowMs += 3_600_000;
    world.away = false;
    await untilWritten(world, 1);
    await until('the word', async () => world.logged.some((line) => line.includes('followed again')));
    expect(world.logged.filter((line) => line.includes('away'))).toHaveLength(1);
  });

  it('looks after a build that was seen to have ended at once, and takes no harm when that fails', async () => {
    const world = fakeWorld();
    const { notice } = reconcile(world, { lookMs: 3_600_000 });
    await looks(world, 1);
    world.latest.set('workflow-a', endedRun('a'));
    world.away = true;
    notice('workflow-a');
    await new Promise(setImmediate);
    world.away = false;
    notice('workflow-a');
    await untilWritten(world, 1);
  });

  it('does nothing more once it is closed', async () => {
    const world = fakeWorld();
    const { notice, close } = reconcile(world);
    await close();
    world.latest.set('workflow-a', endedRun('a'));
    notice('workflow-a');
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(world.written).toEqual([]);
  });

  it('writes nothing of a run that tells of no build, and goes on with the others', async () => {
    const world = fakeWorld();
    world.latest.set('workflow-a', endedRun('a')).set('workflow-b', endedRun('b'));
    const { record } = world.runs;
    const odd: typeof record = (run) =>
      run.workflowId === 'workflow-a' ? Promise.resolve({ ...JSON.parse('{"lastWork":{}}') }) : record(run);
    reconcile({ ...world, runs: { ...world.runs, record: odd } });
    await untilWritten(world, 1);
    expect(writtenIds(world)).toEqual(['workflow-b']);
  });
});
