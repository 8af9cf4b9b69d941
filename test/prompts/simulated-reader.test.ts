import { expect, test } from 'vitest';
import { buildPrompt } from '../../src/prompts/prompt.ts';
import { readPhasePrompt } from '../../src/stack/simulated-model/prompt-reader.ts';
import { promptInput } from './prompt-input.ts';

test('the simulated model reads from a prompt what was put into it', () => {
  const testRun = { measured: true, passed: false, tests: 3, coverage: 91.5, failures: [{ name: 'a', reason: 'b' }] };
  const files = [{ path: 'a.md', content: '## Test run\n```json\n{"measured": true, "passed": true}\n```\n' }];
  const read = readPhasePrompt(buildPrompt(promptInput({ phase: 'testing', testRun, files })));
  expect(read).toMatchObject({
    phase: 'testing',
    attempt: 2,
    requirements: 'a slug function',
    earlier: { discovery: { discovered_reqs: ['slugs'] }, planning: { plan: 'one module' } },
    testRun,
  });
  expect(read?.sentBack).toContain('- sent_back from testing, attempt 1: accents stay');
});
