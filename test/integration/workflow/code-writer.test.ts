import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { WorkflowHandle } from '@temporalio/client';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RunningWorker } from '../../../src/compose/worker.ts';
import { ANSWERS, type FakeModel, type ModelCallSeen, startFakeModel } from '../../fakes/model.ts';
import { startBuild, statusOf, until, update } from '../fixtures/builds.ts';
import { historyFigures } from '../fixtures/history-figures.ts';
import { startTestStack, type TestStack } from '../fixtures/stack.ts';
import { startTestWorker } from '../fixtures/worker.ts';

let test: TestStack;
let model: FakeModel;
let worker: RunningWorker;
let database: pg.Client;

beforeAll(async () => {
  test = await startTestStack();
  database = new pg.Client(test.databaseUrl);
  await database.connect();
});
afterAll(async () => {
  await database?.end();
  await test?.stop();
});
beforeEach(async () => {
  model = await startFakeModel();
  worker = await startTestWorker(test, model);
});
afterEach(async () => {
  await worker?.close();
  await model?.stop();
});

const run = promisify(execFile);

async function git({ workflowId }: WorkflowHandle, ...args: string[]): Promise<string> {
  const repository = join(test.config.dataDir, 'workspaces', `${workflowId}.git`);
  return (await run('git', ['--git-dir', repository, ...args])).stdout.trim();
}

type RecordedCall = Readonly<{ attempt: number; outcome: string; prompt_tokens: number }>;

async function recordedCalls({ workflowId }: WorkflowHandle): Promise<RecordedCall[]> {
  const { rows } = await database.query(
    "select attempt, outcome, prompt_tokens from workflow_model_calls where workflow_id = $1 and phase = 'implementation' order by attempt, call_id",
    [workflowId],
  );
  return rows;
}

const callsOf = (attempt: number): ModelCallSeen[] =>
  model.calls.filter((call) => call.phase === 'implementation' && call.attempt === attempt);

const editing = (search: string, replace: string): object => ({
  test_cases: [],
  documentation: 'double(n)',
  technical_notes: 'edited',
  edits: [{ path: 'src/double.js', search, replace }],
});

describe('a code writer that is sent back', () => {
  it('reads what it changes, edits it, and mends what its own test run shows, all in one attempt and one commit', async () => {
    const answers: Record<number, unknown[]> = {
      1: [ANSWERS.implementation],
      2: [
        { tool_calls: [{ name: 'read_files', arguments: { paths: ['src/double.js'] } }] },
        editing('n * 2', 'n * 3'),
        editing('n * 3', 'n + n'),
      ],
    };
    model.answer('implementation', ({ attempt }: ModelCallSeen) => answers[attempt]?.shift());
    const verdicts = [{ ...ANSWERS.testing, all_tests_passed: false, reason: 'use no multiplication' }];
    model.answer('testing', () => verdicts.pop() ?? ANSWERS.testing);
    const evidence = [{ criterion: 'double(2) is 4', met: true, evidence: 'n + n', file: 'src/double.js', line: 1 }];
    model.answer('verification', { ...ANSWERS.verification, evidence });
    const handle = await startBuild(test);
    expect(await handle.result()).toMatchObject({ status: 'complete', attempts: { implementation: 2 } });

    const [, afterReading, afterRun] = callsOf(2);
    expect(afterReading?.messages.at(-1)).toContain('export const double = (n) => n * 2;');
    expect(afterRun?.messages.at(-1)).toMatch(/^## Test run of your files\n[\s\S]*"name": "doubles"/);
    expect(await recordedCalls(handle)).toMatchObject([
      { attempt: 1, outcome: 'ok' },
      { attempt: 2, outcome: 'ok' },
      { attempt: 2, outcome: 'ok' },
      { attempt: 2, outcome: 'ok' },
    ]);
    expect((await recordedCalls(handle)).every((call) => call.prompt_tokens > 0)).toBe(true);

    const log = await git(handle, 'log', '--format=%an|%s', '--all');
    const commits = log.split('\n').filter((line) => line.includes('implementation'));
    expect(commits.toSorted()).toEqual([
      'code_writer|implementation, attempt 1',
      'code_writer|implementation, attempt 2',
    ]);
    const head = (await git(handle, 'log', '--format=%H', '--grep=implementation, attempt 2', '--all')).split('\n')[0];
    expect(await git(handle, 'show', `${head}:src/double.js`)).toBe('export const double = (n) => n + n;');
    expect((await git(handle, 'show', '--name-only', '--format=', `${head}`)).split('\n')).toEqual(['src/double.js']);

    const figures = await historyFigures(handle);
    expect(figures.largestPayloadBytes).toBeLessThanOrEqual(32_000);
  });

  it('stops at once when the build is aborted while its tests are mended', async () => {
    const wrong = { path: 'src/double.js', content: 'export const double = (n) => n * 3;\n' };
    const files = (ANSWERS.implementation.files as { path: string }[]).map((file) =>
      file.path === wrong.path ? wrong : file,
    );
    let asked = 0;
    let release = (): void => undefined;
    model.answer('implementation', () => {
      if (asked++ === 0) release = model.hold('implementation');
      return { ...ANSWERS.implementation, files };
    });
    const handle = await startBuild(test);
    await until('the call for a correction', async () => callsOf(1).length === 2);
    await update(handle, 'abort', { reason: 'not needed' });
    await handle.result().catch(() => undefined);
    expect((await statusOf(handle)).status).toBe('cancelled');
    await until('the end of the call', async () => model.cancelled.length === 1);
    const calls = await until('both calls on record', async () => {
      const recorded = await recordedCalls(handle);
      return recorded.length === 2 && recorded;
    });
    expect(calls.map(({ outcome }) => outcome).toSorted()).toEqual(['cancelled', 'ok']);
    release();
  });
});
