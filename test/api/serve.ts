import { createHash } from 'node:crypto';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { createApp } from '../../src/api/app.ts';
import { listen } from '../../src/api/listen.ts';
import { createLiveEvents, type LiveOptions } from '../../src/api/live/live-events.ts';
import type { ApiDeps } from '../../src/api/ports.ts';
import { AppError } from '../../src/errors.ts';
import { ROLES, type Role } from '../../src/machine/states.ts';
import { createFakeBuilds } from '../fakes/fake-builds.ts';
import { createFakeFeed } from '../fakes/fake-feed.ts';
import { createFakeMirror } from '../fakes/fake-mirror.ts';
import { NO_SOURCES } from '../fakes/no-sources.ts';
import { createAnswerCheck } from '../openapi/answer-check.ts';
import { DOCUMENT } from '../openapi/document.ts';

export type Reply = Readonly<{
  status: number;
  headers: Headers;
  text: string;
  body: Readonly<Record<string, unknown>>;
}>;

/** 2026-01-02T03:04:05.000Z */
export const NOW_MS = Date.UTC(2026, 0, 2, 3, 4, 5);

function memoryStore() {
  const contents = new Map<string, Buffer>();
  return {
    contents,
    async put(content: string | Uint8Array) {
      const bytes = Buffer.from(content as Uint8Array);
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      contents.set(sha256, bytes);
      return { sha256, bytes: bytes.length, preview: bytes.toString('utf8').slice(0, 40) };
    },
    async get(sha256: string) {
      const found = contents.get(sha256);
      if (!found) throw new AppError('artifact_missing', 'no such artifact');
      return found;
    },
  };
}

/** Made once: every answer of every test is held against the description of the API. */
let documented: ReturnType<typeof createAnswerCheck> | null = null;

/** A real HTTP server over fakes; it ends with the test. */
export async function serve(overrides: Partial<ApiDeps> = {}, liveOptions: Partial<LiveOptions> = {}) {
  const clock = { nowMs: NOW_MS };
  const logged: string[] = [];
  const builds = createFakeBuilds(() => clock.nowMs);
  const mirror = createFakeMirror();
  const artifacts = memoryStore();
  const log = pino({ level: 'debug' }, { write: (line: string) => logged.push(line) });
  const feed = createFakeFeed(mirror);
  const live = createLiveEvents({ feed, log, lookMs: 5, ...liveOptions });
  const ended: string[] = [];
  const app = createApp({
    builds,
    mirror,
    feed,
    live,
    noticeEnd: (workflowId) => ended.push(workflowId),
    artifacts,
    settings: {
      activeTimeoutMs: 3_600_000,
      maxSendBacks: 3,
      coverageMin: 80,
      sources: NO_SOURCES,
      models: {
        byRole: Object.fromEntries(ROLES.map((role) => [role, 'gpt-4'])) as Record<Role, string>,
        fallbacks: [],
        providers: { openai: { apiKey: 'sk-never-shown' } },
      },
    },
    log,
    now: () => clock.nowMs,
    readiness: async () => ({ temporal: true, mirror: true }),
    ...overrides,
  });
  const server = await listen(app, { host: '127.0.0.1', port: 0, fixed: false }, log);
  onTestFinished(() => {
    live.close();
    return server.close();
  });

  const send = async (path: string, init: RequestInit): Promise<Reply> => {
    const response = await fetch(`${server.url}${path}`, init);
    const text = await response.text();
    const body = text.startsWith('{') ? (JSON.parse(text) as Reply['body']) : {};
    const { status, headers } = response;
    const answer = { method: init.method ?? 'GET', path, status, headers: Object.fromEntries(headers), text };
    documented ??= createAnswerCheck(DOCUMENT);
    const faults = documented(answer);
    if (faults.length > 0) throw new Error(`the answer to ${path} is not as documented: ${faults.join('; ')}\n${text}`);
    return { status, headers, text, body };
  };
  const get = (path: string, headers: Record<string, string> = {}) => send(path, { headers });
  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    send(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' || body instanceof Uint8Array ? (body as string) : JSON.stringify(body),
    });
  /** Starts a build of which people do every phase, and gives its workflow_id. */
  const startExternal = async (buildId = 'build-1'): Promise<string> => {
    const body = { build_id: buildId, user_id: 'ann', requirements: 'a slugifier', external_roles: ROLES };
    const started = await post('/api/workflows/shop/start', body);
    if (started.status !== 200) throw new Error(started.text);
    return String(started.body.workflow_id);
  };
  const heldBuild = (workflowId: string) => {
    const held = builds.builds.get(workflowId);
    if (!held) throw new Error(`no build ${workflowId}`);
    return held;
  };
  return {
    builds,
    mirror,
    feed,
    live,
    artifacts,
    clock,
    logged,
    ended,
    server,
    send,
    get,
    post,
    startExternal,
    heldBuild,
  };
}

export type Served = Awaited<ReturnType<typeof serve>>;

/** A result of each phase that passes. */
export const RESULTS = {
  discovery: { discovered_reqs: ['slugs'], success_criteria: ['it works'] },
  planning: { plan: 'one function' },
  implementation: { code: 'export const slug = 1;' },
  testing: { all_tests_passed: true, test_coverage: 95 },
  verification: { approved_for_deployment: true },
  deployment: { deployment_successful: true, version: '1.0.0' },
} as const;

const OWNERS = {
  discovery: 'q_assistant',
  planning: 'q_assistant',
  implementation: 'code_writer',
  testing: 'test_auditor',
  verification: 'verification_overseer',
  deployment: 'release_manager',
} as const;

/** Hands on the results of the given phases, one after the other. */
export async function complete(api: Served, workflowId: string, phases: readonly (keyof typeof RESULTS)[]) {
  for (const phase of phases) {
    const body = { role: OWNERS[phase], completed_state: phase, phase_result: RESULTS[phase] };
    const reply = await api.post(`/api/workflows/${workflowId}/advance`, body);
    if (reply.status !== 200) throw new Error(reply.text);
  }
}
