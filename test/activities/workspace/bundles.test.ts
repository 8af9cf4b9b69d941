import { execFileSync } from 'node:child_process';
import { createCipheriv } from 'node:crypto';
import { mkdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { CHAIN_LIMIT, readChain, readManifest } from '../../../src/activities/workspace/bundle-manifest.ts';
import { onCommit } from '../../../src/activities/workspace/on-commit.ts';
import { listEntries } from '../../../src/activities/workspace/tree.ts';
import type { AttemptCommit } from '../../../src/activities/workspace/workspaces.ts';
import { AppError } from '../../../src/errors.ts';
import {
  attempt,
  attemptInput,
  type Machines,
  openMachines,
  NEVER as signal,
  WORKFLOW_ID as workflowId,
} from './fixture.ts';

let machines: Machines;
beforeEach(async () => {
  machines = await openMachines();
});
afterEach(async () => {
  await machines.remove();
});

/** Attempts that build on each other; each changes one file and leaves another as it is. */
async function makeAttempts(count: number, from: AttemptCommit | null = null): Promise<AttemptCommit[]> {
  const made: AttemptCommit[] = [];
  for (let n = 1; n <= count; n += 1) {
    const base = made.at(-1) ?? from;
    const files = [{ path: 'changed', content: `${n}\n` }, ...(n === 1 ? [{ path: 'kept', content: 'x\n' }] : [])];
    const on = { base: base?.commit ?? null, bundle: base?.bundle, advanceTo: base?.commit ?? null };
    made.push(await machines.workspaces.commitAttempt(attemptInput({ ...on, files, attempt: attempt(n) })));
  }
  return made;
}

const artifactPath = (sha256: string): string =>
  join(machines.dir, 'artifacts', sha256.slice(0, 2), sha256.slice(2, 4), sha256);
const read = (name: string, { commit, bundle }: Pick<AttemptCommit, 'commit' | 'bundle'>) =>
  machines.another(name).readFiles({ workflowId, commit, bundle, limitBytes: 1000, signal });
const last = <T>(list: readonly T[]): T => list.at(-1) as T;

describe('the bundle of a commit', () => {
  test('lets a worker with nothing read the commit, go on from it, and see every attempt before it', async () => {
    const made = await makeAttempts(3);
    const { commit, bundle, tree } = last(made);
    const second = machines.another('second');
    expect(await second.treeOf({ workflowId, commit, bundle, signal })).toBe(tree);
    const next = await machines
      .another('third')
      .commitAttempt(attemptInput({ base: commit, bundle, advanceTo: commit, attempt: attempt(4) }));
    expect(await read('fourth', next)).toMatchObject({
      files: [{ path: 'changed', content: '3\n' }, { path: 'kept' }, { path: 'src/a.js' }],
    });
    const restored = await second.repositoryWith({ workflowId, commit, signal });
    const refs = execFileSync('git', [`--git-dir=${restored}`, 'for-each-ref', '--format=%(refname) %(objectname)'], {
      encoding: 'utf8',
    });
    expect(refs.trim().split('\n')).toEqual(made.map(({ ref, commit: each }) => `${ref} ${each}`));
    expect(execFileSync('git', [`--git-dir=${restored}`, 'fsck', '--strict'], { encoding: 'utf8' })).toBe('');
  });

  test('holds what the attempt added, and no more', async () => {
    const files = Array.from({ length: 50 }, (_, n) => ({ path: `f${n}`, content: `${Math.random()}`.repeat(50) }));
    const first = await machines.workspaces.commitAttempt(attemptInput({ files }));
    const { commit: base, bundle: before } = first;
    const second = await machines.workspaces.commitAttempt(
      attemptInput({ base, bundle: before, attempt: attempt(2), files: files.slice(0, 1) }),
    );
    const [whole, added] = await readChain(machines.store, second.bundle);
    expect(whole?.bytes).toBeGreaterThan(1500);
    expect(added?.bytes).toBeLessThan(800);
  });

  test('holds everything of a tree that an earlier attempt, rolled back since, has put into the repository before', async () => {
    const [first] = await makeAttempts(1);
    const on = { base: first?.commit ?? null, bundle: first?.bundle };
    const files = [{ path: 'again', content: 'the same in both\n' }];
    await machines.workspaces.commitAttempt(attemptInput({ ...on, files, attempt: attempt(2) }));
    const third = await machines.workspaces.commitAttempt(attemptInput({ ...on, files, attempt: attempt(3) }));
    expect((await read('second', third)).files).toContainEqual(files[0]);
  });

  test('is the last of a bounded chain, however many attempts there are', async () => {
    const made = await makeAttempts(CHAIN_LIMIT + 2);
    const lengths = await Promise.all(made.map(async ({ bundle }) => (await readChain(machines.store, bundle)).length));
    expect(Math.max(...lengths)).toBe(CHAIN_LIMIT);
    expect(lengths.slice(CHAIN_LIMIT)).toEqual([1, 2]);
    expect((await read('second', last(made))).files).toHaveLength(2);
  });

  test('builds on existing code for good, which is stored once', async () => {
    const origin = join(machines.dir, 'origin');
    execFileSync('git', ['init', '--quiet', origin]);
    await writeFile(join(origin, 'theirs'), 'theirs\n');
    execFileSync('git', ['-C', origin, 'add', '--all']);
    execFileSync('git', ['-C', origin, '-c', 'user.name=A', '-c', 'user.email=a@b', 'commit', '--quiet', '-m', 'x']);
    const source = { kind: 'path', path: origin, ref: null } as const;
    const rules = { paths: 'any', ownPaths: [], privateAddresses: false } as const;
    const opened = await machines.workspaces.openSource({ workflowId, source, rules, signal });
    const made = await makeAttempts(CHAIN_LIMIT + 1, { ...opened, ref: '' });
    const chain = await readChain(machines.store, last(made).bundle);
    expect(chain.map(({ commit }) => commit)).toEqual([opened.commit, ...made.slice(-2).map(({ commit }) => commit)]);
    expect((await read('second', last(made))).files.map(({ path }) => path)).toEqual(['changed', 'kept', 'theirs']);
  });

  test('is one that git itself can clone', async () => {
    const [only] = await makeAttempts(1);
    const { parts } = await readManifest(machines.store, only?.bundle ?? '');
    const clone = join(machines.dir, 'clone');
    execFileSync('git', ['clone', '--quiet', artifactPath(parts[0] ?? ''), clone]);
    expect(await readFile(join(clone, 'changed'), 'utf8')).toBe('1\n');
  });

  test('is fetched by hand, with all before it, as the page for operators says', async () => {
    const made = await makeAttempts(3);
    const page = await readFile(new URL('../../../docs/operations.md', import.meta.url), 'utf8');
    const script = /```sh\n(artifact\(\)[\s\S]*?)```/.exec(page)?.[1] ?? '';
    const env = { ...process.env, ARTIFACTS_DIR: join(machines.dir, 'artifacts'), BUNDLE: last(made).bundle };
    execFileSync('sh', ['-eu', '-c', script], { cwd: machines.dir, env });
    const inHand = (...args: string[]): string =>
      execFileSync('git', ['-C', join(machines.dir, 'build.git'), ...args], { encoding: 'utf8' }).trim();
    expect(inHand('rev-parse', last(made).ref)).toBe(last(made).commit);
    expect(inHand('show', `${last(made).commit}:changed`)).toBe('3');
    expect(inHand('fsck', '--strict')).toBe('');
  });

  test('is made whole again when that of the commit before it is lost', async () => {
    const [first] = await makeAttempts(1);
    await rm(artifactPath(first?.bundle ?? ''));
    const on = { base: first?.commit ?? null, bundle: first?.bundle };
    const second = await machines.workspaces.commitAttempt(attemptInput({ ...on, attempt: attempt(2) }));
    expect((await read('second', second)).files).toHaveLength(3);
  });

  test('is used again when the workspace of a build was deleted under a running worker', async () => {
    const made = await makeAttempts(2);
    await rm(machines.repository, { recursive: true });
    const { commit, bundle } = last(made);
    expect(await machines.workspaces.listFiles({ workflowId, commit, bundle, signal })).toHaveLength(2);
    await rm(machines.repository, { recursive: true });
    await machines.workspaces.setTag({ workflowId, commit, bundle, name: 'release/1', signal });
    await rm(machines.repository, { recursive: true });
    await expect(machines.workspaces.listFiles({ workflowId, commit, signal })).rejects.toMatchObject({
      code: 'workspace_failed',
    });
  });
});

describe('a bundle that cannot be used', () => {
  const spoil: Readonly<Record<string, (path: string) => Promise<void>>> = {
    missing: (path) => rm(path),
    'cut off': (path) => truncate(path, 100),
    changed: async (path) => {
      const content = await readFile(path);
      content[content.length - 30] = (content[content.length - 30] ?? 0) ^ 1;
      await writeFile(path, content);
    },
  };
  const which = ['its manifest', 'its own objects', 'the manifest before it', 'the objects before it'] as const;
  const cases = Object.keys(spoil).flatMap((how) => which.map((what) => [what, how] as const));

  test.each(cases)('says so, and leaves a repository that can be used, when %s is %s', async (what, how) => {
    const made = await makeAttempts(2);
    const [before, own] = await readChain(machines.store, last(made).bundle);
    const artifacts = {
      'its manifest': last(made).bundle,
      'its own objects': own?.parts[0],
      'the manifest before it': made[0]?.bundle,
      'the objects before it': before?.parts[0],
    };
    await spoil[how]?.(artifactPath(artifacts[what] ?? ''));
    await expect(read('second', last(made))).rejects.toMatchObject({ code: 'artifact_missing' });
    // From a backup, or by a worker that has it all.
    await rm(join(machines.dir, 'artifacts'), { recursive: true });
    const [, again] = await makeAttempts(2);
    expect(await read('second', last(made))).toEqual(await read('first', { ...last(made), ...again }));
  });

  test('is that of another commit, or no manifest at all', async () => {
    const [first, second] = await makeAttempts(2);
    const { sha256 } = await machines.store.put('{"format": 1}');
    for (const bundle of [first?.bundle ?? '', sha256, 'nonsense', '0'.repeat(64)]) {
      await expect(read('second', { commit: second?.commit ?? '', bundle })).rejects.toMatchObject({
        code: 'artifact_missing',
      });
    }
  });

  test('that holds less than it should is found out before any work begins', async () => {
    const [first, second] = await makeAttempts(2);
    const manifest = await readManifest(machines.store, second?.bundle ?? '');
    const { sha256 } = await machines.store.put(JSON.stringify({ ...manifest, previous: null }));
    expect(first).toBeDefined();
    await expect(read('second', { commit: second?.commit ?? '', bundle: sha256 })).rejects.toThrow(/do not hold all/);
  });
});

describe('several workers', () => {
  test('may fetch the same commit into one folder at the same moment', async () => {
    const { commit, bundle } = last(await makeAttempts(4));
    const [one, two] = [machines.another('shared'), machines.another('shared')];
    const at = { workflowId, commit, bundle, signal };
    const all = await Promise.all([one, two, one, two, one, two].map((each) => each.listFiles(at)));
    expect(new Set(all.map((files) => JSON.stringify(files))).size).toBe(1);
    const repository = await one.repositoryWith(at);
    expect(execFileSync('git', [`--git-dir=${repository}`, 'fsck', '--strict'], { encoding: 'utf8' })).toBe('');
  });

  test('may go on from the same commit at the same moment, and all attempts are kept', async () => {
    const { commit, bundle } = last(await makeAttempts(1));
    const machinesOf = ['a', 'a', 'b', 'b'].map((name) => machines.another(name));
    const made = await Promise.all(
      machinesOf.map((each, n) =>
        each.commitAttempt(attemptInput({ base: commit, bundle, advanceTo: commit, attempt: attempt(n + 10) })),
      ),
    );
    for (const each of made) expect((await read('c', each)).files).toHaveLength(3);
  });
});

describe('work on a commit', () => {
  const setUp = async () => {
    const { commit, bundle } = last(await makeAttempts(1));
    const repository = join(machines.dir, 'late', `${workflowId}.git`);
    return { commit, bundle, repository, store: machines.store, signal };
  };

  test('that another worker fetched after it had failed, and before it was looked for, is done after all', async () => {
    const kept = await setUp();
    let tries = 0;
    const entries = await onCommit(kept, async (source) => {
      tries += 1;
      const listed = await listEntries(source).catch((error: unknown) => error);
      if (tries === 1) await machines.another('late').listFiles({ ...kept, workflowId });
      if (listed instanceof Error) throw listed;
      return listed;
    });
    expect([tries, entries]).toEqual([2, expect.arrayContaining([expect.objectContaining({ path: 'changed' })])]);
  });

  test('that is there is not done again when it was refused', async () => {
    const kept = await setUp();
    await machines.another('late').listFiles({ ...kept, workflowId });
    const work = vi.fn(() => Promise.reject(new AppError('invalid_phase_result', 'no')));
    await expect(onCommit(kept, work)).rejects.toThrow('no');
    expect(work).toHaveBeenCalledTimes(1);
  });
});

describe('a bundle larger than an artifact may be', () => {
  test('is kept in parts that are put together again', async () => {
    const origin = join(machines.dir, 'origin');
    await mkdir(origin);
    execFileSync('git', ['init', '--quiet', origin]);
    // Bytes that nothing compresses, so that the pack is as large; git need not try.
    const noise = (name: string): Promise<void> => {
      const cipher = createCipheriv('aes-128-ctr', Buffer.from(name.padEnd(16)), Buffer.alloc(16));
      return writeFile(join(origin, name), cipher.update(Buffer.alloc(12 * 1024 * 1024)));
    };
    for (const name of ['a.bin', 'b.bin', 'c.bin']) await noise(name);
    execFileSync('git', ['-C', origin, '-c', 'core.compression=0', 'add', '--all']);
    execFileSync('git', ['-C', origin, '-c', 'user.name=A', '-c', 'user.email=a@b', 'commit', '--quiet', '-m', 'x']);
    const rules = { paths: 'any', ownPaths: [], privateAddresses: false } as const;
    const source = { kind: 'path', path: origin, ref: null } as const;
    const { commit, bundle } = await machines.workspaces.openSource({ workflowId, source, rules, signal });
    expect((await readManifest(machines.store, bundle)).parts.length).toBe(2);
    const intoDir = join(machines.dir, 'out');
    await machines.another('second').exportTree({ workflowId, commit, bundle, intoDir, signal });
    for (const name of ['a.bin', 'c.bin']) {
      expect((await readFile(join(intoDir, name))).equals(await readFile(join(origin, name)))).toBe(true);
    }
  });
});
