import { describe, expect, test } from 'vitest';
import { buildPrompt, PROMPT_LIMIT_CHARS, type PromptInput } from '../../src/prompts/prompt.ts';
import { charsOf, finalOf, promptInput } from './prompt-input.ts';
import { blockUnder, headingsOf, jsonUnder, readSections } from './read-sections.ts';

const turn = (attempt: number, chars: number) =>
  ({ phase: 'implementation', attempt, role: 'code_writer', content: `${attempt}:${'c'.repeat(chars)}` }) as const;
const file = (name: string, chars: number) => ({ path: `src/${name}.js`, content: 'f'.repeat(chars) });
const planned = (chars: number) => [
  { phase: 'discovery' as const, result: { success_criteria: ['kept'], text: 'd'.repeat(chars) } },
];
const limited = (overrides: Partial<PromptInput>): string => {
  const messages = buildPrompt(promptInput(overrides));
  expect(charsOf(messages)).toBeLessThanOrEqual(PROMPT_LIMIT_CHARS);
  return messages.at(-1)?.content ?? '';
};

describe('a prompt over its limit', () => {
  test('loses its oldest turns first, and nothing else while that is enough', () => {
    const files = [file('a', 60_000)];
    const input = promptInput({ files, conversation: [1, 2, 3, 4].map((n) => turn(n, 50_000)) });
    const messages = buildPrompt(input);
    expect(charsOf(messages)).toBeLessThanOrEqual(PROMPT_LIMIT_CHARS);
    const kept = messages.filter(({ role }) => role === 'assistant').map(({ content }) => content.slice(1, 3));
    expect(kept).toEqual(['3:', '4:']);
    expect(messages.at(-1)?.content).toBe(finalOf({ ...input, conversation: [] }));
  });

  test('then has its big files cut, with a note, and small ones and results whole', () => {
    const earlierResults = planned(50_000);
    const message = limited({
      earlierResults,
      files: [file('big', 150_000), file('small', 500), file('vast', 900_000)],
    });
    expect(blockUnder(message, '### src/small.js')).toBe('f'.repeat(500));
    const cut = /^f+\n\[… cut, (\d+) of 150000 characters shown\]$/.exec(blockUnder(message, '### src/big.js') ?? '');
    expect(Number(cut?.[1])).toBeGreaterThan(50_000);
    expect(blockUnder(message, '### src/vast.js')).toMatch(/\[… cut, \d+ of 900000 characters shown\]$/);
    expect(jsonUnder(message, '### discovery')).toEqual(earlierResults[0]?.result);
    expect(message.length).toBeGreaterThan(PROMPT_LIMIT_CHARS - 20_000);
  });

  test('then has its earlier results cut, which keep their shape and short fields, with files still shown', () => {
    const message = limited({ earlierResults: planned(500_000), files: [file('big', 150_000)] });
    expect(jsonUnder(message, '### discovery')).toEqual({
      success_criteria: ['kept'],
      text: expect.stringMatching(/^d{50000,} \[… cut, \d+ of 500000 characters shown\]$/),
    });
    expect(blockUnder(message, '### src/big.js')?.length).toBeGreaterThan(40_000);
  });

  test('keeps requirements and reasons whole while they fit at all', () => {
    const requirements = { text: 'r'.repeat(120_000) };
    const reason = 'why '.repeat(1000).trim();
    const feedback = Array.from({ length: 8 }, (_, n) => ({
      kind: 'sent_back' as const,
      from: 'testing' as const,
      attempt: n + 1,
      reason,
      rejected: [{ phase: 'implementation' as const, result: { notes: 'n'.repeat(100_000) } }],
    }));
    const files = [file('big', 400_000)];
    const message = limited({ requirements, feedback, files, earlierResults: planned(200_000) });
    expect(jsonUnder(message, '## Requirements')).toEqual(requirements);
    const told = readSections(message).flatMap(({ lines }) => lines.filter((line) => line.includes(reason)));
    expect(told).toHaveLength(8);
  });

  test('cuts even requirements that no prompt could hold', () => {
    const message = limited({ requirements: { text: 'r'.repeat(250_000), kind: 'huge' }, files: [file('a', 100)] });
    expect(jsonUnder(message, '## Requirements')).toEqual({
      kind: 'huge',
      text: expect.stringMatching(/^r{100000,} \[… cut, \d+ of 250000 characters shown\]$/),
    });
  });

  test('shows the beginning of JSON that is long by its many small parts', () => {
    const requirements = Array.from({ length: 100_000 }, (_, n) => n);
    const shown = jsonUnder(limited({ requirements }), '## Requirements');
    expect(shown).toMatch(/^\[\n {2}0,\n {2}1,[\s\S]+\[… cut, \d+ of \d+ characters shown\]$/);
  });

  test('says how many files it leaves out when their names alone are too many', () => {
    const files = Array.from({ length: 2000 }, (_, n) => file(`${'long-name-'.repeat(20)}${n}`, 50));
    const message = limited({ files });
    const shown = headingsOf(message).filter((heading) => heading.startsWith('### src/')).length;
    expect(shown).toBeGreaterThan(300);
    expect(message).toContain(`[… ${shown} of 2000 files shown]`);
  });

  test('leaves no half of a surrogate pair where it cuts', () => {
    for (const shift of ['', 'x']) {
      const text = shift + '😀'.repeat(200_000);
      const message = limited({ requirements: text, files: [{ path: 'a.js', content: text }] });
      expect(message).not.toMatch(/\p{Cs}/u);
      expect(message).not.toContain('\\ud83d');
    }
  });

  test('gives a reason in full that is as long as an operator may write, beside a measured run of any size', () => {
    const { feedback } = promptInput();
    const reason = 'q'.repeat(4000);
    const testRun = { measured: true, passed: false, output: 'o'.repeat(300_000) };
    const message = limited({ feedback: feedback.map((entry) => ({ ...entry, reason })), testRun });
    expect(message).toContain(reason);
    expect(jsonUnder(message, '## Test run')).toMatchObject({ measured: true, passed: false });
  });

  test('cuts a reason or an id that no command would have let in', () => {
    const { feedback } = promptInput();
    const [buildId, reason] = ['i'.repeat(300_000), 'q'.repeat(300_000)];
    const message = limited({ buildId, feedback: feedback.map((entry) => ({ ...entry, reason })) });
    expect(message).toMatch(/^# Build: i+ \[… cut, \d+ of 300000 characters shown\]$/m);
    expect(message).toMatch(
      /^- sent_back from testing, attempt 1: q{30000,} \[… cut, \d+ of 300000 characters shown\]$/m,
    );
  });
});
