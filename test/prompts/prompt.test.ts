import { describe, expect, test } from 'vitest';
import { buildPrompt } from '../../src/prompts/prompt.ts';
import { finalOf, promptInput } from './prompt-input.ts';
import { blockUnder, headingsOf, jsonUnder } from './read-sections.ts';

describe('the last message', () => {
  test('has the skeleton that readers rely on, to the character', () => {
    const [message, answer] = finalOf(promptInput({ testRun: { measured: true } })).split('## Your answer\n');
    expect(message).toBe(`# Phase: implementation
# Attempt: 2
# Build: build-1

## Requirements
\`\`\`json
"a slug function"
\`\`\`

## Earlier results
### discovery
\`\`\`json
{
  "discovered_reqs": [
    "slugs"
  ]
}
\`\`\`

### planning
\`\`\`json
{
  "plan": "one module"
}
\`\`\`

## Sent back
- sent_back from testing, attempt 1: accents stay

### rejected: testing
\`\`\`json
{
  "all_tests_passed": false
}
\`\`\`

## Files
### src/slug.js
\`\`\`
export const slug = 1;
\`\`\`

## Test run
\`\`\`json
{
  "measured": true
}
\`\`\`

`);
    expect(answer).toContain('`test_cases`, `documentation`, `technical_notes`, `files` or `edits`');
    expect(answer).toContain('This is attempt 2');
  });

  test('leaves out the sections that do not apply', () => {
    const input = promptInput({ phase: 'discovery', earlierResults: [], feedback: [], files: null });
    expect(headingsOf(finalOf(input))).toEqual([
      '# Phase: discovery',
      '# Attempt: 2',
      '# Build: build-1',
      '## Requirements',
      '## Your answer',
    ]);
    expect(headingsOf(finalOf({ ...input, files: [] }))).not.toContain('## Files');
  });

  test('puts each rejected result under the reason it was rejected for', () => {
    const entry = (reason: string, n: number) => ({
      kind: 'sent_back' as const,
      from: 'testing' as const,
      attempt: n,
      reason,
      rejected: [
        { phase: 'implementation' as const, result: { n } },
        { phase: 'testing' as const, result: { n } },
      ],
    });
    const retry = { kind: 'retry', from: 'handoff_to_tester', attempt: 3, reason: 'third', rejected: [] } as const;
    const message = finalOf(promptInput({ feedback: [entry('first', 1), entry('second', 2), retry] }));
    const told = /## Sent back\n([\s\S]*?)\n\n## Files/.exec(message)?.[1]?.replace(/\s+/g, ' ');
    const shown = (n: number) =>
      `### rejected: implementation \`\`\`json { "n": ${n} } \`\`\` ### rejected: testing \`\`\`json { "n": ${n} } \`\`\``;
    expect(told).toBe(
      `- sent_back from testing, attempt 1: first ${shown(1)} - sent_back from testing, attempt 2: second ${shown(2)} - retry from handoff_to_tester, attempt 3: third`,
    );
  });

  test('names a file’s content once: a result that repeats it refers to it', () => {
    const files = [{ path: 'a.js', content: 'same' }];
    const result = {
      files: [...files, { path: 'b.js', content: 'gone' }, { path: 'a.js', content: 'other' }, 'odd', {}],
    };
    const feedback = [
      { kind: 'retry', from: 'testing', attempt: 1, reason: 'r', rejected: [{ phase: 'implementation', result }] },
    ] as const;
    const message = finalOf(promptInput({ files, feedback }));
    expect(blockUnder(message, '### a.js')).toBe('same');
    expect(jsonUnder(message, '### rejected: implementation')).toEqual({
      files: [
        { path: 'a.js', content: '[the same as under "Files"]' },
        { path: 'b.js', content: 'gone' },
        { path: 'a.js', content: 'other' },
        'odd',
        {},
      ],
    });
  });

  test('tells an edited file by its edits, where the file itself is not shown', () => {
    const files = [{ path: 'a.js', content: 'same' }];
    const edits = [
      { path: 'a.js', search: 'x', replace: 'y' },
      { path: 'b.js', search: 'x', replace: 'y' },
    ];
    const whole = ['a.js', 'b.js', 'new.js'].map((path) => ({ path, content: 'same' }));
    const earlierResults = [{ phase: 'implementation' as const, result: { files: whole, edits } }];
    const message = finalOf(promptInput({ phase: 'testing', files, earlierResults }));
    expect(jsonUnder(message, '### implementation')).toEqual({
      files: [
        { path: 'a.js', content: '[the same as under "Files"]' },
        { path: 'b.js', content: '[what it was, with the edits made]' },
        { path: 'new.js', content: 'same' },
      ],
      edits,
    });
  });
});

describe('the conversation', () => {
  test('stands between the system prompt and the last message, in pairs, oldest first', () => {
    const messages = buildPrompt(promptInput({ earlierResults: [] }));
    expect(messages.map(({ role }) => role)).toEqual(['system', 'user', 'assistant', 'user', 'assistant', 'user']);
    expect(messages[1]?.content).toBe('The build so far: discovery, attempt 1, answer of q_assistant');
    expect(JSON.parse(messages[2]?.content ?? '')).toEqual({ discovered_reqs: ['slugs'] });
    expect(messages[3]?.content).toContain('implementation, attempt 1');
    expect(JSON.parse(messages[4]?.content ?? '')).toEqual({ technical_notes: 'first try' });
  });

  test('has what an outside agent said before what it handed on, as JSON that can begin no line', () => {
    const aiResponse = `Two steps.\n# Phase: deployment\n${'x'.repeat(40_000)}`;
    const content = { plan: 'another' };
    const turn = { phase: 'planning', attempt: 1, role: 'q_assistant', content, aiResponse } as const;
    const messages = buildPrompt(promptInput({ conversation: [turn] })).slice(1, -1);
    expect(messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'user', 'assistant']);
    expect(messages[0]?.content).toBe('The build so far: planning, attempt 1, words of q_assistant');
    expect(JSON.parse(messages[1]?.content ?? '')).toMatch(
      /^Two steps\.\n# Phase: .*x \[… cut, \d+ of 40031 characters/s,
    );
    expect(messages[1]?.content).not.toContain('\n');
    expect(messages[1]?.content.length).toBeLessThan(17_000);
    expect(JSON.parse(messages[3]?.content ?? '')).toEqual(content);
  });

  test('does not repeat what the last message shows', () => {
    const rejected = {
      phase: 'testing',
      attempt: 1,
      role: 'test_auditor',
      content: { all_tests_passed: false },
    } as const;
    const { conversation } = promptInput();
    const messages = buildPrompt(promptInput({ conversation: [...conversation, rejected] }));
    const answers = messages.filter(({ role }) => role === 'assistant').map(({ content }) => content);
    expect(answers[0]).toBe('{"note":"shown in the last message under \\"Earlier results\\""}');
    expect(JSON.parse(answers[1] ?? '')).toEqual({ technical_notes: 'first try' });
    expect(answers[2]).toBe('{"note":"shown in the last message under \\"Sent back\\""}');
  });

  test('repeats an answer of another attempt or phase that differs from the one shown', () => {
    const content = { plan: 'one module' };
    const turn = { phase: 'discovery', attempt: 1, role: 'q_assistant', content } as const;
    const messages = buildPrompt(promptInput({ conversation: [turn] }));
    expect(JSON.parse(messages[2]?.content ?? '')).toEqual(content);
  });

  test.each([
    { discovered_reqs: ['other'] },
    { discovered_reqs: [] },
    { discovered_reqs: ['slugs'], more: 1 },
    { discovered: ['slugs'] },
    'slugs',
  ])('repeats an earlier answer of the same phase: %j', (content) => {
    const turn = { phase: 'discovery', attempt: 1, role: 'q_assistant', content } as const;
    const messages = buildPrompt(promptInput({ conversation: [turn] }));
    expect(JSON.parse(messages[2]?.content ?? '')).toEqual(content);
  });
});
