import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { comparable, runStep, stepsOf } from './fixtures/page.ts';
import { startTestProduct, type TestProduct } from './fixtures/product.ts';

const PAGE = fileURLToPath(new URL('../../docs/api.md', import.meta.url));

let product: TestProduct;
let api: TestProduct['api'];

beforeAll(async () => {
  product = await startTestProduct();
  ({ api } = product);
});
afterAll(() => product?.stop());

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
