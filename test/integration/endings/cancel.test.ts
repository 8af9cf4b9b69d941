import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { ROLES } from '../../../src/machine/states.ts';
import { ANSWERS } from '../../fakes/model.ts';
import { until } from '../fixtures/builds.ts';
import { startTestWorker } from '../fixtures/worker.ts';
import { startWire } from '../mirror/wire.ts';
import { CANCELLED, type Outside, seenIn, startOutside, untilAsked, untilCancelled, untilRow } from './outside.ts';

let outside: Outside;

beforeAll(async () => {
  outside = await startOutside();
});
afterAll(() => outside?.stop());

const cancel = (id: string) => outside.temporal('workflow', 'cancel', '-w', id);

/** Cancelled everywhere, once, by Temporal; gives the state it was cancelled in. */
async function isCancelled({ id, project }: { id: string; project: string }): Promise<unknown> {
  await until('the end', async () => {
    const { status } = await outside.test.client.workflow.getHandle(id).describe();
    return status.name === 'CANCELLED';
  });
  const row = await untilCancelled(outside, id);
  const audit = await outside.audit(id);
  expect(audit.map(({ seq }) => seq)).toEqual(audit.map((_, index) => index + 1));
  expect(audit.filter(({ event_type }) => event_type === 'aborted')).toEqual([audit.at(-1)]);
  expect(audit.at(-1)?.event_data).toMatchObject({ actor: 'temporal', reason: 'cancelled from Temporal' });
  expect(await outside.status(id)).toMatchObject({ status: 'cancelled', current_state: row.current_state });
  expect(await seenIn(outside, project)).toMatchObject({ listed: { status: 'cancelled' }, stats: CANCELLED });
  return row.current_state;
}

describe("Temporal's Cancel is an abort", () => {
  it('of a phase that the model works on', async () => {
    const release = outside.model.hold('planning');
    onTestFinished(() => release());
    const begun = await outside.begin();
    await untilAsked(outside, 'planning', begun);
    await cancel(begun.id);
    expect(await isCancelled(begun)).toBe('planning');
    const gaveUp = () => outside.model.cancelled.some(({ build }) => build === begun.buildId);
    await until('the call is given up', async () => gaveUp());
  });

  it('of a build that waits for a person', async () => {
    const begun = await outside.begin({ external_roles: ROLES });
    await outside.api.claim(begun.id, 'discovery');
    await outside.api.claim(begun.id, 'planning');
    await cancel(begun.id);
    expect(await isCancelled(begun)).toBe('handoff_to_coder');
  });

  it('of a build that is parked', async () => {
    outside.model.answer('planning', 'I would rather talk about the weather.');
    onTestFinished(() => outside.model.answer('planning', ANSWERS.planning));
    const begun = await outside.begin();
    await untilRow(outside, begun.id, ({ current_state }) => current_state === 'error');
    await cancel(begun.id);
    expect(await isCancelled(begun)).toBe('error');
  });

  it('while no worker is there, as soon as one comes', async () => {
    await outside.stopWorker();
    const begun = await outside.begin({ external_roles: ROLES });
    await cancel(begun.id);
    expect(await outside.row(begun.id)).toBeUndefined();
    await outside.startWorker();
    expect(await isCancelled(begun)).toBe('discovery');
  });

  it('while the mirror is away, when it is back', async () => {
    await outside.stopWorker();
    const wire = await startWire(outside.test.databaseUrl);
    const worker = await startTestWorker({ ...outside.test, databaseUrl: wire.url }, outside.model);
    onTestFinished(async () => {
      await worker.close();
      await wire.stop();
      await outside.startWorker();
    });
    wire.cut();
    const begun = await outside.begin({ external_roles: ROLES });
    await outside.api.claim(begun.id, 'discovery');
    await cancel(begun.id);
    await until('the abort', async () => (await outside.status(begun.id)).status === 'cancelled');
    expect(await outside.row(begun.id)).toBeUndefined();
    wire.mend();
    expect(await isCancelled(begun)).toBe('planning');
  });
});
