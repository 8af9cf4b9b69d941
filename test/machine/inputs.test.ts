import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clipText, DEPTH_LIMIT, type Json, jsonFaults, storableText } from '../../src/machine/json.ts';
import { MESSAGE_LIMIT_BYTES, MESSAGE_NAMES, parseMessage } from '../../src/machine/messages.ts';
import { checkPhaseResult, extractResult } from '../../src/machine/payloads.ts';
import { PHASES, type Phase } from '../../src/machine/states.ts';
import { unicodeText } from '../unicode-text.ts';
import { FAILING, RESULTS } from './sample-builds.ts';

const nested = (levels: number): Json => {
  let value: Json = 'deep';
  for (let level = 0; level < levels; level++) value = [value];
  return value;
};
const faultsOf = (name: (typeof MESSAGE_NAMES)[number], input: unknown): string[] => {
  const parsed = parseMessage(name, input);
  return parsed.ok ? [] : parsed.faults.map(({ at }) => at);
};
const checked = (phase: Phase, given: unknown, author: 'llm' | 'external'): string[] => {
  const result = checkPhaseResult(phase, given, author);
  return result.ok ? [] : result.faults.map(({ at }) => at);
};

describe('jsonFaults', () => {
  it('accepts what can be stored', () => {
    expect(jsonFaults({ a: [1, 'x😀', null, true, { b: {} }] })).toEqual([]);
    expect(jsonFaults(nested(DEPTH_LIMIT))).toEqual([]);
  });

  it.each([
    ['NUL', { a: { b: ['x\0'] } }, 'a.b[0]'],
    ['a high half of a surrogate pair', { a: 'x\uD83D' }, 'a'],
    ['a low half of a surrogate pair', ['\uDE00x'], '[0]'],
    ['a key with NUL', { a: { 'b\0': 1 } }, 'a'],
    ['NaN', { a: Number.NaN }, 'a'],
    ['infinity', [Number.POSITIVE_INFINITY], '[0]'],
    ['undefined', { a: undefined }, 'a'],
    ['a bigint', { a: 1n }, 'a'],
    ['a function', { a: () => 1 }, 'a'],
  ])('names the place of %s', (_, value, at) => {
    expect(jsonFaults(value).map((fault) => fault.at)).toEqual([at]);
  });

  it('refuses nesting over the limit, however deep, without overflowing', () => {
    expect(jsonFaults(nested(DEPTH_LIMIT + 1))).toHaveLength(1);
    expect(jsonFaults(nested(1_000_000))).toHaveLength(1);
    const round: Record<string, unknown> = {};
    round.self = round;
    expect(jsonFaults(round)).toHaveLength(1);
  });

  it('lists at most 20 faults, each at a short path that can be stored itself', () => {
    const many = jsonFaults(Array.from({ length: 50 }, () => '\0'));
    expect(many).toHaveLength(20);
    expect(jsonFaults(Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`\0${n}`, n])))).toHaveLength(20);
    const faults = ['\0', 'half \uD83D', `${'k'.repeat(79)}😀`].flatMap((key) => jsonFaults({ [key]: '\0' }));
    expect(faults).toHaveLength(5);
    for (const { at } of faults) {
      expect(at.length).toBeLessThanOrEqual(80);
      expect(jsonFaults(at)).toEqual([]);
    }
  });
});

describe('clipText and storableText', () => {
  it('never leave half a character, and never grow', () => {
    fc.assert(
      fc.property(unicodeText(), fc.nat(40), (text, limit) => {
        const clipped = clipText(text, limit);
        expect(clipped.length).toBeLessThanOrEqual(limit);
        expect(text.startsWith(clipped)).toBe(true);
        expect(clipped).not.toMatch(/\p{Cs}/u);
      }),
    );
    const halves = fc.array(fc.constantFrom('a', '\0', '\uD83D', '\uDE00', '😀')).map((parts) => parts.join(''));
    fc.assert(
      fc.property(halves, fc.nat(20), (text, limit) => {
        const stored = storableText(text, limit);
        expect(stored.length).toBeLessThanOrEqual(limit);
        expect(jsonFaults(stored)).toEqual([]);
      }),
    );
  });
});

describe('checkPhaseResult', () => {
  it.each(PHASES)('accepts a full result of %s from everyone, and keeps further fields', (phase) => {
    const given = { ...RESULTS[phase], next_role_instruction: 'mind the docs', more: 1 };
    for (const author of ['llm', 'external'] as const) {
      expect(checkPhaseResult(phase, given, author)).toEqual({ ok: true, value: given });
    }
  });

  it.each([
    ['discovery', ['discovered_reqs', 'success_criteria', 'open_questions'], []],
    ['planning', ['testing_strategy', 'requirements', 'success_criteria', 'plan'], []],
    ['implementation', ['test_cases', 'documentation', 'technical_notes', 'files'], []],
    ['testing', ['all_tests_passed', 'test_coverage', 'test_results'], ['all_tests_passed', 'test_coverage']],
    [
      'verification',
      ['approved_for_deployment', 'verification_report', 'recommendations', 'evidence'],
      ['approved_for_deployment'],
    ],
    [
      'deployment',
      ['deployment_successful', 'deployed_at', 'version', 'notes', 'monitoring_status'],
      ['deployment_successful'],
    ],
  ] as const)(
    'of an empty %s lists every missing field of a model, and only those of the verdict of a person',
    (...row) => {
      const [phase, ofModel, ofPerson] = row;
      expect(checked(phase, {}, 'llm')).toEqual(ofModel);
      expect(checked(phase, {}, 'external')).toEqual(ofPerson);
    },
  );

  it('takes a plain text of a person for discovery, planning and implementation, never of a model', () => {
    expect(checkPhaseResult('planning', 'one function', 'external')).toEqual({
      ok: true,
      value: { plan: 'one function' },
    });
    expect(checkPhaseResult('implementation', 'x = 1', 'external')).toEqual({ ok: true, value: { code: 'x = 1' } });
    expect(checked('discovery', 'slugs', 'external')).toEqual([]);
    expect(checked('testing', 'all fine', 'external')).toEqual(['']);
    expect(checked('planning', 'one function', 'llm')).toEqual(['']);
    expect(checked('planning', ' ', 'external')).toEqual(['']);
  });

  it('takes components for a plan, and null for a field that need not be given', () => {
    const { plan: _plan, ...rest } = RESULTS.planning;
    expect(checked('planning', { ...rest, components: ['slug'] }, 'llm')).toEqual([]);
    expect(checked('planning', { ...rest, components: ['slug'], plan: null }, 'llm')).toEqual([]);
    expect(checked('planning', { ...rest, components: null, plan: null }, 'llm')).toEqual(['plan']);
    expect(checked('testing', { ...RESULTS.testing, files: null }, 'llm')).toEqual([]);
    expect(checked('planning', { ...RESULTS.planning, testing_strategy: null }, 'llm')).toEqual(['testing_strategy']);
  });

  it.each([
    ['testing', { test_coverage: 101 }],
    ['testing', { test_coverage: -1 }],
    ['testing', { test_coverage: '92' }],
    ['testing', { all_tests_passed: 'yes' }],
    ['verification', { approved_for_deployment: 1 }],
    ['verification', { evidence: [] }],
    ['verification', { evidence: [{ criterion: 'x', met: 'yes' }] }],
    ['implementation', { files: [] }],
    ['implementation', { files: [{ path: '', content: 'x' }] }],
    ['implementation', { files: [{ path: 'a.js' }] }],
    ['implementation', { test_cases: 'none' }],
    ['deployment', { version: ' ' }],
  ] as const)('refuses of a model in %s: %j', (phase, wrong) => {
    expect(checked(phase, { ...RESULTS[phase], ...wrong }, 'llm')).toEqual(Object.keys(wrong));
  });

  it("refuses a person's files that are no files, and text that cannot be stored", () => {
    expect(checked('implementation', { code: 'x', files: 'a.js' }, 'external')).toEqual(['files']);
    expect(checked('implementation', { code: 'x', files: null }, 'external')).toEqual([]);
    expect(checked('planning', { plan: 'x\0' }, 'external')).toEqual(['plan']);
  });

  it('never throws, whatever it is given', () => {
    fc.assert(
      fc.property(fc.constantFrom(...PHASES), fc.anything(), fc.constantFrom('llm', 'external'), (...args) => {
        const result = checkPhaseResult(...args);
        expect(result.ok || result.faults.length > 0).toBe(true);
      }),
    );
  });
});

describe('extractResult', () => {
  it('keeps the verdict, so that an extract is judged as the whole', () => {
    for (const phase of PHASES) {
      const big = { ...RESULTS[phase], documentation: 'x'.repeat(10_000) };
      expect(checked(phase, extractResult(big), 'external')).toEqual([]);
      expect(JSON.stringify(extractResult(big)).length).toBeLessThan(1500);
    }
  });

  it('keeps the reason of a reject and the instruction to the next role, cut to what travels', () => {
    expect(extractResult({ ...FAILING.testing, log: 'x'.repeat(9000) })).toEqual({
      all_tests_passed: false,
      test_coverage: 92,
      reason: '2 of 9 tests failed',
    });
    const long = extractResult({ next_role_instruction: '😀'.repeat(400), reasons: ['y'.repeat(2000)] });
    expect(String(long.next_role_instruction).length).toBeLessThanOrEqual(300);
    expect(String(long.reason).length).toBeLessThanOrEqual(300);
    expect(extractResult({ version: { hostile: true }, deployed_at: null })).toEqual({});
  });
});

describe('parseMessage', () => {
  it('reads names in either case and fills what is optional', () => {
    const input = { role: 'Q_ASSISTANT', completed_state: 'DISCOVERY', phase_result: 'x', next_state: 'Planning' };
    expect(parseMessage('advance', input)).toEqual({
      ok: true,
      command: {
        type: 'advance',
        actor: 'operator',
        opId: null,
        opContent: null,
        expectedState: null,
        role: 'q_assistant',
        completedState: 'discovery',
        phaseResult: 'x',
        artifact: null,
        aiResponse: null,
        nextState: 'planning',
      },
    });
    const ids = { op_id: 'k1', op_content: 'c1' };
    const full = { reason: 'no', actor: 'ann', ...ids, expected_state: 'TESTING', target_state: 'PLANNING' };
    const common = { actor: 'ann', opId: 'k1', opContent: 'c1', expectedState: 'testing', reason: 'no' };
    expect(parseMessage('retry', full)).toEqual({ ok: true, command: { type: 'retry', ...common } });
    expect(parseMessage('abort', full)).toEqual({ ok: true, command: { type: 'abort', ...common } });
    expect(parseMessage('rollback', full)).toEqual({
      ok: true,
      command: { type: 'rollback', ...common, targetState: 'planning' },
    });
  });

  it('lists every fault, each once', () => {
    const wrong = { actor: 7, op_id: '', expected_state: 'nowhere' };
    expect(faultsOf('retry', wrong).sort()).toEqual(['actor', 'expected_state', 'op_id', 'reason']);
    expect(faultsOf('rollback', { target_state: 'handoff_to_coder' }).sort()).toEqual(['reason', 'target_state']);
    expect(faultsOf('abort', { reason: ' ' })).toEqual(['reason']);
    expect(faultsOf('abort', { reason: 'x'.repeat(4001) })).toEqual(['reason']);
    expect(
      faultsOf('advance', { role: 'coder', completed_state: 'nowhere', next_state: 4, artifact: 'x' }).sort(),
    ).toEqual(['artifact', 'completed_state', 'next_state', 'role']);
  });

  it.each(['complete', 'error', 'nowhere', null, 3])('takes no completed_state %s', (completed) => {
    expect(faultsOf('advance', { role: 'q_assistant', completed_state: completed })).toEqual(['completed_state']);
  });

  it.each([undefined, null, 'text', 7, [], [{ reason: 'x' }], { $undecodable: 'bad encoding' }])(
    'refuses the input %j',
    (input) => {
      for (const name of MESSAGE_NAMES) expect(faultsOf(name, input)).toEqual(['']);
    },
  );

  it.each([
    [undefined, 'is missing'],
    [null, 'is no object'],
    [Uint8Array.of(7), 'is bytes'],
    [{ $undecodable: 'a secret' }, 'could not be decoded'],
  ])('tells what was sent for an object, and not what was in it: %j', (input, told) => {
    const parsed = parseMessage('retry', input);
    const said = parsed.ok ? '' : parsed.faults.map(({ fault }) => fault).join();
    expect(said).toMatch(new RegExp(`^the input ${told}.*; send one JSON object, encoded as json/plain$`));
    expect(said).not.toContain('secret');
  });

  it('measures the limit in bytes, not in characters', () => {
    const ofBytes = (char: string, bytes: number): object => ({
      role: 'q_assistant',
      completed_state: 'planning',
      phase_result: char.repeat(bytes / new TextEncoder().encode(char).length),
    });
    for (const char of ['a', 'é', '€', '😀']) {
      expect(faultsOf('advance', ofBytes(char, MESSAGE_LIMIT_BYTES - 2000))).toEqual([]);
      expect(faultsOf('advance', ofBytes(char, MESSAGE_LIMIT_BYTES))).toEqual(['']);
    }
  });

  it('reads an artifact, and is not led astray by a hostile one', () => {
    const advance = { role: 'q_assistant', completed_state: 'planning' };
    const sha256 = 'c'.repeat(64);
    const good = parseMessage('advance', { ...advance, artifact: { sha256, bytes: 5000, preview: 'x'.repeat(500) } });
    expect(good).toMatchObject({ ok: true, command: { artifact: { sha256, bytes: 5000, preview: 'x'.repeat(120) } } });
    const hostile = { sha256, bytes: { valueOf: 1, toString: 1 }, preview: { toString: 1 } };
    expect(parseMessage('advance', { ...advance, artifact: hostile })).toMatchObject({
      ok: true,
      command: { artifact: { sha256, bytes: 0, preview: '' } },
    });
    expect(faultsOf('advance', { ...advance, artifact: { sha256: '../../etc' } })).toEqual(['artifact']);
  });

  it.each([
    [{ ai_response: 'I split it in two.' }, { kind: 'inline', value: 'I split it in two.' }],
    [{ ai_response: { steps: [1] } }, { kind: 'inline', value: { steps: [1] } }],
    [
      { ai_response_artifact: { sha256: 'd'.repeat(64), bytes: 9000, preview: 'I split' } },
      { kind: 'artifact', ref: { sha256: 'd'.repeat(64), bytes: 9000, preview: 'I split' } },
    ],
    [{}, null],
    [{ ai_response: null }, null],
  ])('reads what an outside agent said: %j', (said, aiResponse) => {
    const advance = { role: 'q_assistant', completed_state: 'planning', ...said };
    expect(parseMessage('advance', advance)).toMatchObject({ ok: true, command: { aiResponse } });
    expect(faultsOf('advance', { ...advance, ai_response_artifact: 'x' })).toEqual(['ai_response_artifact']);
  });

  const field = fc.constantFrom('reason', 'actor', 'op_id', 'role', 'completed_state', 'target_state', 'artifact');
  const wild = fc.oneof(fc.anything(), fc.dictionary(field, fc.anything()), fc.jsonValue());

  it('never throws, whatever comes in, and tells faults that can be stored', () => {
    fc.assert(
      fc.property(fc.constantFrom(...MESSAGE_NAMES), wild, (name, input) => {
        const parsed = parseMessage(name, input);
        if (parsed.ok) return;
        expect(parsed.faults.length).toBeGreaterThan(0);
        expect(jsonFaults(parsed.faults)).toEqual([]);
      }),
      { numRuns: 2000 },
    );
  });
});
