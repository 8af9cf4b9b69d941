import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkflowHandle } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBuild } from './fixtures/builds.ts';
import { startProcess, type TestProcess } from './fixtures/process.ts';
import { startTestStack, type TestStack } from './fixtures/stack.ts';
import { sql } from './stack/probes.ts';

const BUILDS = 3;
/** After so many changes of files the worker is killed, again and again: in commits, bundles, test runs and releases. */
const KILLED_AFTER_CHANGES = [3, 40, 15, 60];
const LOOK_EVERY_MS = 10;
const FOLDERS = ['workspaces', 'releases', 'tmp', 'artifacts'];

let test: TestStack;
let worker: TestProcess;

async function startWorkerProcess(): Promise<TestProcess> {
  const started = startProcess('src/worker.ts', { ...test.env, LOG_LEVEL: 'warn' });
  await started.says('The worker is up');
  return started;
}

beforeAll(async () => {
  test = await startTestStack();
  for (const name of FOLDERS) mkdirSync(join(test.config.dataDir, name), { recursive: true });
});
afterAll(async () => {
  await worker?.stop();
  await test?.stop();
});

/** All that lies there now; what comes and goes meanwhile is seen the next time. */
function listing(): Set<string> {
  const names = FOLDERS.flatMap((folder) => {
    try {
      return readdirSync(join(test.config.dataDir, folder), { recursive: true }).map((name) =>
        join(folder, String(name)),
      );
    } catch {
      return [];
    }
  });
  return new Set(names);
}

/** Resolves once so many files of the builds were seen to come or go; false when all builds were done before that. */
async function changes(count: number, done: Promise<unknown>): Promise<boolean> {
  let isDone = false;
  void done.then(() => {
    isDone = true;
  });
  let [known, left] = [listing(), count];
  while (left > 0 && !isDone) {
    await sleep(LOOK_EVERY_MS);
    const now = listing();
    left -= [...now].filter((name) => !known.has(name)).length + [...known].filter((name) => !now.has(name)).length;
    known = now;
  }
  return !isDone;
}

const git = (repository: string, ...args: string[]): string =>
  execFileSync('git', [`--git-dir=${repository}`, ...args], { encoding: 'utf8', stdio: 'pipe' }).trim();

/** A release is whole: its files are those of the tag's commit, and what its manifest says of them is true. */
function expectRelease(projectId: string, buildId: string, repository: string): void {
  const folder = join(test.config.dataDir, 'releases', projectId, buildId);
  const releases = readdirSync(folder).filter((name) => !name.startsWith('.'));
  expect(releases).toHaveLength(1);
  const release = join(folder, releases[0] ?? '');
  const { commit, tree, tag, files } = JSON.parse(readFileSync(join(release, 'release.json'), 'utf8'));
  expect(git(repository, 'tag', '--list')).toBe(tag);
  expect(git(repository, 'rev-parse', `refs/tags/${tag}^{commit}`, `refs/tags/${tag}^{tree}`, 'refs/heads/build')).toBe(
    [commit, tree, commit].join('\n'),
  );
  for (const { path, sha256 } of files) {
    const content = readFileSync(join(release, 'files', path));
    expect(createHash('sha256').update(content).digest('hex')).toBe(sha256);
  }
  expect(
    readdirSync(join(release, 'files'), { recursive: true, withFileTypes: true }).filter((e) => e.isFile()),
  ).toHaveLength(files.length);
}

async function expectWhole({ workflowId }: WorkflowHandle, buildId: string): Promise<void> {
  const columns = 'seq, event_type, event_data from workflow_events';
  const rows = await sql(test.databaseUrl, `select ${columns} where workflow_id = '${workflowId}' order by seq`);
  expect(rows.map(([seq]) => Number(seq))).toEqual(rows.map((_, index) => index + 1));
  const repository = join(test.config.dataDir, 'workspaces', `${workflowId}.git`);
  git(repository, 'fsck', '--full', '--strict');
  for (const [, , data] of rows) {
    const { commit, tree } = data as { commit?: string; tree?: string };
    if (commit) expect(git(repository, 'rev-parse', `${commit}^{tree}`)).toBe(tree);
  }
  expectRelease('project', buildId, repository);
}

describe('kill -9 of the worker', () => {
  it('while it writes, commits, bundles, tests and releases leaves whole trees and one release', async () => {
    const requirements = { kind: 'inline', value: 'a function that slugifies titles' } as const;
    const builds = await Promise.all(
      Array.from({ length: BUILDS }, async (_, index) => {
        const buildId = `killed-${index}`;
        return { buildId, handle: await startBuild(test, { buildId, requirements, maxSendBacks: 20 }) };
      }),
    );
    const done = Promise.all(builds.map(({ handle }) => handle.result()));
    for (const count of KILLED_AFTER_CHANGES) {
      worker = await startWorkerProcess();
      expect(await changes(count, done)).toBe(true);
      await worker.kill();
    }
    worker = await startWorkerProcess();
    expect(await done).toMatchObject(builds.map(() => ({ status: 'complete' })));
    for (const { handle, buildId } of builds) await expectWhole(handle, buildId);
  });
});
