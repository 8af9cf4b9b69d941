import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ApiError } from '../../src/client/api-error.ts';
import { createClient, type StreamedEvent } from '../../src/client/client.ts';
import { ROLES } from '../../src/machine/states.ts';
import { complete, serve } from '../api/serve.ts';

const START = { build_id: 'b-1', user_id: 'ann', requirements: 'a slugifier', external_roles: ROLES };

/** A server that is not the API; it ends with the test. */
async function stranger(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const caught = (call: Promise<unknown>): Promise<ApiError> =>
  call.then(
    () => {
      throw new Error('the call succeeded');
    },
    (error: ApiError) => error,
  );

describe('the client', () => {
  it('speaks every call of the API', async () => {
    const api = await serve();
    const client = createClient({ url: `${api.server.url}/` });
    const { workflow_id: id } = await client.start('a project/with ä', START);
    expect(await client.health()).toEqual({ status: 'ok' });
    const body = { role: 'Q_ASSISTANT', completed_state: 'DISCOVERY', phase_result: { discovered_reqs: ['x'] } };
    expect(await client.advance(id, body)).toMatchObject({ previous_state: 'discovery', new_state: 'planning' });
    expect(await client.requestRetry(id, { reason: 'again' })).toMatchObject({ new_state: 'discovery' });
    await complete(api, id, ['discovery', 'planning']);
    const back = { target_state: 'planning', reason: 'another plan' };
    expect(await client.rollback(id, back)).toMatchObject({ rollback_successful: true, new_state: 'planning' });
    expect(await client.status(id)).toMatchObject({ project_id: 'a project/with ä', current_state: 'planning' });
    expect(await client.abort(id, { reason: 'enough' })).toMatchObject({ status: 'cancelled' });
    api.mirror.flush(api.heldBuild(id));
    const found = await client.list({ project_id: 'a project/with ä', status: 'cancelled', limit: 1 });
    expect(found).toMatchObject({ workflows: [{ workflow_id: id }], next_cursor: null });
    expect(await client.list({ project_id: 'another' })).toEqual({ workflows: [], next_cursor: null });
    expect(await client.stats('a project/with ä')).toMatchObject({ total_workflows: 1, failed: 1 });
  });

  it('speaks the calls of an outside agent', async () => {
    const api = await serve();
    const client = createClient({ url: api.server.url });
    const asked = { project_id: 'shop', user_id: 'ann', requirements: { goal: 'a slugifier' } };
    const { workflow_id: id } = await client.initialize(asked, { idempotencyKey: 'key-1' });
    expect(await client.initialize(asked, { idempotencyKey: 'key-1' })).toMatchObject({ workflow_id: id });
    const prompt = await client.aiPrompt(id);
    expect(prompt.messages[0]).toMatchObject({ role: 'system', content: expect.stringContaining('q_assistant') });
    const done = { workflow_id: id, ai_response: 'slugs', phase_result: { discovered_reqs: ['slugs'] } };
    expect(await client.completePhase(done)).toMatchObject({ previous_state: 'discovery', new_state: 'planning' });
    expect(await client.aiStatus(id)).toMatchObject({ current_state: 'planning', progress: 17, is_complete: false });
    expect(await client.startFromChat({ ...asked, build_id: 'from-chat' })).toMatchObject({ state: 'discovery' });
  });

  it('tells of a server that is not ready, as of one that is', async () => {
    const parts = { temporal: true, mirror: true };
    const api = await serve({ readiness: async () => parts });
    const client = createClient({ url: api.server.url });
    expect(await client.readiness()).toEqual({ status: 'ready', temporal: true, mirror: true });
    parts.mirror = false;
    expect(await client.readiness()).toEqual({ status: 'not_ready', temporal: true, mirror: false });
  });

  it('gives all pages of the history, each row once', async () => {
    const api = await serve();
    const client = createClient({ url: api.server.url });
    const { workflow_id: id } = await client.start('p', START);
    await complete(api, id, ['discovery', 'planning', 'implementation']);
    const all = await client.history(id);
    const first = await client.history(id, { limit: 2 });
    const second = await client.history(id, { limit: 500, cursor: first.next_cursor });
    expect([...first.events, ...second.events]).toEqual(all.events);
    const pages = [];
    for await (const page of client.historyPages(id)) pages.push(page);
    expect(pages).toEqual([all]);
  });

  it('turns a problem into an error with its code, message, faults and request id', async () => {
    const api = await serve();
    const client = createClient({ url: api.server.url });
    const error = await caught(client.start('p', { ...START, user_id: '', requirements: '' }));
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({
      code: 'invalid_body',
      facts: { status: 400, requestId: expect.stringMatching(/.{36}/) },
    });
    expect(error.message).toContain('user_id');
    expect(error.facts.faults.map(({ at }) => at)).toEqual(['user_id', 'requirements']);
  });

  it('tells the state a refused command met, and what is allowed in it', async () => {
    const api = await serve();
    const client = createClient({ url: api.server.url });
    const { workflow_id: id } = await client.start('p', START);
    const error = await caught(client.requestRetry(id, { reason: 'again' }));
    expect(error).toMatchObject({ code: 'nothing_before', facts: { status: 409, currentState: 'discovery' } });
    expect(error.facts.allowed.length).toBeGreaterThan(0);
  });

  it('makes a command safe to repeat: with the same key it takes effect once', async () => {
    const api = await serve();
    const client = createClient({ url: api.server.url });
    const { workflow_id: id } = await client.start('p', START);
    await complete(api, id, ['discovery', 'planning']);
    const repeat = () => client.requestRetry(id, { reason: 'again' }, { idempotencyKey: 'key-1' });
    expect(await repeat()).toEqual(await repeat());
    const { events } = await client.history(id);
    expect(events.filter(({ event_type: type }) => type === 'retry_requested')).toHaveLength(1);
  });

  it('sends a key with every command and none with what only reads, and the API key with both', async () => {
    const heard: [string, unknown, unknown][] = [];
    const url = await stranger((req, res) => {
      heard.push([req.method ?? '', req.headers['idempotency-key'], req.headers.authorization]);
      res.end('{}');
    });
    const client = createClient({ url, apiKey: 'secret-1' });
    await client.abort('x', { reason: 'r' });
    await client.abort('x', { reason: 'r' });
    await client.status('x');
    await client.aiPrompt('x');
    const uuid = expect.stringMatching(/^[0-9a-f-]{36}$/);
    expect(heard).toEqual([
      ['POST', uuid, 'Bearer secret-1'],
      ['POST', uuid, 'Bearer secret-1'],
      ['GET', undefined, 'Bearer secret-1'],
      ['POST', undefined, 'Bearer secret-1'],
    ]);
    expect(heard[0]?.[1]).not.toBe(heard[1]?.[1]);
  });

  it('gives up a call at its deadline and says with which key it can be repeated', async () => {
    const url = await stranger(() => undefined);
    const client = createClient({ url, deadlineMs: 50 });
    const error = await caught(client.abort('x', { reason: 'r' }, { idempotencyKey: 'key-2' }));
    expect(error).toMatchObject({ code: 'no_answer', facts: { status: null, idempotencyKey: 'key-2' } });
    expect(error.message).toContain('no answer within 50 ms');
  });

  it('gives up an answer that begins but does not end by the deadline', async () => {
    const url = await stranger((_req, res) => void res.write('{"status":'));
    expect(await caught(createClient({ url, deadlineMs: 50 }).health())).toMatchObject({ code: 'no_answer' });
  });

  it('ends a call with the reason of the signal that aborted it', async () => {
    const url = await stranger(() => undefined);
    const reason = new Error('seen enough');
    const call = createClient({ url }).status('x', { signal: AbortSignal.abort(reason) });
    await expect(call).rejects.toBe(reason);
  });

  it('names the address where nobody listens', async () => {
    const error = await caught(createClient({ url: 'http://127.0.0.1:1' }).health());
    expect(error.code).toBe('unreachable');
    expect(error.message).toContain('Nothing answers at http://127.0.0.1:1');
  });

  it.each([
    ['a page of HTML', 200, '<html></html>'],
    ['an error page of a proxy', 502, '<h1>Bad gateway</h1>'],
    ['JSON that is no object', 200, '[]'],
    ['an error of another API', 404, '{"message":"no"}'],
  ])('does not take %s for an answer', async (_, status, text) => {
    const url = await stranger((_req, res) => void res.writeHead(status).end(text));
    expect(await caught(createClient({ url }).health())).toMatchObject({ code: 'not_the_api', facts: { status } });
  });
});

describe('a stream of the client', () => {
  const collected = async (stream: AsyncIterable<StreamedEvent>): Promise<[string, unknown][]> => {
    const seen: [string, unknown][] = [];
    for await (const { id, event } of stream) seen.push([id, event.id]);
    return seen;
  };
  const first = (stream: AsyncGenerator<StreamedEvent, void>): Promise<unknown> => stream.next();

  it('gives the events of a build behind an id, and ends with the build', async () => {
    const api = await serve();
    const client = createClient({ url: api.server.url });
    const { workflow_id: id } = await client.start('p', START);
    await client.abort(id, { reason: 'enough' });
    api.mirror.flush(api.heldBuild(id));
    const { events } = await client.history(id);
    const ids = events.map((event): [string, unknown] => [event.id, event.id]);
    expect(await collected(client.events(id))).toEqual(ids);
    expect(await collected(client.events(id, { lastEventId: '1.1' }))).toEqual(ids.slice(1));
    expect(await collected(client.events(id, { lastEventId: ids.at(-1)?.[0] ?? null }))).toEqual([]);
  });

  it('gives the events of a project until it is aborted, with the reason of that', async () => {
    const api = await serve();
    api.feed.add({ workflowId: 'w', projectId: 'a project/with ä' });
    api.feed.add({ workflowId: 'w', projectId: 'a project/with ä' });
    const controller = new AbortController();
    const stream = createClient({ url: api.server.url }).projectEvents('a project/with ä', {
      lastEventId: '1',
      signal: controller.signal,
    });
    expect(await first(stream)).toMatchObject({ value: { id: '2', event: { workflow_id: 'w', id: '1.2' } } });
    const reason = new Error('seen enough');
    controller.abort(reason);
    await expect(first(stream)).rejects.toBe(reason);
  });

  it('says that it broke off, as when the server goes away in the middle of an event', async () => {
    const api = await serve();
    api.feed.add({ workflowId: 'w', projectId: 'p' });
    const stream = createClient({ url: api.server.url }).projectEvents('p');
    await first(stream);
    api.live.close();
    expect(await caught(first(stream))).toMatchObject({ code: 'unreachable' });
    const url = await stranger((_req, res) => {
      res.setHeader('Content-Type', 'text/event-stream');
      res.write('data: {"a"');
      setTimeout(() => res.destroy(), 20);
    });
    expect(await caught(first(createClient({ url }).events('w')))).toMatchObject({ code: 'unreachable' });
  });

  it('fails as any other call does', async () => {
    const api = await serve();
    const client = createClient({ url: api.server.url });
    const refused = await caught(first(client.projectEvents('p', { lastEventId: 'x' })));
    expect(refused).toMatchObject({ code: 'invalid_body', facts: { status: 400, faults: [{ at: 'Last-Event-ID' }] } });
    expect(await caught(first(client.events('none')))).toMatchObject({ code: 'not_found' });
    const other = await stranger((_req, res) => void res.end('{}'));
    expect(await caught(first(createClient({ url: other }).events('w')))).toMatchObject({ code: 'not_the_api' });
    const silent = await stranger(() => undefined);
    const waiting = createClient({ url: silent, deadlineMs: 50 }).events('w');
    expect(await caught(first(waiting))).toMatchObject({ code: 'no_answer' });
    const nobody = createClient({ url: 'http://127.0.0.1:1' }).events('w');
    expect(await caught(first(nobody))).toMatchObject({ code: 'unreachable' });
  });
});
