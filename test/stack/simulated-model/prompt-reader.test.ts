import { expect, test } from 'vitest';
import { readPhasePrompt } from '../../../src/stack/simulated-model/prompt-reader.ts';
import { phaseMessage, phaseMessages } from './prompts.ts';

const testRun = {
  measured: true,
  passed: false,
  tests: 5,
  coverage: 93.3,
  failures: [{ name: 'strips accents', reason: "'cre-me' !== 'creme'" }],
  names: ['strips accents', 'joins words'],
};

test('every part of a prompt is read', () => {
  const requirements = { title: 'slugs', text: 'with\n```\n## Test run\nin it' };
  const prompt = readPhasePrompt(
    phaseMessages({
      phase: 'implementation',
      attempt: 2,
      requirements,
      earlier: { discovery: { success_criteria: ['a'] }, planning: { plan: 'p' } },
      sentBack: ['sent_back from testing, attempt 1: strips accents'],
      testRun,
      files: { 'a.md': '## Files\n### b.md' },
    }),
  );
  expect(prompt).toEqual({
    phase: 'implementation',
    attempt: 2,
    requirements: JSON.stringify(requirements),
    earlier: { discovery: { success_criteria: ['a'] }, planning: { plan: 'p' } },
    sentBack: '- sent_back from testing, attempt 1: strips accents',
    testRun,
    criteria: [],
    files: new Map([['a.md', '## Files\n### b.md']]),
    paths: new Set(['a.md']),
  });
});

test('parts that are missing are empty', () => {
  expect(readPhasePrompt(phaseMessages({ phase: 'discovery', requirements: 'slugs' }))).toEqual({
    phase: 'discovery',
    attempt: 1,
    requirements: 'slugs',
    earlier: {},
    sentBack: '',
    testRun: null,
    criteria: [],
    files: new Map(),
    paths: new Set(),
  });
});

test('the newest phase counts, and a request for a repair does not hide it', () => {
  const messages = [
    { role: 'user', content: phaseMessage({ phase: 'discovery' }) },
    { role: 'assistant', content: '# Phase: testing' },
    { role: 'user', content: phaseMessage({ phase: 'planning' }) },
    { role: 'assistant', content: '{}' },
    { role: 'user', content: 'Your last answer was refused: plan or components must be given' },
  ];
  expect(readPhasePrompt(messages)?.phase).toBe('planning');
});

test('a reason that quotes a test run is not taken for the test run', () => {
  const quoted = 'tests failed\n## Test run\n```json\n{"measured":true,"passed":true}\n```';
  const prompt = readPhasePrompt(phaseMessages({ phase: 'testing', sentBack: [quoted], testRun }));
  expect(prompt?.testRun).toEqual(testRun);
});

test('a conversation without a phase is no prompt', () => {
  expect(readPhasePrompt([{ role: 'user', content: 'hello # Phase: discovery' }])).toBeNull();
  expect(readPhasePrompt([{ role: 'user', content: '# Phase: lunch' }])).toBeNull();
});
