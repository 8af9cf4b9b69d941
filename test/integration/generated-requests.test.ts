import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeApi } from '../../src/api/openapi/describe.ts';
import { ROUTES } from '../../src/api/routes.ts';
import { startInEveryState } from '../openapi/known-builds.ts';
import { createRequests } from '../openapi/request-arbitrary.ts';
import { createSender } from '../openapi/send.ts';
import { createJudge } from '../openapi/verdict.ts';
import { startTestProduct, type TestProduct } from './fixtures/product.ts';

/** One seed for each round, so that every run tries the same. Each round has fresh builds: commands end those it has. */
const SEEDS = [20_260_101, 20_260_102, 20_260_103];
const RUNS = 120;

let product: TestProduct;
let api: TestProduct['api'];

beforeAll(async () => {
  product = await startTestProduct();
  ({ api } = product);
});
afterAll(() => product?.stop());

const document = describeApi(ROUTES);
const judge = createJudge(document);

type Row = Readonly<{ seq: number }>;

it.each(SEEDS)('requests generated with seed %s are answered as described, and harm no build', async (seed) => {
  const known = await startInEveryState(api, `round-${seed}`);
  const sender = createSender(api.url);
  const statuses = new Set<number>();
  const property = fc.asyncProperty(createRequests(document, known), async (request) => {
    const answer = await sender.sendPatiently(request);
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
});
