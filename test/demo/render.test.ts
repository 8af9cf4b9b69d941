import { describe, expect, it } from 'vitest';
import type { WatchedRow } from '../../src/client/watch.ts';
import { renderRow, type View } from '../../src/demo/render.ts';
import { widthOf } from '../../src/demo/text.ts';
import { row, started, texts } from './sample-rows.ts';

const VIEW: View = { width: 80, modelOf: () => 'gpt-4 (simulated)' };
const SPENT = { model: 'gpt-4', provider: 'simulated', tokens: 1561 };

const shown = (rows: readonly WatchedRow[], view = VIEW): string[] => {
  const last = rows.at(-1);
  return last ? texts(renderRow(last, rows.slice(0, -1), view)) : [];
};

const done = { phase: 'discovery', attempt: 1, from: 'discovery', to: 'planning', summary: '4 requirements', ...SPENT };
const reasons = 'tests failed: strips accents: expected "a"; keeps words: expected "b"';
const rejected = {
  phase: 'testing',
  attempt: 1,
  from: 'testing',
  to: 'implementation',
  send_back: 1,
  reason: reasons,
  ...SPENT,
};
const toCoder = {
  from_role: 'test_auditor',
  to_role: 'code_writer',
  from_state: 'testing',
  to_state: 'implementation',
} as const;

describe('one row of the audit, as people see it', () => {
  it.each<[string, WatchedRow[], string[]]>([
    [
      'a phase that begins, with its attempt, role and model',
      [started(1, 'implementation', 'code_writer', 2)],
      ['', 'implementation, attempt 2 · code_writer · gpt-4 (simulated)'],
    ],
    [
      'a phase that a person is waited for',
      [started(1, 'testing', 'test_auditor', 1, 'external')],
      ['', 'testing, attempt 1 · test_auditor · waits for a person or an outside agent'],
    ],
    [
      'what a role decided, what it cost, what it found and whom it handed it to',
      [
        started(1, 'discovery', 'q_assistant'),
        row(2, 'phase_completed', done, {
          ...{ from_role: 'q_assistant', to_role: 'q_assistant', from_state: 'discovery', to_state: 'planning' },
          data_transferred: { discovered_reqs: ['one', 'two', 'three', 'four', 'five', 'six'] },
        }),
      ],
      [
        '  ✓ 4 requirements  0.5 s, 1 561 tokens',
        ...['one', 'two', 'three', 'four', 'and 2 more'].map((text) => `    · ${text}`),
        '  → handoff: q_assistant → q_assistant, to planning',
      ],
    ],
    [
      'another model than the one announced, as after a fallback',
      [
        started(1, 'discovery', 'q_assistant'),
        row(2, 'phase_completed', { ...done, model: 'local', provider: 'local' }),
      ],
      ['  ✓ 4 requirements  local, 0.5 s, 1 561 tokens'],
    ],
    [
      'the work of a person',
      [
        started(1, 'testing', 'test_auditor'),
        row(2, 'phase_completed', { phase: 'testing', attempt: 1, actor: 'ann' }),
      ],
      ['  ✓ testing done  by ann'],
    ],
    [
      'failing tests by name, the send-back and its reason',
      [
        started(1, 'testing', 'test_auditor'),
        row(
          2,
          'sent_back',
          { ...rejected, summary: 'tests fail, coverage 90 % (measured)' },
          {
            ...toCoder,
            data_transferred: { test_run: { failures: [{ name: 'strips accents' }, { name: 'keeps words' }] } },
          },
        ),
      ],
      [
        '  ✗ tests fail, coverage 90 % (measured)  0.5 s, 1 561 tokens',
        '    ✗ strips accents',
        '    ✗ keeps words',
        '  ↩ sent back to implementation (send-back 1), because: tests failed: strips',
        '    accents: expected "a"; keeps words: expected "b"',
        '  → handoff: test_auditor → code_writer, to implementation',
      ],
    ],
    [
      'a build that is parked, and why',
      [row(1, 'parked', { code: 'model_failed', reason: 'the model answers 401' })],
      ['  ✗ parked in error (model_failed): the model answers 401'],
    ],
    [
      'what an operator did, from where to where, and why',
      [row(1, 'rolled_back', { from: 'testing', to: 'planning', actor: 'ann', reason: 'another plan' })],
      ['  ↩ rolled back by ann (testing → planning): another plan'],
    ],
    [
      'an abort, which leads nowhere',
      [row(1, 'aborted', { from: 'testing', to: 'testing', actor: 'ann', reason: 'enough' })],
      ['  ↩ aborted by ann: enough'],
    ],
    [
      'a late answer',
      [row(1, 'late_result', { phase: 'testing', attempt: 2 })],
      ['  ↩ a late answer of testing, attempt 2, was dropped'],
    ],
    [
      'a signal that was ignored',
      [row(1, 'signal_rejected', { signal: 'advance', reason: 'role is missing' })],
      ['  ↩ signal advance was ignored: role is missing'],
    ],
    ['an event of a later version', [row(1, 'archived')], ['  ↩ archived']],
    ['nothing where the next line says it', [row(1, 'handoff_acknowledged')], []],
  ])('shows %s', (_, rows, expected) => {
    expect(shown(rows)).toEqual(expected);
  });

  it('puts what an attempt cost on a line of its own where there is no room', () => {
    const long = { ...done, summary: '4 files: README.md, package.json, src/slugify.js, test/slugify.test.js' };
    const lines = shown([started(1, 'discovery', 'q_assistant'), row(2, 'phase_completed', long)]);
    expect(lines).toEqual([`  ✓ ${long.summary}`, '    0.5 s, 1 561 tokens']);
  });

  it('takes the time of an attempt from its own start', () => {
    const rows = [
      started(1, 'discovery', 'q_assistant', 1),
      started(4, 'discovery', 'q_assistant', 2),
      row(6, 'phase_completed', { ...done, attempt: 2 }),
    ];
    expect(shown(rows)[0]).toContain('1.0 s');
  });

  it.each([40, 60, 80])('never prints wider than %i columns, whatever it is told', (width) => {
    const evil = `${'x'.repeat(300)} ${'漢字'.repeat(90)} \u001b[2J\u001b]0;title\u0007\r\n\u202e${'🙂'.repeat(60)}`;
    const types = ['phase_started', 'phase_completed', 'sent_back', 'parked', 'aborted', 'retry_requested', evil];
    for (const type of types) {
      const data = {
        phase: evil,
        attempt: 1,
        role: evil,
        summary: evil,
        reason: evil,
        code: evil,
        from: evil,
        to: 'x',
        actor: evil,
      };
      const passed = { data_transferred: { discovered_reqs: [evil, evil], test_run: { failures: [{ name: evil }] } } };
      const lines = shown([row(1, type, data, passed)], { width, modelOf: () => evil.slice(0, 20) });
      expect(lines.length).toBeGreaterThan(0);
      for (const line of lines) {
        expect(widthOf(line)).toBeLessThanOrEqual(width);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
        expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
      }
    }
  });
});
