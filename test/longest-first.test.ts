import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { LONGEST, longestFirst } from './longest-first.ts';

const ROOT = new URL('../', import.meta.url);

describe('the order of test files', () => {
  it.each(LONGEST)('knows %s by the name that it has', (path) => {
    expect(existsSync(new URL(path, ROOT))).toBe(true);
  });

  it('begins with the longest and leaves the others as they come', () => {
    const others = ['/clone/test/b.test.ts', '/clone/test/integration/docs-page.test.ts', '/clone/test/a.test.ts'];
    const longest = LONGEST.map((path) => `/clone/${path}`);
    const files = [...others, ...longest.toReversed()].map((moduleId) => ({ moduleId }));
    expect(longestFirst(files).map(({ moduleId }) => moduleId)).toEqual([...longest, ...others]);
  });
});
