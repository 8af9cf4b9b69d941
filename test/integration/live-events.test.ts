import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { RunningWorker } from '../../src/compose/worker.ts';
import { PHASES, ROLES } from '../../src/machine/states.ts';
import { createMirror } from '../../src/mirror/mirror.ts';
import { readEvents } from '../api/event-reader.ts';
import { type FakeModel, startFakeModel } from '../fakes/model.ts';
import { completePhase, flushOf, specOf, steps } from '../mirror/builds.ts';
import { type Caller, callerOf, startTestApi } from './fixtures/api.ts';
import { until } from './fixtures/builds.ts';
import { readFaithfully, untilEvents } from './fixtures/live-reader.ts';
import { type OwnStack, startOwnStack } from './fixtures/own-stack.ts';
import { startProcess, type TestProcess } from './fixtures/process.ts';
import { startTestWorker } from './fixtures/worker.ts';

let test: OwnStack;
let model: FakeModel;
let worker: RunningWorker;
const processes: TestProcess[] = [];

type ApiProcess = Readonly<{ process: TestProcess; url: string; port: string; api: Caller }>;

async function startApiProcess(port = '0'): Promise<ApiProcess> {
  const process = startProcess('src/server.ts', { ...test.env, PORT: port });
  processes.push(process);
  await process.says('The API is up on ');
  const url = /up on (\S+)/.exec(process.output())?.[1] ?? '';
  return { process, url, port: new URL(url).port, api: callerOf(url) };
}

/** Where nobody kills it, an API in this process does. */
async function startApi(): ReturnType<typeof startTestApi> {
  const api = await startTestApi(test);
  onTestFinished(() => api.close());
  return api;
}

beforeAll(async () => {
  test = await startOwnStack();
  model = await startFakeModel();
  worker = await startTestWorker(test, model);
});
afterEach(() => Promise.all(processes.splice(0).map((process) => process.kill())));
afterAll(async () => {
  await worker?.close();
  await model?.stop();
  await test?.stop();
});

const external = { external_roles: ROLES };
const eventsAt = (url: string, id: string): string => `${url}/api/workflows/${id}/events`;
const numbers = (last: number): string[] => Array.from({ length: last }, (_, index) => `1.${index + 1}`);

/** The ids of a build's whole audit, as its history has them. */
async function auditOf(api: Caller, id: string): Promise<string[]> {
  const { body } = await api.read(`/api/workflows/${id}/history?limit=500`);
  return (body.events as { id: string }[]).map((event) => event.id);
}

const openStreams = async (url: string): Promise<number> => {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^q_api_event_streams_open (\d+)$/m.exec(text)?.[1]);
};

describe('a reader that comes back', () => {
  it('has each event once and in order, over kill -9 and restart of two APIs on one mirror', async () => {
    let [one, two] = [await startApiProcess(), await startApiProcess()];
    const build_id = `killed-${Math.random()}`;
    const releases = PHASES.map((phase) => model.hold(phase, build_id));
    const id = await one.api.start({ build_id });
    const reader = readFaithfully((connection) => eventsAt(connection % 2 === 0 ? one.url : two.url, id));
    onTestFinished(() => reader.stop());
    await untilEvents(reader, 2);
    releases[0]?.();
    await untilEvents(reader, 4);
    await one.process.kill();
    releases[1]?.();
    await untilEvents(reader, 6);
    one = await startApiProcess(one.port);
    releases[2]?.();
    await untilEvents(reader, 9);
    await two.process.kill();
    for (const release of releases.slice(3, 5)) release();
    await untilEvents(reader, 12);
    reader.breakOff();
    two = await startApiProcess(two.port);
    releases[5]?.();
    await reader.ended;
    expect(reader.connections()).toBeGreaterThan(3);
    expect(reader.ids()).toEqual(numbers(18));
    expect(reader.ids()).toEqual(await auditOf(two.api, id));
    expect(reader.events.at(-1)?.event).toBe('completed');
  });

  it('goes on in the next generation when an operator has reset the build', async () => {
    const api = await startApi();
    const build_id = `reset-${Math.random()}`;
    const release = model.hold('testing', build_id);
    const id = await api.start({ build_id });
    const reader = readFaithfully(() => eventsAt(api.url, id));
    onTestFinished(() => reader.stop());
    await untilEvents(reader, 10);
    const handle = test.client.workflow.getHandle(id);
    const { events } = await handle.fetchHistory();
    const decided = (events ?? []).filter((event) => event.workflowTaskCompletedEventAttributes);
    const { runId } = await handle.describe();
    await test.client.workflowService.resetWorkflowExecution({
      namespace: 'default',
      workflowExecution: { workflowId: id, runId },
      reason: 'a test',
      requestId: build_id,
      workflowTaskFinishEventId: decided[1]?.eventId ?? null,
    });
    await until('the next generation', async () => reader.ids().some((one) => one?.startsWith('2.')));
    reader.breakOff();
    release();
    await reader.ended;
    expect(reader.ids()).toEqual(await auditOf(api, id));
    expect(reader.events.at(-1)).toMatchObject({ event: 'completed', data: { undone: false } });
  });

  it('keeps its stream while Postgres is killed and comes back', async () => {
    const api = await startApi();
    const id = await api.start(external);
    const reader = await readEvents(eventsAt(api.url, id));
    await untilEvents(reader, 2);
    process.kill(test.stack.embedded.postgresPid() ?? 0, 'SIGKILL');
    await until('word of it', async () => reader.comments.some((comment) => comment.includes('does not answer')));
    for (const phase of PHASES) expect((await api.claim(id, phase)).status).toBe(200);
    await reader.ended;
    expect(reader.events.at(-1)).toMatchObject({ event: 'end', data: { status: 'complete' } });
    expect(reader.ids().slice(0, -1)).toEqual(await auditOf(api, id));
  });
});

describe('five hundred watchers of one API', () => {
  it('all see all events of a build and its end, though all come back at once after a kill -9', async () => {
    const first = await startApiProcess();
    const id = await first.api.start(external);
    const readers = Array.from({ length: 500 }, () => readFaithfully(() => eventsAt(first.url, id)));
    onTestFinished(() => {
      for (const reader of readers) reader.stop();
    });
    await until('500 streams', async () => (await openStreams(first.url)) === 500);
    for (const phase of PHASES.slice(0, 3)) await first.api.claim(id, phase);
    for (const reader of readers) await untilEvents(reader, 8);
    await first.process.kill();
    const { api, url } = await startApiProcess(first.port);
    await until('500 streams again', async () => (await openStreams(url)) === 500);
    for (const phase of PHASES.slice(3)) await api.claim(id, phase);
    await Promise.all(readers.map(({ ended }) => ended));
    const expected = await auditOf(api, id);
    for (const reader of readers) expect(reader.ids()).toEqual(expected);
    await until('nobody left', async () => (await openStreams(url)) === 0);
  });
});

/** Asks for a project's stream and takes nothing of it. */
function connectWithoutReading(port: string): void {
  const socket = connect(Number(port), '127.0.0.1').on('error', () => undefined);
  onTestFinished(() => void socket.destroy());
  socket.write('GET /api/workflows/project/large/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
  socket.pause();
}

describe('a reader that takes nothing', () => {
  it('is cut off while others go on; a shutdown waits neither for it nor for them', async () => {
    const { process, url, port } = await startApiProcess();
    const mirror = createMirror({ databaseUrl: test.databaseUrl, poolSize: 1 });
    onTestFinished(() => mirror.close());
    const reader = await readEvents(`${url}/api/workflows/project/large/events`);
    connectWithoutReading(port);
    await until('two streams', async () => (await openStreams(url)) === 2);
    let builds = 0;
    const flushLarge = async (): Promise<void> => {
      builds += 1;
      const large = completePhase({ discovered_reqs: ['x'.repeat(900_000)], success_criteria: ['works'] });
      for (const step of steps(specOf(`large-${builds}`, { projectId: 'large' }), [large])) {
        await mirror.flush(flushOf(step), { timeoutMs: 10_000 });
      }
      // As fast as the other one reads: on a busy machine it would be behind as well.
      await untilEvents(reader, builds * 4);
    };
    await until('the slow one cut off', async () => {
      await flushLarge();
      return (await openStreams(url)) === 1;
    });
    await flushLarge();
    expect(new Set(reader.ids()).size).toBe(reader.events.length);

    const watchers = await Promise.all(
      Array.from({ length: 50 }, () => readEvents(`${url}/api/workflows/project/silent/events`)),
    );
    connectWithoutReading(port);
    await until('all streams', async () => (await openStreams(url)) === 52);
    // By itself: a stop that hangs is cut off with another code.
    expect(await process.stop()).toBe(143);
    await Promise.all([reader, ...watchers].map(({ ended }) => ended));
  });
});
