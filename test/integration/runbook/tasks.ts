import { expect } from 'vitest';
import { PHASES, ROLES } from '../../../src/machine/states.ts';
import { until } from '../fixtures/builds.ts';
import { eventsOf } from '../fixtures/outside-agent.ts';
import type { TestProduct } from '../fixtures/product.ts';

/** A build as a task of the runbook finds it, and what must be true once the task is done. */
export type Arranged = Readonly<{
  workflowId: string;
  /** The event that a reset goes back to. */
  eventId?: string;
  /** What a task that only reads must show. */
  shows?: string;
  /** Waits for what a task that changes the build leads to. */
  obeyed?: () => Promise<void>;
}>;

type Product = Pick<TestProduct, 'api' | 'model' | 'test'>;
type Arrange = (product: Product) => Promise<Arranged>;

const started = (product: Product): Promise<string> => product.api.start({ external_roles: ROLES });

/** A build of outside agents that has completed its first phases. */
export async function begun(product: Product, phases: number): Promise<string> {
  const workflowId = await started(product);
  for (const phase of PHASES.slice(0, phases)) {
    expect(await product.api.claim(workflowId, phase)).toMatchObject({ status: 200 });
  }
  return workflowId;
}

async function parked(product: Product): Promise<string> {
  const workflowId = await begun(product, 5);
  const failed = { deployment_successful: false, notes: 'the disk is full' };
  const body = { role: 'release_manager', completed_state: 'deployment', phase_result: failed };
  await product.api.post(`/api/workflows/${workflowId}/advance`, body);
  await product.api.untilState(workflowId, 'error');
  return workflowId;
}

async function lastEvent({ api }: Product, workflowId: string, type: string): Promise<unknown> {
  const events = await eventsOf(api, workflowId);
  return events.findLast(({ event_type }) => event_type === type)?.event_data;
}

const shown: Arrange = async (product) => {
  const workflowId = await parked(product);
  return { workflowId, shows: workflowId };
};

const cancelledBy = (actor: string): Arrange => {
  return async (product) => {
    const workflowId = await begun(product, 1);
    const obeyed = async (): Promise<void> => {
      await until('the end', async () => (await lastEvent(product, workflowId, 'aborted')) !== undefined);
      expect(await lastEvent(product, workflowId, 'aborted')).toMatchObject({ actor });
      const { body } = await product.api.get(`/api/workflows/${workflowId}/status`);
      expect(body).toMatchObject({ status: 'cancelled', current_state: 'planning' });
    };
    return { workflowId, obeyed };
  };
};

/** Lists show it as cancelled, too, and Temporal has it closed as it was asked. */
const endedInTemporal = (closedAs: string): Arrange => {
  return async (product) => {
    const { workflowId, obeyed } = await cancelledBy('temporal')(product);
    const ended = async (): Promise<void> => {
      await obeyed?.();
      const { status } = await product.test.client.workflow.getHandle(workflowId).describe();
      expect(status.name).toBe(closedAs);
      const { body } = await product.api.get('/api/workflows?status=cancelled');
      expect(JSON.stringify(body)).toContain(workflowId);
    };
    return { workflowId, obeyed: ended };
  };
};

/** The event to which a reset takes the build back to planning. */
export async function beforePlanningWasDone({ test }: Product, workflowId: string): Promise<string> {
  const { events } = await test.client.workflow.getHandle(workflowId).fetchHistory();
  const seen = events ?? [];
  const planned = seen.filter((event) => event.workflowExecutionUpdateAcceptedEventAttributes)[1];
  const before = seen.findLast(
    (event) => event.workflowTaskCompletedEventAttributes && Number(event.eventId) < Number(planned?.eventId),
  );
  return String(before?.eventId);
}

/** Waits until a reset has taken the build back; then it can be driven to its end, and its audit has both branches. */
export async function expectGoesOnFromPlanning({ api, test }: Product, workflowId: string): Promise<void> {
  const back = await api.untilState(workflowId, 'planning');
  expect(back).toMatchObject({ completed_phases: ['discovery'], status: 'in_progress' });
  for (const phase of PHASES.slice(1)) await api.claim(workflowId, phase);
  await test.client.workflow.getHandle(workflowId).result();
  const { body } = await api.read(`/api/workflows/${workflowId}/history?limit=500`);
  const events = body.events as { event_type: string; undone: boolean }[];
  expect(events.filter(({ event_type, undone }) => event_type === 'completed' && !undone)).toHaveLength(1);
  expect(events.some(({ undone }) => undone)).toBe(true);
}

/** How each task of docs/operations.md is tried, by its heading. `actor` is who a call over HTTP or a signal is by. */
export const TASKS: Readonly<Record<string, (actor: string) => Arrange>> = {
  'Find builds that need an operator': () => shown,
  'See where a build is': () => async (product) => ({ workflowId: await parked(product), shows: 'error' }),
  'Read the audit': () => async (product) => ({ workflowId: await begun(product, 1), shows: 'build_started' }),

  Retry: (actor) => async (product) => {
    const workflowId = await parked(product);
    const obeyed = async (): Promise<void> => {
      await product.api.untilState(workflowId, 'deployment');
      expect(await lastEvent(product, workflowId, 'retry_requested')).toMatchObject({ actor, reason: 'key renewed' });
      expect(await lastEvent(product, workflowId, 'resumed')).toMatchObject({ from: 'error', to: 'deployment' });
    };
    return { workflowId, obeyed };
  },

  'Roll back': (actor) => async (product) => {
    const workflowId = await parked(product);
    const obeyed = async (): Promise<void> => {
      await product.api.untilState(workflowId, 'planning');
      expect(await lastEvent(product, workflowId, 'rolled_back')).toMatchObject({ actor, reason: 'wrong approach' });
    };
    return { workflowId, obeyed };
  },

  'Take over a phase': (actor) => async (product) => {
    const build_id = `taken-over-${Math.random()}`;
    const release = product.model.hold('planning', build_id);
    const workflowId = await product.api.start({ build_id });
    await product.api.untilState(workflowId, 'planning');
    const obeyed = async (): Promise<void> => {
      await until('the preemption', async () => (await lastEvent(product, workflowId, 'preempted')) !== undefined);
      release();
      expect(await lastEvent(product, workflowId, 'preempted')).toMatchObject({ actor });
      await product.api.untilState(workflowId, 'complete');
    };
    return { workflowId, obeyed };
  },

  Abort: cancelledBy,
  Cancel: () => endedInTemporal('CANCELLED'),
  Terminate: () => endedInTemporal('TERMINATED'),

  'Reset a poisoned run': () => async (product) => {
    const workflowId = await begun(product, 3);
    const eventId = await beforePlanningWasDone(product, workflowId);
    return { workflowId, eventId, obeyed: () => expectGoesOnFromPlanning(product, workflowId) };
  },
};
