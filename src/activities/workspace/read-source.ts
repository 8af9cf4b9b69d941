import { lstat, readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { allowedSourcePath, type SourceRules } from '../../source-paths.ts';
import { git, runGit } from './git.ts';
import { SOURCE_REF } from './keep-bundle.ts';
import { addShallowCommits, shallowCommits } from './shallow.ts';
import { refMissing, tooLarge, unusable } from './source-failure.ts';

export type ReadSourceInput = Readonly<{
  /** An empty repository, into which the source's commit comes with its history. */
  repository: string;
  path: string;
  ref: string | null;
  rules: SourceRules;
  limitBytes: number;
  timeoutMs: number;
  signal: AbortSignal;
}>;

/** The folders of a repository: `own` of one work tree, `common` of all. */
type Folders = Readonly<{ own: string; common: string; objects: string }>;

const COMMIT = /^[0-9a-f]{40}$/;
const SMALL_BYTES = 4096;
const PACKED_REFS_BYTES = 64 * 1024 * 1024;

/**
 * Copies the commit at a branch, tag or hash of a repository on this machine. git is never started in that repository, so
 * that no setting, hook, filter or helper of it counts: its branches are read here, and its objects through a repository of
 * our own. What is not committed is not taken.
 *
 * @returns the commit
 * @throws AppError `source_refused` outside of the allowed folders, `source_unusable`; the signal's reason when aborted
 */
export async function readSource(input: ReadSourceInput): Promise<string> {
  const { repository, path, ref, rules, signal, timeoutMs } = input;
  const shown = JSON.stringify(path.slice(0, 200));
  const folders = await foldersOf(path, shown, rules);
  const found = await findRef(folders, ref);
  if (found === null) {
    if (ref === null) throw unusable(shown, 'has no commit yet: commit something, or start without a source');
    throw refMissing(shown, ref);
  }
  await addShallowCommits(repository, await shallowCommits(folders.common));
  const env = { GIT_ALTERNATE_OBJECT_DIRECTORIES: JSON.stringify(folders.objects) };
  const at = { repository, env, timeoutMs, signal };
  const peeled = await runGit({ ...at, args: ['rev-parse', '--verify', '--quiet', `${found}^{commit}`] });
  if (peeled.kind !== 'exited' || peeled.exitCode !== 0) throw refMissing(shown, ref ?? 'HEAD');
  const commit = peeled.stdout.toString().trim();
  if ((await storedBytes(at, commit, shown)) > input.limitBytes) {
    // Without its history, as a fetch of depth 1 would have it.
    await addShallowCommits(repository, [commit]);
    if ((await storedBytes(at, commit, shown)) > input.limitBytes) {
      throw tooLarge(shown, `is over ${input.limitBytes} bytes, even without its history`);
    }
  }
  const pack = join(repository, 'objects', 'pack', 'pack');
  await git({ ...at, args: ['pack-objects', '--revs', '-q', '--window=0', pack], input: [`${commit}\n`] });
  await git({ repository, args: ['update-ref', SOURCE_REF, commit], signal });
  return commit;
}

async function storedBytes(
  at: Readonly<{ repository: string; env: Readonly<Record<string, string>>; timeoutMs: number; signal: AbortSignal }>,
  commit: string,
  shown: string,
): Promise<number> {
  const end = await runGit({ ...at, args: ['rev-list', '--objects', '--disk-usage', commit] });
  if (end.kind === 'exited' && end.exitCode === 0) return Number(end.stdout.toString());
  throw unusable(shown, 'is damaged or not complete (a partial clone?): check it with git fsck, or clone it anew');
}

async function foldersOf(path: string, shown: string, rules: SourceRules): Promise<Folders> {
  const real = await allowedSourcePath(path, rules);
  if (real === null) throw unusable(shown, 'is not there on the machine of this worker');
  const own = await gitFolder(real, shown, rules);
  const link = await smallFile(join(own, 'commondir'));
  const common = link === null ? own : await allowed(resolve(own, link.trim()), shown, rules);
  const objects = await allowed(join(common, 'objects'), shown, rules);
  if (await isThere(join(common, 'reftable')))
    throw unusable(shown, 'keeps its branches in a reftable, which is not read: give its git_url');
  // What they lead to may be anybody's repository.
  if (await isThere(join(objects, 'info', 'alternates'))) {
    throw unusable(
      shown,
      'borrows objects from another repository: run `git repack -a -d` in it and remove .git/objects/info/alternates',
    );
  }
  if (await hasLinks(objects)) throw unusable(shown, 'has symbolic links among its objects: clone it anew');
  return { own, common, objects };
}

async function gitFolder(folder: string, shown: string, rules: SourceRules): Promise<string> {
  const inside = join(folder, '.git');
  const found = await lstat(inside).catch(() => null);
  if (found?.isFile()) {
    const target = /^gitdir: (.+)$/m.exec((await smallFile(inside)) ?? '')?.[1];
    if (target !== undefined) return await allowed(resolve(folder, target), shown, rules);
  }
  const candidate = found?.isDirectory() ? inside : folder;
  const isRepository =
    (await smallFile(join(candidate, 'HEAD'))) !== null && (await isThere(join(candidate, 'objects')));
  if (!isRepository)
    throw unusable(shown, 'is no git repository: give the folder that holds .git, or a bare repository');
  return candidate;
}

/** A folder that the repository leads to: what it says is not trusted either. */
async function allowed(path: string, shown: string, rules: SourceRules): Promise<string> {
  const real = await allowedSourcePath(path, rules);
  if (real === null) throw unusable(shown, 'is not complete: a folder that it names is not there');
  return real;
}

async function hasLinks(objects: string): Promise<boolean> {
  for (const folder of [objects, join(objects, 'pack')]) {
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
    if (entries.some((entry) => entry.isSymbolicLink())) return true;
  }
  return false;
}

/** A branch goes before a tag of the same name, as with an address. Null when there is none. */
async function findRef(folders: Folders, ref: string | null): Promise<string | null> {
  if (ref === null) return await readRef(folders, 'HEAD', 0);
  const names = ref.startsWith('refs/')
    ? [ref]
    : [`refs/heads/${ref}`, `refs/tags/${ref}`, `refs/remotes/origin/${ref}`];
  for (const name of names) {
    const found = await readRef(folders, name, 0);
    if (found !== null) return found;
  }
  return COMMIT.test(ref) ? ref : null;
}

const DEEPEST_REF = 5;
const REF_NAME = /^refs\/(?!.*\.\.)[^\s\\~^:?*[\p{Cc}]+$/u;

async function readRef(folders: Folders, name: string, depth: number): Promise<string | null> {
  if (depth > DEEPEST_REF) return null;
  const text = (await smallFile(join(name === 'HEAD' ? folders.own : folders.common, name)))?.trim();
  const target = /^ref: (.+)$/.exec(text ?? '')?.[1];
  if (target !== undefined) return REF_NAME.test(target) ? await readRef(folders, target, depth + 1) : null;
  if (text !== undefined && COMMIT.test(text)) return text;
  const packed = await plainFile(join(folders.common, 'packed-refs'), PACKED_REFS_BYTES);
  const line = packed?.split('\n').find((each) => each.endsWith(` ${name}`) && each.length === 41 + name.length);
  return line === undefined ? null : (COMMIT.exec(line.slice(0, 40))?.[0] ?? null);
}

const smallFile = (path: string): Promise<string | null> => plainFile(path, SMALL_BYTES);

/** A file that is one: a link may lead anywhere, and a pipe has no end. */
async function plainFile(path: string, limitBytes: number): Promise<string | null> {
  const found = await lstat(path).catch(() => null);
  if (!found?.isFile() || found.size > limitBytes) return null;
  return await readFile(path, 'utf8').catch(() => null);
}

const isThere = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    () => false,
  );
