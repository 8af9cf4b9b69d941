import { describe, expect, it } from 'vitest';
import { withPatience } from '../../src/demo/patience.ts';

async function* source(items: readonly number[], then: () => Promise<void>): AsyncGenerator<number, void> {
  yield* items;
  await then();
}
const forever = (): Promise<void> => new Promise(() => undefined);

async function collect(items: AsyncIterable<number>): Promise<number[]> {
  const all: number[] = [];
  for await (const item of items) all.push(item);
  return all;
}

describe('patience', () => {
  it('passes on what keeps coming, to its end', async () => {
    const items = source([1, 2, 3], async () => undefined);
    expect(await collect(withPatience(items, { firstMs: 60_000, nextMs: 60_000 }))).toEqual([1, 2, 3]);
  });

  it('ends when a build never begins', async () => {
    const call = collect(withPatience(source([], forever), { firstMs: 10, nextMs: 60_000 }));
    await expect(call).rejects.toMatchObject({
      code: 'no_worker',
      message: expect.stringContaining('nothing for 0 s'),
    });
  });

  it('ends when a build falls silent', async () => {
    const call = collect(withPatience(source([1], forever), { firstMs: 60_000, nextMs: 10 }));
    await expect(call).rejects.toMatchObject({ code: 'no_worker' });
  });

  it('passes on a failure as it is', async () => {
    const failure = new Error('refused');
    const items = source([1], () => Promise.reject(failure));
    await expect(collect(withPatience(items, { firstMs: 60_000, nextMs: 60_000 }))).rejects.toBe(failure);
  });
});
