import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { PAYLOAD_CONVERTER_PATH } from '../../../src/payload-converter-path.ts';
import { SEARCH_ATTRIBUTES } from '../../../src/workflows/messages.ts';
import { type FakeModel, startFakeModel } from '../../fakes/model.ts';
import { type Caller, callerOf } from '../fixtures/api.ts';
import { until } from '../fixtures/builds.ts';
import { type Cluster, describeWithCluster, startCluster } from '../fixtures/cluster.ts';
import type { TestProcess } from '../fixtures/process.ts';
import { sandboxEnvironment } from '../fixtures/sandbox.ts';

async function urlOf(api: TestProcess): Promise<string> {
  await api.says('The API is up on http');
  const [, port] = /The API is up on http:\/\/\S+:(\d+)/.exec(api.output()) ?? [];
  return `http://127.0.0.1:${port}`;
}

describeWithCluster('the production shape: Temporal on PostgreSQL, two APIs, two workers, secrets by file', () => {
  let cluster: Cluster;
  let model: FakeModel;
  let client: Client;
  let workers: TestProcess[];
  let apis: TestProcess[];
  let near: Caller;
  let far: Caller;
  const closing: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    model = await startFakeModel();
    closing.push(() => model.stop());
    cluster = await startCluster({
      ...(await sandboxEnvironment()),
      LOCAL_MODEL_BASE_URL: model.baseUrl,
      MODEL: 'local/model',
      LOG_LEVEL: 'warn',
    });
    closing.push(() => cluster.stop());
    await Promise.all([cluster.once('temporal-setup'), cluster.once('migrate')]);
    workers = [cluster.start('worker'), cluster.start('worker')];
    apis = [cluster.start('api'), cluster.start('api')];
    const connection = await Connection.connect({ address: cluster.temporalAddress });
    closing.push(() => connection.close());
    client = new Client({ connection, dataConverter: { payloadConverterPath: PAYLOAD_CONVERTER_PATH } });
    const urls = await Promise.all(apis.map(urlOf));
    [near, far] = urls.map((url) => callerOf(url, cluster.apiKey)) as [Caller, Caller];
    await Promise.all(workers.map((worker) => worker.says('The worker is up')));
  });
  afterAll(async () => {
    for (let close = closing.pop(); close !== undefined; close = closing.pop()) await close();
  });

  it('is set up by commands that may run again, as they do at every start', async () => {
    await cluster.once('temporal-schema');
    await cluster.once('temporal-setup');
    expect(await cluster.once('migrate')).toContain('The schema is up to date.');
    const { customAttributes } = await client.connection.operatorService.listSearchAttributes({ namespace: 'default' });
    expect(Object.keys(customAttributes ?? {}).sort()).toEqual(Object.keys(SEARCH_ATTRIBUTES).sort());
    const { config } = await client.workflowService.describeNamespace({ namespace: 'default' });
    expect(Number(config?.workflowExecutionRetentionTtl?.seconds)).toBe(30 * 24 * 3600);
  });

  it('is ready, and serves only who has a key of the file', async () => {
    for (const api of [near, far]) await until('readiness', async () => (await api.get('/readyz')).status === 200);
    const stranger = callerOf(await urlOf(apis[0] as TestProcess));
    expect(await stranger.get('/api/workflows')).toMatchObject({ status: 401 });
    expect(await near.get('/api/workflows')).toMatchObject({ status: 200 });
  });

  it('goes on with a build whose worker was killed, started at one API and steered at the other', async () => {
    const build = `build-${randomUUID()}`;
    const release = model.hold('implementation', build);
    const id = await near.start({ build_id: build, external_roles: ['q_assistant'] });
    expect(await far.claim(id, 'discovery')).toMatchObject({ status: 200, body: { new_state: 'planning' } });
    expect(await near.get(`/api/workflows/${id}/status`)).toMatchObject({ body: { current_state: 'planning' } });
    expect(await far.claim(id, 'planning')).toMatchObject({ status: 200 });
    await until('the call of the model', async () => model.calls.find((call) => call.build === build));
    const { raw } = await client.workflow.getHandle(id).describe();
    const pid = Number.parseInt(raw.pendingActivities?.[0]?.lastWorkerIdentity ?? '', 10);
    const busy = workers.find((worker) => worker.pid === pid);
    if (!busy) throw new Error(`worker ${pid} is none of ${workers.map((worker) => worker.pid)}`);
    await busy.kill();
    release();
    const done = await near.untilState(id, 'complete');
    expect(done).toMatchObject({ status: 'complete', completed_phases: expect.arrayContaining(['deployment']) });
    const calls = model.calls.filter((call) => call.build === build && call.phase === 'implementation');
    expect(calls.length).toBe(2);
    await far.untilOver(id);
    const { events, handoff_count } = (await far.read(`/api/workflows/${id}/history`)).body;
    const numbers = (events as { seq: number }[]).map(({ seq }) => seq);
    expect(numbers).toEqual(numbers.map((_, i) => i + 1));
    expect(handoff_count).toBe(5);
    workers = workers.filter((worker) => worker !== busy);
  });

  it('finds builds by the search attributes that were registered', async () => {
    const id = await far.start({ external_roles: ['q_assistant'] });
    const query = `BuildState = 'discovery' AND BuildProject = 'shop' AND BuildNeedsOperator = false`;
    await until('the index', async () => {
      for await (const { workflowId } of client.workflow.list({ query })) if (workflowId === id) return true;
      return false;
    });
  });

  it('stops in order when its containers are told to', async () => {
    const running = [...apis, ...workers];
    expect(await Promise.all(running.map((one) => one.stop('SIGTERM')))).toEqual(running.map(() => 143));
  });
});
