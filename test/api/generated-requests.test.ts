import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readApiKeys } from '../../src/api-keys.ts';
import { AppError } from '../../src/errors.ts';
import { STATES } from '../../src/machine/states.ts';
import type { FakeBuild } from '../fakes/fake-builds.ts';
import { DOCUMENT } from '../openapi/document.ts';
import { type KnownBuild, startInEveryState } from '../openapi/known-builds.ts';
import { createRequests } from '../openapi/request-arbitrary.ts';
import { createSender } from '../openapi/send.ts';
import { createJudge } from '../openapi/verdict.ts';
import { type Served, serve } from './serve.ts';

/** One seed, so that every run tries the same; the bench tries others. */
const SEED = 20_260_101;
const RUNS = 2000;
const RUNS_WITH_KEYS = 400;

const judge = createJudge(DOCUMENT);

/** Builds are values that the machine replaces, so that a copy of what holds them is a copy of them. */
const copyOf = (held: FakeBuild): FakeBuild => ({ ...held, rows: [...held.rows] });

/** Puts builds back, so that each request finds them as the one before did. */
function reset({ builds, logged }: Served, seeds: readonly FakeBuild[]): void {
  builds.builds.clear();
  for (const held of seeds) builds.builds.set(held.build.spec.workflowId, copyOf(held));
  builds.started.length = 0;
  builds.executed.length = 0;
  logged.length = 0;
}

const away = (code: 'temporal_unreachable' | 'no_worker'): AppError => new AppError(code, 'away', { retryAfterS: 5 });

const OUTAGES: Readonly<Record<string, (api: Served) => void>> = {
  none: () => undefined,
  Temporal: ({ builds }) => {
    builds.fault = away('temporal_unreachable');
  },
  worker: ({ builds }) => {
    builds.silent = away('no_worker');
  },
  mirror: ({ mirror }) => {
    mirror.mood = 'refuses';
  },
};
const outage = fc.oneof(
  { weight: 6, arbitrary: fc.constant('none') },
  ...['Temporal', 'worker', 'mirror'].map((part) => ({ weight: 1, arbitrary: fc.constant(part) })),
);

function suffer(api: Served, part: string): void {
  api.builds.fault = null;
  api.builds.silent = null;
  api.mirror.mood = 'answers';
  OUTAGES[part]?.(api);
}

async function builtSeeds(): Promise<{ known: KnownBuild[]; seeds: FakeBuild[] }> {
  const api = await serve();
  const known = await startInEveryState(api, 'build');
  return { known, seeds: [...api.builds.builds.values()].map(copyOf) };
}

async function serveSeeds(seeds: readonly FakeBuild[], overrides: Parameters<typeof serve>[0] = {}): Promise<Served> {
  const api = await serve(overrides);
  for (const held of seeds) api.mirror.flush(copyOf(held));
  reset(api, seeds);
  return api;
}

describe('requests that are generated from the description of the API', () => {
  it(`are answered as it says, ${RUNS} of them, and none breaks the server`, async () => {
    const { known, seeds } = await builtSeeds();
    expect(new Set(known.map(({ completedState }) => completedState)).size).toBe(STATES.length - 2);
    const api = await serveSeeds(seeds);
    const sender = createSender(api.server.url);
    const statuses = new Set<number>();
    const property = fc.asyncProperty(createRequests(DOCUMENT, known), outage, async (request, part) => {
      reset(api, seeds);
      suffer(api, part);
      const answer = await sender.send(request);
      statuses.add(answer.status);
      expect(judge(request, answer, part !== 'none')).toEqual([]);
      // What callers do wrong is no operator's business.
      if (part === 'none') expect(api.logged.filter((line) => /"level":[4-6]0/.test(line))).toEqual([]);
    });
    await fc.assert(property, { numRuns: RUNS, seed: SEED });
    sender.close();
    // What is tried must be worth trying: requests that succeed are in it, and every kind of refusal.
    expect([...statuses]).toEqual(expect.arrayContaining([200, 204, 400, 403, 404, 405, 409, 413, 415, 503]));
  });

  it(`are answered as it says also with API keys, ${RUNS_WITH_KEYS} of them`, async () => {
    const { known, seeds } = await builtSeeds();
    const { keys } = readApiKeys('ann:secret-of-ann,eve(project=other):secret-of-eve,bob(read-only):secret-of-bob');
    const api = await serveSeeds(seeds, { keys });
    const sender = createSender(api.server.url);
    const statuses = new Set<number>();
    const authorization = fc
      .constantFrom('ann', 'ann', 'eve', 'bob', 'nobody')
      .map((name) => `Bearer secret-of-${name}`);
    const requests = createRequests(DOCUMENT, known);
    const property = fc.asyncProperty(
      requests,
      fc.option(authorization, { freq: 9 }),
      async (request, Authorization) => {
        reset(api, seeds);
        api.clock.nowMs += 1000;
        const headers = { ...request.headers, ...(Authorization === null ? {} : { Authorization }) };
        // Who may not call is refused before the call is looked at.
        const answer = await sender.send({ ...request, headers });
        statuses.add(answer.status);
        const isLetIn = ![401, 403, 404].includes(answer.status);
        expect(judge({ ...request, fits: isLetIn ? request.fits : null }, answer, false)).toEqual([]);
      },
    );
    await fc.assert(property, { numRuns: RUNS_WITH_KEYS, seed: SEED });
    sender.close();
    expect([...statuses]).toEqual(expect.arrayContaining([200, 400, 401, 403, 404, 409]));
  });
});
