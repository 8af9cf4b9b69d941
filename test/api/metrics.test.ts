import { createServer } from 'node:http';
import { connect } from 'node:net';
import express from 'express';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createMetrics } from '../../src/api/metrics.ts';
import { readApiKeys } from '../../src/api-keys.ts';
import { serve } from './serve.ts';

const { keys } = readApiKeys('all:secret-of-all,web(project=web):secret-of-web,eye(read-only):secret-of-eye');
const as = (name: string) => ({ authorization: `Bearer secret-of-${name}` });

/** The values of one figure by their labels, as Prometheus reads them. */
function valuesOf(text: string, name: string): Record<string, number> {
  const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  return Object.fromEntries(
    lines.map((line) => [line.slice(name.length, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );
}
const COUNT = 'q_api_call_duration_seconds_count';

describe('GET /metrics', () => {
  it('counts calls and their time by operation, method and status, never by path or id', async () => {
    const api = await serve();
    const id = await api.startExternal();
    await api.get(`/api/workflows/${id}/status`);
    await api.get(`/api/workflows/${id}/status?x=1`);
    await api.get('/api/workflows/no-such-build/status');
    await api.get(`/nowhere/${id}`);
    await api.send('/healthz', { method: 'HEAD' });
    const { status, headers, text } = await api.get('/metrics');
    expect([status, headers.get('content-type')]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
    expect(valuesOf(text, COUNT)).toEqual({
      '{method="POST",operation="startWorkflow",status="200"}': 1,
      '{method="GET",operation="workflowStatus",status="200"}': 2,
      '{method="GET",operation="workflowStatus",status="404"}': 1,
      '{method="GET",operation="none",status="404"}': 1,
      '{method="HEAD",operation="health",status="200"}': 1,
    });
    expect(text).toContain('q_api_call_duration_seconds_bucket{le="0.5",method="GET"');
    expect(text).not.toMatch(new RegExp(`${id}|no-such-build|nowhere|shop`));
    expect(text).toMatch(/^process_cpu_seconds_total /m);
    expect(text).toMatch(/^nodejs_heap_size_used_bytes /m);
  });

  it('counts refusals by their code, those of strangers and of the limit from nothing on', async () => {
    const api = await serve({ keys, rateLimitPerS: 2 });
    const before = await api.get('/metrics', as('all'));
    expect(valuesOf(before.text, 'q_api_problems_total')).toEqual({
      '{code="rate_limited"}': 0,
      '{code="unauthorized"}': 0,
    });
    await api.get('/api/workflows/x/status');
    await api.get('/api/workflows/x/status', as('all'));
    await api.get('/api/workflows/x/status', as('all'));
    api.clock.nowMs += 1000;
    const { text } = await api.get('/metrics', as('all'));
    expect(valuesOf(text, 'q_api_problems_total')).toEqual({
      '{code="rate_limited"}': 1,
      '{code="unauthorized"}': 1,
      '{code="not_found"}': 1,
    });
  });

  it('is of this server alone', async () => {
    const [one, other] = [await serve(), await serve()];
    await one.get('/healthz');
    expect(valuesOf((await other.get('/metrics')).text, COUNT)).toEqual({});
  });

  it('needs a key where there are keys, one that only reads will do', async () => {
    const api = await serve({ keys });
    expect((await api.get('/metrics')).status).toBe(401);
    expect((await api.get('/metrics', as('eye'))).status).toBe(200);
  });

  it('is not there for keys that are bound to projects', async () => {
    const api = await serve({ keys });
    const [bound, none] = [await api.get('/metrics', as('web')), await api.get('/nothing', as('web'))];
    expect(bound.status).toBe(404);
    expect(bound.text).toBe(none.text.replace('/nothing', '/metrics'));
  });
});

describe('the figures', () => {
  /** A server whose answers begin and end when the test says so. */
  async function figures() {
    const metrics = createMetrics();
    const app = express();
    app.use(metrics.count);
    const streams: express.Response[] = [];
    app.get('/events', (_req, res) => {
      res.writeHead(200, { 'Content-Type': 'text/event-stream' });
      res.write('\n');
      streams.push(res);
    });
    let asked = (): void => undefined;
    const silent = new Promise<void>((resolve) => {
      asked = resolve;
    });
    app.get('/silent', () => asked());
    const server = createServer(app);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => server.closeAllConnections());
    onTestFinished(() => void server.close());
    const address = server.address();
    if (typeof address !== 'object' || address === null) throw new Error('no port');
    const { port } = address;
    return { metrics, streams, silent, port, url: `http://127.0.0.1:${port}` };
  }
  const closed = (res: express.Response) => new Promise<void>((resolve) => res.once('close', resolve));

  it('tell how many event streams are open now', async () => {
    const { metrics, streams, url } = await figures();
    const open = async () => valuesOf(await metrics.text(), 'q_api_event_streams_open')[''];
    expect(await open()).toBe(0);
    await Promise.all([fetch(`${url}/events`), fetch(`${url}/events`)]);
    expect(await open()).toBe(2);
    const [first] = streams;
    if (!first) throw new Error('no stream');
    const ended = closed(first);
    first.end();
    await ended;
    expect(await open()).toBe(1);
  });

  it('tell of callers who left before an answer began', async () => {
    const { metrics, silent, port } = await figures();
    const socket = connect({ host: '127.0.0.1', port }, () => socket.write('GET /silent HTTP/1.1\r\nHost: x\r\n\r\n'));
    await silent;
    socket.destroy();
    await expect
      .poll(async () => valuesOf(await metrics.text(), COUNT))
      .toEqual({ '{method="GET",operation="none",status="aborted"}': 1 });
  });
});
