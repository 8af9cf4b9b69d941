import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeApi } from '../../src/api/openapi/describe.ts';
import { ROUTES } from '../../src/api/routes.ts';
import type { RunningApi } from '../../src/compose/api.ts';
import type { RunningWorker } from '../../src/compose/worker.ts';
import { type FakeModel, startFakeModel } from '../fakes/model.ts';
import { startInEveryState } from '../openapi/known-builds.ts';
import { createRequests } from '../openapi/request-arbitrary.ts';
import { createSender } from '../openapi/send.ts';
import { createJudge } from '../openapi/verdict.ts';
import { type Caller, startTestApi } from './fixtures/api.ts';
import { startTestStack, type TestStack } from './fixtures/stack.ts';
import { startTestWorker } from './fixtures/worker.ts';

/** One seed for each round, so that every run tries the same. Each round has fresh builds: commands end those it has. */
const SEEDS = [20_260_101, 20_260_102, 20_260_103];
const RUNS = 120;
const TIMEOUT_MS = 180_000;

let test: TestStack;
let model: FakeModel;
let worker: RunningWorker | null = null;
let api: RunningApi & Caller;

beforeAll(async () => {
  test = await startTestStack();
  model = await startFakeModel();
  worker = await startTestWorker(test, model);
  api = await startTestApi(test);
});
afterAll(async () => {
  await api?.close();
  await worker?.close();
  await model?.stop();
  await test?.stop();
});

const document = describeApi(ROUTES);
const judge = createJudge(document);

type Row = Readonly<{ seq: number }>;

it.each(SEEDS)(
  'requests generated with seed %s are answered as described, and harm no build',
  async (seed) => {
    const known = await startInEveryState(api, `round-${seed}`);
    const sender = createSender(api.url);
    const statuses = new Set<number>();
    const property = fc.asyncProperty(createRequests(document, known), async (request) => {
      const answer = await sender.send(request);
      statuses.add(answer.status);
      expect(judge(request, answer, false)).toEqual([]);
    });
    await fc.assert(property, { numRuns: RUNS, seed });
    sender.close();
    expect([...statuses]).toEqual(expect.arrayContaining([200, 400, 404, 409]));
    for (const { workflowId } of known) {
      const status = await api.get(`/api/workflows/${workflowId}/status`);
      const history = await api.get(`/api/workflows/${workflowId}/history?limit=500`);
      expect([status.status, history.status]).toEqual([200, 200]);
      const rows = history.body.events as Row[];
      expect(rows.map(({ seq }) => seq)).toEqual(rows.map((_, index) => index + 1));
    }
  },
  TIMEOUT_MS,
);
