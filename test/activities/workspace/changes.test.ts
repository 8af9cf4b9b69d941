import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { lstat, mkdir, readdir, readFile, readlink, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { staysInside } from '../../../src/activities/workspace/export-tree.ts';
import type { OpenedSource } from '../../../src/activities/workspace/open-source.ts';
import type { CommitAttemptInput } from '../../../src/activities/workspace/workspaces.ts';
import { unicodeText } from '../../unicode-text.ts';
import {
  attempt,
  attemptInput,
  type Machines,
  openMachines,
  NEVER as signal,
  WORKFLOW_ID as workflowId,
} from './fixture.ts';

let machines: Machines;
let origin = '';
beforeEach(async () => {
  machines = await openMachines();
  origin = join(machines.dir, 'origin');
  await mkdir(join(origin, 'src', 'deep'), { recursive: true });
  execFileSync('git', ['init', '--quiet', origin]);
});
afterEach(async () => {
  await machines.remove();
});

const inOrigin = (...args: string[]): string =>
  execFileSync('git', ['-C', origin, '-c', 'user.name=A', '-c', 'user.email=a@b', ...args], {
    encoding: 'utf8',
  }).trim();

/** Existing code with all that a tree may hold. */
async function existingCode(): Promise<OpenedSource> {
  await writeFile(join(origin, 'run.sh'), '#!/bin/sh\n', { mode: 0o755 });
  await writeFile(join(origin, 'src', 'a.js'), 'one\ntwo\nthree\n');
  await writeFile(join(origin, 'src', 'deep', 'b.js'), 'b\n');
  await writeFile(join(origin, 'aux.c'), 'of a system without device names\n');
  await writeFile(join(origin, 'odd "name"\t.txt'), 'odd\n');
  await symlink('/etc/passwd', join(origin, 'absolute'));
  await symlink('../../../../etc/passwd', join(origin, 'src', 'climbing'));
  await symlink('deep/b.js', join(origin, 'src', 'inside'));
  await symlink('src', join(origin, 'folder-link'));
  inOrigin('add', '--all');
  inOrigin('update-index', '--add', '--cacheinfo', `160000,${'1'.repeat(40)},module`);
  inOrigin('commit', '--quiet', '-m', 'existing code');
  const rules = { paths: 'any', ownPaths: [], privateAddresses: false } as const;
  return machines.workspaces.openSource({
    workflowId,
    source: { kind: 'path', path: origin, ref: null },
    rules,
    signal,
  });
}

const on = (base: OpenedSource, given: Partial<CommitAttemptInput>): CommitAttemptInput =>
  attemptInput({ base: base.commit, bundle: base.bundle, advanceTo: base.commit, files: [], ...given });
const file = (path: string, content = 'new\n') => ({ path, content });

describe('an attempt on existing code', () => {
  test('changes, adds and deletes files, and keeps what is executable executable', async () => {
    const base = await existingCode();
    const { commit } = await machines.workspaces.commitAttempt(
      on(base, {
        files: [file('run.sh'), file('src/new.js'), file('odd "name"\t.txt'), file('src/deep/b.js/now-a-folder.js')],
        deleted: ['src/a.js', 'aux.c', 'src/deep/b.js', 'absolute'],
      }),
    );
    const tree = machines.show('-c', 'core.quotePath=false', 'ls-tree', '-r', '--format=%(objectmode) %(path)', commit);
    expect(tree.split('\n')).toEqual([
      '120000 folder-link',
      '160000 module',
      '100644 "odd \\"name\\"\\t.txt"',
      '100755 run.sh',
      '120000 src/climbing',
      '100644 src/deep/b.js/now-a-folder.js',
      '120000 src/inside',
      '100644 src/new.js',
    ]);
  });

  test.each<[string, Partial<CommitAttemptInput>, RegExp]>([
    ['differs from a file only in case', { files: [file('SRC/a.js')] }, /differs from "src" only in spelling/],
    ['differs from a file in case alone', { files: [file('src/A.js')] }, /differs from "src\/a.js" only in spelling/],
    ['runs through a file', { files: [file('src/a.js/x')] }, /would be both a file and a folder/],
    ['replaces a folder', { files: [file('src')] }, /would be both a file and a folder/],
    ['runs through a link', { files: [file('folder-link/x')] }, /"folder-link" is a symbolic link/],
    ['writes over a link', { files: [file('absolute')] }, /"absolute" is a symbolic link/],
    ['runs through a submodule', { files: [file('module/x')] }, /"module" is a submodule/],
    ['deletes what is not there', { deleted: ['nope'] }, /"nope": is no file of the project/],
    ['deletes a folder', { deleted: ['src'] }, /is no file of the project/],
    ['deletes a submodule', { deleted: ['module'] }, /is a submodule/],
    ['deletes and gives one file', { files: [file('run.sh')], deleted: ['run.sh'] }, /both given and deleted/],
    ['deletes a file twice', { deleted: ['run.sh', 'run.sh'] }, /is deleted twice/],
  ])('is refused as a whole when it %s', async (_, given, told) => {
    const base = await existingCode();
    const refused = on(base, { ...given, files: [file('fine.js'), ...(given.files ?? [])] });
    await expect(machines.workspaces.commitAttempt(refused)).rejects.toMatchObject({
      code: 'invalid_phase_result',
      message: expect.stringMatching(told),
    });
    expect(machines.show('for-each-ref', '--format=%(refname)')).toBe('refs/heads/source');
  });
});

describe('files that a model made too many, too large, or hostile', () => {
  const many = Array.from({ length: 10_000 }, (_, n) => file(`f${n}.js`, ''));
  const large = [file('large.txt', 'x'.repeat(100 * 1024 * 1024))];

  test.each([
    ['10,000 files', many, /10000 files: at most 2000/],
    ['100 MB', large, /over 16777216 bytes in all/],
    ['a path out of the workspace', [file('../../x')], /stay inside the project/],
    ['an absolute path', [file('/etc/cron.d/x')], /is absolute/],
    ['a hook of git', [file('.git/hooks/pre-commit')], /leads into \.git/],
    ['a device', [file('src/nul.js')], /device/],
  ])('are refused with the reason, and nothing is written: %s', async (_, files, told) => {
    await expect(machines.workspaces.commitAttempt(attemptInput({ files }))).rejects.toThrow(told);
    expect((await readdir(machines.dir)).sort()).toEqual(['origin']);
    const first = await machines.workspaces.commitAttempt(attemptInput());
    const on = { base: first.commit, bundle: first.bundle, attempt: attempt(2), files: [file('good.js'), ...files] };
    await expect(machines.workspaces.commitAttempt(attemptInput(on))).rejects.toMatchObject({
      code: 'invalid_phase_result',
      details: { faults: expect.arrayContaining([expect.objectContaining({ at: expect.stringMatching(/^\/files/) })]) },
    });
    expect(machines.show('for-each-ref', '--format=%(refname)')).toBe(first.ref);
  });

  test('never lead out of the folder that they are laid out in, whatever their names are', async () => {
    const segment = fc.oneof(
      fc.constantFrom('..', '.', '', '.git', '.GIT', 'a', 'A', 'b', 'nul', '~', '$HOME', '-x', ':x', '%2e%2e'),
      unicodeText({ maxLength: 4 }),
    );
    const path = fc.array(segment, { minLength: 1, maxLength: 4 }).map((segments) => segments.join('/'));
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(path, { minLength: 1, maxLength: 4 }), async (paths) => {
        run += 1;
        const files = paths.map((each) => file(each));
        const made = await machines.workspaces
          .commitAttempt(attemptInput({ files, attempt: attempt(run) }))
          .catch((error: unknown) => {
            expect(error).toMatchObject({ code: 'invalid_phase_result' });
            return null;
          });
        if (made === null) return;
        const { commit } = made;
        const intoDir = join(machines.dir, 'out', `${run}`);
        await machines.workspaces.exportTree({ workflowId, commit, intoDir, signal });
        for (const each of paths) expect(await readFile(join(intoDir, each), 'utf8')).toBe('new\n');
        const entries = await readdir(intoDir, { recursive: true, withFileTypes: true });
        expect(entries.filter((entry) => entry.isFile())).toHaveLength(paths.length);
      }),
      { numRuns: 60 },
    );
    const beside = await readdir(machines.dir);
    expect(beside.filter((name) => !['origin', 'out', 'first', 'artifacts'].includes(name))).toEqual([]);
  });
});

describe('a tree with links', () => {
  test('is laid out without any that could lead out of it', async () => {
    const { commit } = await existingCode();
    const intoDir = join(machines.dir, 'out');
    await machines.workspaces.exportTree({ workflowId, commit, intoDir, signal });
    expect(await readFile(join(intoDir, 'absolute'), 'utf8')).toBe('/etc/passwd');
    expect((await lstat(join(intoDir, 'src', 'climbing'))).isFile()).toBe(true);
    expect(await readlink(join(intoDir, 'src', 'inside'))).toBe('deep/b.js');
    expect(await readlink(join(intoDir, 'folder-link'))).toBe('src');
    expect((await stat(join(intoDir, 'run.sh'))).mode & 0o111).not.toBe(0);
    expect(await readdir(join(intoDir, 'module'))).toEqual([]);
  });

  test('shows none of them as a file', async () => {
    const { commit } = await existingCode();
    const paths = ['aux.c', 'odd "name"\t.txt', 'run.sh', 'src/a.js', 'src/deep/b.js'];
    const at = { workflowId, commit, signal };
    expect((await machines.workspaces.listFiles(at)).map(({ path }) => path)).toEqual(paths);
    const { files } = await machines.workspaces.readFiles({ ...at, limitBytes: 10_000 });
    expect(files.map(({ path }) => path)).toEqual(paths);
  });

  test.each([
    ['a', 0, true],
    ['a/b', 0, true],
    ['../a', 1, true],
    ['..', 1, true],
    ['../..', 2, true],
    ['../a', 0, false],
    ['..', 0, false],
    ['../../a', 1, false],
    ['/a', 5, false],
    ['a/../../b', 1, false],
    ['a/../b', 5, false],
    ['..//etc', 1, false],
    ['.../a', 0, true],
  ])('keeps the link %j at depth %d: %s', (target, depth, kept) => {
    expect(staysInside(target, depth)).toBe(kept);
  });
});

describe('what has changed', () => {
  const changes = {
    files: [file('src/a.js', 'one\nTWO\nthree\nfour\n'), file('src/new.js', 'x\ny\n')],
    deleted: ['aux.c'],
  };

  test('is shown as a unified diff, and cut where it is too long', async () => {
    const base = await existingCode();
    const { commit } = await machines.workspaces.commitAttempt(on(base, changes));
    const at = { workflowId, base: base.commit, commit, signal };
    const diff = await machines.workspaces.diff({ ...at, limitBytes: 10_000 });
    expect(diff).toContain('--- a/src/a.js\n+++ b/src/a.js\n@@ -1,3 +1,4 @@\n one\n-two\n+TWO\n three\n+four\n');
    expect(diff).toContain('deleted file mode 100644');
    const cut = await machines.workspaces.diff({ ...at, limitBytes: 100 });
    expect(cut).toMatch(/^diff --git .*\n\[cut here: the diff has more than 100 bytes\]\n$/s);
    expect(diff.startsWith(cut.slice(0, cut.indexOf('[cut')))).toBe(true);
    expect(await machines.workspaces.diff({ ...at, base: null, limitBytes: 10_000 })).toContain('+++ b/run.sh');
  });

  test('is known by its lines', async () => {
    const base = await existingCode();
    const hostile = file('src/new.js', '+++ b/run.sh\n@@ -1 +1,9 @@\n\\ No newline at end of file');
    const { commit } = await machines.workspaces.commitAttempt(
      on(base, {
        files: [...changes.files.slice(0, 1), hostile, file('odd "name"\t.txt', 'odd\nodder\n')],
        deleted: ['aux.c'],
      }),
    );
    const at = { workflowId, base: base.commit, commit, signal };
    expect(Object.fromEntries(await machines.workspaces.changedLines(at))).toEqual({
      'odd "name"\t.txt': [[2, 2]],
      'src/a.js': [
        [2, 2],
        [4, 4],
      ],
      'src/new.js': [[1, 3]],
    });
    const all = await machines.workspaces.changedLines({ ...at, base: null });
    expect(all.get('run.sh')).toEqual([[1, 1]]);
  });

  test('is hidden by no attribute of the files themselves', async () => {
    const base = await existingCode();
    const files = [
      ...changes.files,
      file('.gitattributes', '* -diff binary filter=x export-ignore linguist-generated\n'),
    ];
    const { commit } = await machines.workspaces.commitAttempt(on(base, { files }));
    const at = { workflowId, base: base.commit, commit, signal };
    expect(await machines.workspaces.diff({ ...at, limitBytes: 10_000 })).toContain('+TWO');
    expect((await machines.workspaces.changedLines(at)).get('src/a.js')).toHaveLength(2);
  });
});

describe('an archive', () => {
  test('has the files below its prefix, byte for byte the same each time', async () => {
    const base = await existingCode();
    const files = [file('.gitattributes', '* export-ignore export-subst\n'), file('id.txt', '$Format:%H$\n')];
    const { commit } = await machines.workspaces.commitAttempt(on(base, { files }));
    const at = { workflowId, commit, prefix: 'shop-1.0', signal };
    const archive = await machines.workspaces.archive(at);
    const hash = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
    expect(hash(await machines.workspaces.archive(at))).toBe(hash(archive));
    const tar = gunzipSync(archive).toString('latin1');
    expect(tar).toContain('shop-1.0/src/a.js');
    expect(tar).toContain('$Format:%H$');
    for (const prefix of ['', '../x', '/x', 'a/b', '-x']) {
      await expect(machines.workspaces.archive({ ...at, prefix })).rejects.toMatchObject({ code: 'workspace_failed' });
    }
  });
});
