import { describe, expect, test } from 'vitest';
import { buildPrompt, type PromptInput } from '../../src/prompts/prompt.ts';
import { finalOf, promptInput } from './prompt-input.ts';
import { blockUnder, headingsOf, jsonUnder } from './read-sections.ts';

const CLAIM = { files: [], technical_notes: 'all of it is perfect' };
const verification = (more: Partial<PromptInput> = {}): PromptInput =>
  promptInput({
    phase: 'verification',
    earlierResults: [
      { phase: 'planning', result: { success_criteria: ['it is fast', 'it is safe'] } },
      { phase: 'implementation', result: CLAIM },
      { phase: 'testing', result: { all_tests_passed: true } },
    ],
    conversation: [{ phase: 'implementation', attempt: 1, role: 'code_writer', content: CLAIM }],
    feedback: [],
    ...more,
  });
const saidIn = (input: PromptInput): string =>
  buildPrompt(input)
    .map(({ content }) => content)
    .join('\n');

describe('a prompt of verification', () => {
  test('has the criteria by number', () => {
    expect(jsonUnder(finalOf(verification()), '## Success criteria')).toEqual([
      { number: 1, criterion: 'it is fast' },
      { number: 2, criterion: 'it is safe' },
    ]);
    expect(headingsOf(finalOf(promptInput()))).not.toContain('## Success criteria');
  });

  test('has a number before every line of the files, and what changed as a diff', () => {
    const files = [{ path: 'a.js', content: 'one\n\nthree' }];
    const diff = 'diff --git a/a.js b/a.js\n--- a/a.js\n+++ b/a.js\n@@ -1 +1 @@\n-uno\n+one\n';
    const message = finalOf(verification({ files, diff }));
    expect(blockUnder(message, '### a.js')).toBe('1| one\n2| \n3| three');
    expect(blockUnder(message, '## Diff')).toBe(diff.trimEnd());
    expect(finalOf(promptInput({ files }))).toContain('```\none\n\nthree\n```');
  });

  test('has nothing that the code writer says of its work, neither as a result nor in the conversation', () => {
    expect(saidIn(verification())).not.toContain('all of it is perfect');
    expect(saidIn(promptInput({ ...verification(), phase: 'deployment' }))).toContain('all of it is perfect');
  });

  test.each([
    ['a text', { code: 'x = 1' }, [{ path: 'a.js', content: 'old' }]],
    ['not in the tree', CLAIM, null],
  ])('has the work itself where that is %s', (_what, result, files) => {
    const earlierResults = [{ phase: 'implementation' as const, result }];
    expect(headingsOf(finalOf(verification({ earlierResults, files })))).toContain('### implementation');
  });

  test('cuts the largest files of a diff and says so', () => {
    const part = (path: string, lines: number) => `diff --git a/${path} b/${path}\n${'+line\n'.repeat(lines)}`;
    const message = finalOf(verification({ diff: part('small.js', 3) + part('large.js', 20_000) }));
    const shown = blockUnder(message, '## Diff') ?? '';
    expect(shown).toContain(part('small.js', 3));
    expect(shown).toMatch(/\[… cut, \d+ of \d+ characters shown\]$/);
    expect(shown.length).toBeLessThan(41_000);
  });
});
