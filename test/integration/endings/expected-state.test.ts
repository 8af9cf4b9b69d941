import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROLES } from '../../../src/machine/states.ts';
import { until, update } from '../fixtures/builds.ts';
import { eventsOf } from '../fixtures/outside-agent.ts';
import { type Outside, startOutside } from './outside.ts';

let outside: Outside;

beforeAll(async () => {
  outside = await startOutside();
});
afterAll(() => outside?.stop());

const at = (id: string, call: string): string => `/api/workflows/${id}/${call}`;
const stateOf = async (id: string) => (await outside.status(id)).current_state;

/** A build that stands in implementation, of which people do every phase. */
async function inImplementation(): Promise<string> {
  const { id } = await outside.begin({ external_roles: ROLES });
  for (const phase of ['discovery', 'planning']) await outside.api.claim(id, phase);
  const acknowledged = { role: 'code_writer', completed_state: 'handoff_to_coder', phase_result: {} };
  expect((await outside.api.post(at(id, 'advance'), acknowledged)).status).toBe(200);
  return id;
}

const COMMANDS = [
  { call: 'request-retry', name: 'retry', body: { reason: 'again' } },
  { call: 'rollback', name: 'rollback', body: { reason: 'again', target_state: 'planning' } },
] as const;

describe.each(COMMANDS)('$name with an expected_state', ({ call, name, body }) => {
  const there = { ...body, expected_state: 'IMPLEMENTATION' };
  const elsewhere = { ...body, expected_state: 'testing' };

  it('is refused over HTTP in any other state, and carried out in that one', async () => {
    const id = await inImplementation();
    const refused = await outside.api.post(at(id, call), elsewhere);
    expect(refused).toMatchObject({ status: 409, body: { code: 'wrong_state', current_state: 'implementation' } });
    expect(await stateOf(id)).toBe('implementation');
    expect(await outside.api.post(at(id, call), there)).toMatchObject({ status: 200, body: { new_state: 'planning' } });
  });

  it('is refused as an Update in any other state, and carried out in that one', async () => {
    const id = await inImplementation();
    const handle = outside.test.client.workflow.getHandle(id);
    await expect(update(handle, name, elsewhere)).rejects.toMatchObject({ cause: { type: 'wrong_state' } });
    expect(await update(handle, name, there)).toMatchObject({ new_state: 'planning' });
  });

  it('is recorded as refused as a signal in any other state, and carried out in that one', async () => {
    const id = await inImplementation();
    const signal = (input: object) =>
      outside.temporal('workflow', 'signal', '-w', id, '--name', name, '--input', JSON.stringify(input));
    await signal(elsewhere);
    const rejected = await until('the refusal', async () =>
      (await eventsOf(outside.api, id)).find(({ event_type }) => event_type === 'signal_rejected'),
    );
    expect(rejected.event_data).toMatchObject({ signal: name, code: 'wrong_state' });
    expect(await stateOf(id)).toBe('implementation');
    await signal(there);
    await outside.api.untilState(id, 'planning');
  });
});
