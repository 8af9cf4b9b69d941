import { randomUUID } from 'node:crypto';
import type { Client as TemporalClient } from '@temporalio/client';
import { type Client, createClient } from '../../src/client/client.ts';
import { ROLES } from '../../src/machine/states.ts';
import { runOne, type Subject } from '../driver.ts';
import type { Setup } from '../setup.ts';
import { percentile } from '../statistics.ts';

const PROJECT = 'bench';
const FIRST_EVENT_DEADLINE_MS = 10_000;

/** The calls that a frontend makes most, in the order in which one round makes them, and what they are compared with. */
export const CALLS = [
  'start',
  'advance',
  'get-ai-prompt',
  'complete-phase',
  'request-retry',
  'status',
  'history',
  'list',
  'stats',
  'events, to the first one',
  'bare Temporal query',
] as const;
type Call = (typeof CALLS)[number];

export type CallLatency = Readonly<{ p50Ms: number; p95Ms: number }>;
export type Calls = Readonly<{
  builds: number;
  delayMs: number;
  rounds: number;
  latencies: Readonly<Record<Call, CallLatency>>;
}>;

/** Builds that go on beside what is measured. */
type Background = Readonly<{ anyId: () => string; stop: () => Promise<void> }>;

/**
 * Keeps so many builds running, in all of their phases at once: the first ones begin one after the other over the time
 * that the model takes for a phase. Resolves when all lanes are under way.
 */
async function keepRunning(setup: Setup, subject: Subject, count: number, delayMs: number): Promise<Background> {
  await setup.model.ask('delay', delayMs);
  const running = new Set<string>();
  let stopped = false;
  const announced: Subject = {
    name: subject.name,
    start: async () => {
      const workflowId = await subject.start();
      running.add(workflowId);
      return workflowId;
    },
  };
  const lane = async (): Promise<void> => {
    while (!stopped) {
      const ended = await runOne(setup.client, announced).catch((error: unknown) => {
        // What was terminated to stop does not complete.
        if (!stopped) throw error;
        return null;
      });
      if (ended) running.delete(ended.workflowId);
    }
  };
  const lanes: Promise<void>[] = [];
  for (let started = 0; started < count; started += 1) {
    lanes.push(lane());
    await new Promise((resolve) => setTimeout(resolve, delayMs / count));
  }
  const all = Promise.all(lanes);
  // Told by `stop`, which whoever measures waits for.
  all.catch(() => undefined);
  return {
    anyId: () => [...running][Math.floor(Math.random() * running.size)] ?? '',
    stop: async () => {
      stopped = true;
      const handles = [...running].map((id) => setup.client.workflow.getHandle(id));
      await Promise.all(handles.map((handle) => handle.terminate('bench').catch(() => undefined)));
      await setup.model.ask('delay', 0);
      await all;
    },
  };
}

/** Connects to a build's events, waits for the first, and leaves. */
async function firstEvent(url: string, workflowId: string): Promise<void> {
  const signal = AbortSignal.timeout(FIRST_EVENT_DEADLINE_MS);
  const response = await fetch(`${url}/api/workflows/${workflowId}/events`, { signal });
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk as Uint8Array, { stream: true });
    if (text.includes('\ndata:')) return;
  }
  throw new Error(`no event of ${workflowId}: ${response.status} ${text.slice(0, 200)}`);
}

type Timed = <T>(call: Call, make: () => Promise<T>) => Promise<T>;

/** What one frontend does: it drives a build of its own through its first phases, and looks at others. */
async function round(
  { api, url, temporal }: Readonly<{ api: Client; url: string; temporal: TemporalClient }>,
  runningId: string,
  timed: Timed,
): Promise<void> {
  const request = {
    build_id: randomUUID(),
    user_id: 'bench',
    requirements: 'an answer',
    external_roles: ROLES,
  };
  const { workflow_id: id } = await timed('start', () => api.start(PROJECT, request));
  const result = { discovered_reqs: ['an answer'], success_criteria: ['it is 42'] };
  const discovered = { role: 'q_assistant', completed_state: 'discovery', phase_result: result };
  await timed('advance', () => api.advance(id, discovered));
  await timed('get-ai-prompt', () => api.aiPrompt(id));
  const planned = { workflow_id: id, ai_response: 'One function.', phase_result: { plan: 'one function' } };
  await timed('complete-phase', () => api.completePhase(planned));
  await timed('request-retry', () => api.requestRetry(id, { reason: 'smaller' }));
  await timed('bare Temporal query', () => temporal.workflow.getHandle(runningId).query('status'));
  await timed('status', () => api.status(runningId));
  await timed('history', () => api.history(runningId, { limit: 50 }));
  await timed('list', () => api.list({ project_id: PROJECT, status: 'in_progress' }));
  await timed('stats', () => api.stats(PROJECT));
  await timed('events, to the first one', () => firstEvent(url, runningId));
  await api.abort(id, { reason: 'measured' });
}

/** The ten calls, one after another and again and again, while builds run. */
export async function measureCalls(
  setup: Setup,
  subject: Subject,
  { builds, delayMs, rounds, warmUp }: Readonly<{ builds: number; delayMs: number; rounds: number; warmUp: number }>,
): Promise<Calls> {
  const { url } = (await setup.startApi()).ready;
  const target = { api: createClient({ url }), url, temporal: setup.client };
  const background = await keepRunning(setup, subject, builds, delayMs);
  const took = new Map<Call, number[]>(CALLS.map((call) => [call, []]));
  const timed: Timed = async (call, make) => {
    const startedAtMs = performance.now();
    const made = await make();
    took.get(call)?.push(performance.now() - startedAtMs);
    return made;
  };
  try {
    for (let at = 0; at < warmUp; at += 1) await round(target, background.anyId(), (_call, make) => make());
    for (let at = 0; at < rounds; at += 1) await round(target, background.anyId(), timed);
  } finally {
    await background.stop();
  }
  const latencies = CALLS.map((call) => {
    const values = took.get(call) ?? [];
    return [call, { p50Ms: percentile(values, 50), p95Ms: percentile(values, 95) }] as const;
  });
  return { builds, delayMs, rounds, latencies: Object.fromEntries(latencies) as Calls['latencies'] };
}
