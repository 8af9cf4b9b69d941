import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningApi } from '../../src/compose/api.ts';
import type { RunningWorker } from '../../src/compose/worker.ts';
import { type FakeModel, startFakeModel } from '../fakes/model.ts';
import { startTestApi } from './fixtures/api.ts';
import { comparable, runStep, stepsOf } from './fixtures/page.ts';
import { startTestStack, type TestStack } from './fixtures/stack.ts';
import { startTestWorker } from './fixtures/worker.ts';

const PAGE = fileURLToPath(new URL('../../docs/api.md', import.meta.url));

let test: TestStack;
let model: FakeModel;
let worker: RunningWorker;
let api: RunningApi;

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

describe('docs/api.md', () => {
  it('walks through a build driven from outside, and every reply in it is real', async () => {
    const steps = stepsOf(readFileSync(PAGE, 'utf8'));
    expect(steps.length).toBeGreaterThan(15);
    for (const step of steps) {
      const { written, answered } = comparable(step.reply, await runStep(step, api.url));
      expect(answered, `docs/api.md:${step.line}: ${step.command}`).toEqual(written);
    }
  });
});
