import { readdir, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { ProcessEnd } from '../sandbox/run-process.ts';
import { git, runGit } from './git.ts';
import { SOURCE_REF } from './keep-bundle.ts';
import { ensureRepository } from './repository.ts';
import { bindsByCurl, type Remote, remoteOf } from './source-address.ts';
import { fetchFailure, refMissing, tooLarge, unusable } from './source-failure.ts';

export type FetchSourceInput = Readonly<{
  /** An empty repository, into which the source's commit comes with its history. */
  repository: string;
  url: string;
  ref: string | null;
  privateAddresses: boolean;
  limitBytes: number;
  timeoutMs: number;
  signal: AbortSignal;
}>;

const LIST_TIMEOUT_MS = 60_000;
const LOOK_EVERY_MS = 500;
const COMMIT = /^[0-9a-f]{40}$/;
/** Where what was asked for is kept as it came: a tag may not stand among branches. */
const ARRIVED = 'refs/fetched/source';
const TOO_LARGE = Symbol('too large');

type Fetching = FetchSourceInput & Readonly<{ remote: Remote; shown: string }>;

/**
 * Fetches the commit at a branch, tag or hash of another repository. One whose history is over the limit comes without it.
 *
 * @returns the commit
 * @throws AppError `source_unusable` for what another try cannot mend, else `source_unreachable`; the signal's reason
 */
export async function fetchSource(input: FetchSourceInput): Promise<string> {
  const remote = await remoteOf(input.url, input.privateAddresses);
  await checkBinding(input, remote);
  const fetching = { ...input, remote, shown: JSON.stringify(input.url.slice(0, 200)) };
  const wanted = await wantedName(fetching);
  if ((await fetch(fetching, wanted, [])) === TOO_LARGE) {
    // What has arrived of the history would count again.
    await rm(input.repository, { recursive: true, force: true });
    await ensureRepository(input.repository);
    if ((await fetch(fetching, wanted, ['--depth=1'])) === TOO_LARGE) {
      throw tooLarge(fetching.shown, `is over ${input.limitBytes} bytes, even without its history`);
    }
  }
  const args = ['rev-parse', '--verify', '--quiet', `${ARRIVED}^{commit}`];
  const { repository, signal } = input;
  const end = await runGit({ repository, args, signal });
  if (end.kind !== 'exited' || end.exitCode !== 0) throw refMissing(fetching.shown, wanted);
  const commit = end.stdout.toString().trim();
  await git({ repository, args: ['update-ref', SOURCE_REF, commit], signal });
  return commit;
}

async function checkBinding({ repository, url, signal }: FetchSourceInput, remote: Remote): Promise<void> {
  if (!remote.isBoundByCurl || bindsByCurl((await git({ repository, args: ['version'], signal })).toString())) return;
  throw unusable(
    JSON.stringify(url.slice(0, 200)),
    "cannot be fetched safely by the worker's git: install git 2.37 or newer, or set SOURCE_PRIVATE_ADDRESSES=allowed",
  );
}

/** What is asked for: a branch before a tag of the same name, as `git clone --branch` has it; else a commit by its hash. */
async function wantedName(fetching: Fetching): Promise<string> {
  const { ref, shown } = fetching;
  const names = ref === null ? ['HEAD'] : ref.startsWith('refs/') ? [ref] : [`refs/heads/${ref}`, `refs/tags/${ref}`];
  const end = await run(fetching, ['ls-remote', '--quiet', '--', fetching.remote.url, ...names], LIST_TIMEOUT_MS);
  if (end.kind !== 'exited' || end.exitCode !== 0) throw fetchFailure(shown, end);
  const there = new Set(
    end.stdout
      .toString('utf8')
      .split('\n')
      .map((line) => line.split('\t')[1]),
  );
  const found = names.find((name) => there.has(name));
  if (found !== undefined) return found;
  if (ref === null) throw unusable(shown, 'has no commit yet: push one, or start without a source');
  if (COMMIT.test(ref)) return ref;
  throw refMissing(shown, ref);
}

async function fetch(
  fetching: Fetching,
  wanted: string,
  options: readonly string[],
): Promise<typeof TOO_LARGE | undefined> {
  const args = ['fetch', '--quiet', '--no-tags', '--no-recurse-submodules', '--no-write-fetch-head', ...options];
  const watch = watchSize(fetching.repository, fetching.limitBytes);
  try {
    const signal = AbortSignal.any([fetching.signal, watch.signal]);
    const request = [...args, '--', fetching.remote.url, `+${wanted}:${ARRIVED}`];
    const end = await run({ ...fetching, signal }, request, fetching.timeoutMs);
    if (end.kind === 'exited' && end.exitCode === 0) return (await watch.isOver()) ? TOO_LARGE : undefined;
    // A server may refuse a hash that no branch leads to, and says so in words of its own.
    if (COMMIT.test(wanted) && /not our ref|unadvertised object|couldn't find remote ref/i.test(end.stderr)) {
      throw refMissing(fetching.shown, wanted);
    }
    throw fetchFailure(fetching.shown, end);
  } catch (error) {
    if (watch.signal.aborted && !fetching.signal.aborted) return TOO_LARGE;
    throw error;
  } finally {
    watch.stop();
  }
}

function run(
  { repository, remote, signal }: Fetching,
  args: readonly string[],
  timeoutMs: number,
): Promise<ProcessEnd> {
  return runGit({
    repository,
    args: [...remote.settings.flatMap((setting) => ['-c', setting]), ...args],
    // ssh looks for its keys and known hosts in the account's own folder.
    env: { ...remote.env, HOME: homedir() },
    timeoutMs,
    signal,
  });
}

/** Looks at what has arrived while it arrives: git itself has no limit for a fetch. */
function watchSize(repository: string, limitBytes: number) {
  const controller = new AbortController();
  const isOver = async (): Promise<boolean> => (await sizeOf(join(repository, 'objects'))) > limitBytes;
  let isLooking = false;
  const look = async (): Promise<void> => {
    if (isLooking) return;
    isLooking = true;
    if (await isOver()) controller.abort(TOO_LARGE);
    isLooking = false;
  };
  const timer = setInterval(() => void look(), LOOK_EVERY_MS);
  return { signal: controller.signal, isOver, stop: () => clearInterval(timer) };
}

/** Also of single objects, as servers without a program of git give them. */
async function sizeOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const sizes = entries
    .filter((entry) => entry.isFile())
    .map((entry) =>
      stat(join(entry.parentPath, entry.name)).then(
        ({ size }) => size,
        () => 0,
      ),
    );
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}
