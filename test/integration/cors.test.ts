import { randomUUID } from 'node:crypto';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readApiKeys } from '../../src/api-keys.ts';
import type { RunningApi } from '../../src/compose/api.ts';
import type { RunningWorker } from '../../src/compose/worker.ts';
import { ROLES } from '../../src/machine/states.ts';
import { type FakeModel, startFakeModel } from '../fakes/model.ts';
import { type Caller, startBody, startTestApi } from './fixtures/api.ts';
import { describeInBrowser, openBrowser } from './fixtures/browser.ts';
import { startTestStack, type TestStack } from './fixtures/stack.ts';
import { callFrom, type PageServer, servePage, watchFrom } from './fixtures/web-page.ts';
import { startTestWorker } from './fixtures/worker.ts';

const SECRET = 'secret-12345';

describeInBrowser('a page in a browser', () => {
  let test: TestStack;
  let model: FakeModel;
  let worker: RunningWorker;
  let listed: PageServer;
  let other: PageServer;
  /** Open to this machine, as while a frontend is developed. */
  let open: RunningApi & Caller;
  let guarded: RunningApi & Caller;
  let browser: Browser;

  beforeAll(async () => {
    [listed, other] = [await servePage(), await servePage()];
    test = await startTestStack({ CORS_ORIGINS: listed.origin });
    model = await startFakeModel();
    worker = await startTestWorker(test, model);
    open = await startTestApi(test);
    const { keys } = readApiKeys(`ann:${SECRET}`);
    guarded = await startTestApi({ ...test, config: { ...test.config, api: { ...test.config.api, keys } } });
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await Promise.allSettled([open?.close(), guarded?.close(), listed?.stop(), other?.stop()]);
    await worker?.close();
    await model?.stop();
    await test?.stop();
  });

  const pageOf = async ({ origin }: PageServer): Promise<Page> => {
    const page = await browser.newPage();
    await page.goto(origin);
    return page;
  };
  const startCall = (headers: Record<string, string> = {}, more = {}) => ({
    method: 'POST' as const,
    headers: { 'Content-Type': 'application/json', 'Idempotency-Key': randomUUID(), ...headers },
    body: JSON.stringify(startBody({ external_roles: ROLES, ...more })),
  });

  it('of an origin in CORS_ORIGINS starts a build, steers it, and sees its events as they happen', async () => {
    const page = await pageOf(listed);
    const call = startCall();
    const started = await callFrom(page, `${open.url}/api/workflows/shop/start`, call);
    expect(started).toMatchObject({ status: 200, body: { initial_state: 'discovery' } });
    expect(started.headers).toMatchObject({
      'idempotency-key': call.headers['Idempotency-Key'],
      'x-request-id': expect.stringMatching(/./),
    });
    const id = String(started.body.workflow_id);
    const at = `${open.url}/api/workflows/${id}`;
    const abort = { ...startCall(), body: JSON.stringify({ reason: 'seen enough' }) };
    const [seen, aborted] = await Promise.all([
      watchFrom(page, `${at}/events`, ['build_started', 'aborted', 'end']),
      callFrom(page, `${at}/abort`, abort),
    ]);
    expect(aborted).toMatchObject({ status: 200, body: { aborted: true } });
    expect(seen.map(({ name }) => name)).toEqual(['build_started', 'aborted', 'end']);
    expect(seen[0]).toMatchObject({ id: '1.1', data: { event_type: 'build_started' } });
    expect(await callFrom(page, `${at}/status`)).toMatchObject({ status: 200, body: { status: 'cancelled' } });
  });

  it('of an origin in CORS_ORIGINS proves itself with an API key, and reads its limits and its refusals', async () => {
    const page = await pageOf(listed);
    const start = `${guarded.url}/api/workflows/shop/start`;
    const headers = { Authorization: `Bearer ${SECRET}` };
    const started = await callFrom(page, start, startCall(headers));
    expect(started).toMatchObject({ status: 200, headers: { ratelimit: expect.stringMatching(/./) } });
    const status = `${guarded.url}/api/workflows/${started.body.workflow_id}/status`;
    expect(await callFrom(page, status, { headers })).toMatchObject({
      status: 200,
      body: { current_state: 'discovery' },
    });
    expect(await callFrom(page, status)).toMatchObject({ status: 401, body: { code: 'unauthorized' } });
    const faulty = await callFrom(page, start, startCall(headers, { user_id: '' }));
    expect(faulty).toMatchObject({ status: 400, body: { code: 'invalid_body', faults: [{ at: 'user_id' }] } });
    expect(faulty.headers['x-request-id']).toMatch(/./);
  });

  it('of another origin changes nothing and learns nothing', async () => {
    const page = await pageOf(other);
    const headers = { Authorization: `Bearer ${SECRET}` };
    const call = startCall(headers);
    const known = await open.start({ external_roles: ROLES });
    for (const { url } of [open, guarded]) {
      await expect(callFrom(page, `${url}/api/workflows/shop/start`, call)).rejects.toThrow('Failed to fetch');
      await expect(callFrom(page, `${url}/api/workflows/${known}/status`, { headers })).rejects.toThrow(
        'Failed to fetch',
      );
      await expect(callFrom(page, `${url}/healthz`)).rejects.toThrow('Failed to fetch');
      const stream = watchFrom(page, `${url}/api/workflows/${known}/events`, ['build_started']);
      await expect(stream).rejects.toThrow('the stream failed');
    }
    // The start would have been refused as another content under a build_id that is taken.
    const { build_id: buildId } = JSON.parse(call.body) as { build_id: string };
    await open.start({ build_id: buildId, requirements: 'something else', external_roles: ROLES });
  });
});
