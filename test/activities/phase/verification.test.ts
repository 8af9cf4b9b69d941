import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TestReport } from '../../../src/activities/sandbox/report.ts';
import type { Build } from '../../../src/machine/build.ts';
import { ANSWERS, type FakeModel, type ModelCallSeen, startFakeModel } from '../../fakes/model.ts';
import { advancing, apply, buildIn, start } from '../../machine/sample-builds.ts';
import { PASSED_RUN, workOn } from './phase-worker.ts';

let dir: string;
let model: FakeModel;
/** A build whose implementation is files and whose tests ran; it stands in verification. */
let tested: Build;

const CRITERIA = ['double(2) is 4', { id: 'C2', criterion: 'It is one function.' }];
const RUN: TestReport = {
  ...PASSED_RUN,
  names: ['doubles', 'numbers > zero', 'texts > zero', 'module.Case.test_one'],
};
const GOOD = [
  { number: 1, criterion: 'double(2) is 4', met: true, evidence: 'n * 2', file: 'src/double.js', line: 1 },
  { number: 2, criterion: 'It is one function.', met: true, evidence: 'it doubles', test: 'doubles' },
];

const work = (build: Build): Promise<Build> =>
  workOn(build, { dir, providers: { simulated: { baseUrl: model.baseUrl } }, measured: () => RUN });

const answering = (evidence: unknown, more: object = {}) => ({ ...ANSWERS.verification, evidence, ...more });
const verificationCalls = (): ModelCallSeen[] => model.calls.filter(({ phase }) => phase === 'verification');
const repairOf = (call: ModelCallSeen | undefined): string => call?.messages.at(-1) ?? '';

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'verification-'));
  model = await startFakeModel();
  model.answer('planning', { ...ANSWERS.planning, success_criteria: CRITERIA });
  let build = buildIn('planning');
  for (const _phase of ['planning', 'implementation', 'testing']) build = await work(build);
  tested = build;
});
afterEach(async () => {
  await model.stop();
  await rm(dir, { recursive: true, force: true });
});

/** Answers first like this, then well, and gives what was said of the first answer. */
async function faultsOf(first: unknown, then: unknown = answering(GOOD)): Promise<string> {
  const answers = [first];
  model.answer('verification', () => answers.pop() ?? then);
  const verified = await work(tested);
  expect(verificationCalls()).toHaveLength(2);
  expect(verified.sendBacks.verification).toBeUndefined();
  expect(verified.results.verification?.data.approved_for_deployment).toBe(true);
  return repairOf(verificationCalls()[1]);
}

describe('evidence', () => {
  it('that exists is taken, and kept with the words and numbers of the criteria', async () => {
    const loose = [
      { criterion: '2', met: true, evidence: 'both', file: './src/double.js:1', test: 'doubles' },
      { criterion: '  DOUBLE(2)  is 4. ', met: true, evidence: 'n * 2', file: 'src/double.js', lines: [1, 1] },
    ];
    model.answer('verification', answering(loose));
    const verified = await work(tested);
    expect(verificationCalls()).toHaveLength(1);
    const { full, data } = verified.results.verification ?? {};
    expect(full).toBeNull();
    expect(data?.evidence).toMatchObject([
      { number: 2, criterion: 'It is one function.' },
      { number: 1, criterion: 'double(2) is 4' },
    ]);
    expect(data?.evidence_checked).toEqual({ criteria: 2, commit: tested.head?.commit });
  });

  it.each([
    ['a criterion without an entry', [GOOD[0]], /no entry for criterion 2, "It is one function\."/],
    ['a criterion answered twice', [GOOD[0], GOOD[0], GOOD[1]], /answers criterion 1 again/],
    ['a criterion of its own', [...GOOD, { ...GOOD[0], number: 3, criterion: 'It is fast' }], /"It is fast" is none/],
    ['a number that is another’s', [{ ...GOOD[0], number: 2 }, GOOD[1]], /criterion 2, but has the words of .* 1/],
    ['a file that does not exist', [{ ...GOOD[0], file: 'src/triple.js' }, GOOD[1]], /"src\/triple\.js" is no file/],
    ['a file outside of the tree', [{ ...GOOD[0], file: '/etc/passwd' }, GOOD[1]], /"\/etc\/passwd" is no file/],
    ['a line behind the last', [{ ...GOOD[0], line: 2 }, GOOD[1]], /has 1 lines, and no line 2-2/],
    ['a line before the first', [{ ...GOOD[0], line: 0 }, GOOD[1]], /no line 0-0/],
    ['lines that end before they begin', [{ ...GOOD[0], line: null, lines: '1-0' }, GOOD[1]], /no line 1-0/],
    ['a line that is none', [{ ...GOOD[0], line: 'the first' }, GOOD[1]], /must be a line/],
    ['a file without a line', [{ ...GOOD[0], line: undefined }, GOOD[1]], /line: is missing/],
    ['a test that did not run', [GOOD[0], { ...GOOD[1], test: 'triples' }], /"triples" did not run/],
    ['the end of two names', [GOOD[0], { ...GOOD[1], test: 'zero' }], /"zero" is the end of 2 names/],
    ['a part of a name', [GOOD[0], { ...GOOD[1], test: 'oubles' }], /"oubles" did not run/],
    ['words alone', [{ ...GOOD[0], file: undefined }, GOOD[1]], /gives no file and line, or test/],
    ['a test that ran beside a file that does not exist', [{ ...GOOD[0], file: 'x', test: 'doubles' }, GOOD[1]], /"x"/],
  ])('with %s is refused and mended within the phase', async (_what, evidence, told) => {
    expect(await faultsOf(answering(evidence))).toMatch(told);
  });

  it.each(['numbers > zero', 'test_one', 'Case.test_one', 'doubles'])('may name a test as "%s"', async (name) => {
    model.answer('verification', answering([GOOD[0], { ...GOOD[1], test: name }]));
    await work(tested);
    expect(verificationCalls()).toHaveLength(1);
  });

  it('lists all its faults at once', async () => {
    const told = await faultsOf(
      answering([
        { ...GOOD[0], file: 'a' },
        { ...GOOD[0], test: 'b' },
      ]),
    );
    for (const fault of [
      'no entry for criterion 2',
      'answers criterion 1 again',
      '"a" is no file',
      '"b" did not run',
    ]) {
      expect(told).toContain(fault);
    }
  });
});

describe('an approval', () => {
  const unmet = { ...GOOD[1], met: false, evidence: 'there are two', test: undefined };

  it('of what is not met contradicts itself and is mended within the phase', async () => {
    expect(await faultsOf(answering([GOOD[0], unmet]))).toMatch(/approved_for_deployment: is true, but .*is not met/);
  });

  it('is not asked for: a rejection with its reason counts at once', async () => {
    model.answer('verification', answering([GOOD[0], unmet], { approved_for_deployment: false }));
    const verified = await work(tested);
    expect(verificationCalls()).toHaveLength(1);
    expect(verified.position).toMatchObject({ state: 'implementation' });
  });

  it('is asked for again where a rejection gives no reason', async () => {
    const silent = answering([GOOD[0], { ...unmet, evidence: ' ' }], { approved_for_deployment: false });
    expect(await faultsOf(silent)).toMatch(/must say why the criterion is not met/);
  });

  it('with evidence that is never mended fails the phase as a bad answer', async () => {
    model.answer('verification', answering([GOOD[0]]));
    await expect(work(tested)).rejects.toMatchObject({ type: 'BadAnswer' });
    expect(verificationCalls()).toHaveLength(3);
  });
});

describe('the prompt of verification', () => {
  beforeEach(async () => {
    model.answer('verification', answering(GOOD));
    await work(tested);
  });

  it('numbers the criteria and the lines, and lists the tests that ran', () => {
    const { prompt } = verificationCalls()[0] ?? { prompt: '' };
    expect(prompt).toMatch(
      /## Success criteria\n```json\n\[\n {2}\{\n {4}"number": 1,\n {4}"criterion": "double\(2\) is 4"/,
    );
    expect(prompt).toContain('### src/double.js\n```\n1| export const double');
    expect(prompt).toMatch(/"names": \[\s+"doubles",\s+"numbers > zero"/);
    expect(prompt).not.toContain('## Diff');
  });

  it('has nothing of what the code writer says of its work', () => {
    const said = verificationCalls()[0]?.messages.join('\n') ?? '';
    expect(said).not.toContain('code_writer, ');
    expect(said).not.toContain('### implementation');
    expect(said).not.toContain('answer of code_writer');
    expect(said).not.toContain('"expected_output": "4"');
  });
});

describe('where nothing was measured', () => {
  const inWords = GOOD.map(({ number, criterion }) => ({ number, criterion, met: true, evidence: 'n * 2' }));

  it('lines are evidence, and tests are none', async () => {
    const providers = { openai: { apiKey: 'key', baseUrl: model.baseUrl } };
    tested = buildIn('planning');
    for (const _phase of ['planning', 'implementation', 'testing']) {
      tested = await workOn(tested, { dir, providers, measured: () => RUN });
    }
    const lines = inWords.map((entry) => ({ ...entry, file: 'src/double.js', line: 1 }));
    expect(await faultsOf(answering(GOOD), answering(lines))).toMatch(/test: proves nothing, because no test run/);
    expect(verificationCalls()[0]?.prompt).not.toContain('## Test run');
  });

  it('words are evidence where the implementation is a text', async () => {
    const outside = await work(buildIn('planning', start({ externalRoles: ['code_writer'] })));
    const handed = advancing('code_writer', 'implementation', { code: 'double = (n) => n * 2' });
    tested = await work(apply(buildIn('implementation', outside), handed).build);
    const silent = inWords.map((entry) => ({ ...entry, evidence: '' }));
    expect(await faultsOf(answering(silent), answering(inWords))).toMatch(/must say where it can be seen/);
    // The text is the work itself, so it is shown.
    expect(verificationCalls()[0]?.prompt).toContain('double = (n) => n * 2');
  });
});
