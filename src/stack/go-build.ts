import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { tryLock } from './file-lock.mjs';
import { type RunResult, run } from './run-command.ts';
import type { BinaryRequest } from './temporal-cache.ts';
import { waitUntil } from './wait-until.ts';

/** Three to four minutes on two cores with downloads; slow machines and networks need several times that. */
const BUILD_DEADLINE_MS = 20 * 60_000;
const PROGRESS_EVERY_MS = 10_000;
const GO_VERSION_DEADLINE_MS = 10_000;
/** From here on the `go` command fetches the toolchain that a module asks for by itself. */
const OLDEST_GO = [1, 21] as const;

/** A command of a pinned Go module. */
export type GoBinary = Readonly<{
  /** What people call it, with its version. */
  name: string;
  /** The folder with go.mod and go.sum. */
  moduleDir: string;
  /** The package whose command it is. */
  package: string;
  /** The path under which it appears. */
  target: string;
}>;

export type Go = (args: readonly string[], deadlineMs: number) => Promise<RunResult>;

/**
 * Builds a command from its pinned module. One process builds, others of the same cache wait for its result.
 * The binary appears under its name only when it is whole.
 */
export async function buildWithGo(
  binary: GoBinary,
  { log, signal }: Pick<BinaryRequest, 'log' | 'signal'>,
  go: Go = goUntil(binary.moduleDir, signal),
): Promise<{ paths: readonly string[] } | { absent: string }> {
  const version = await go(['version'], GO_VERSION_DEADLINE_MS);
  if (version.code !== 0) return { absent: 'there is no working go command' };
  const [, major, minor] = /go(\d+)\.(\d+)/.exec(version.output) ?? [];
  if (Number(major) === OLDEST_GO[0] && Number(minor) < OLDEST_GO[1]) {
    return { absent: `go ${major}.${minor} is older than ${OLDEST_GO.join('.')}` };
  }
  try {
    mkdirSync(dirname(binary.target), { recursive: true });
    return await buildOnce({ binary, log, signal, go });
  } catch (error) {
    return { absent: `the cache cannot be written (${error instanceof Error ? error.message : String(error)})` };
  }
}

type Build = Readonly<{ binary: GoBinary; log: BinaryRequest['log']; signal: AbortSignal | undefined; go: Go }>;

async function buildOnce({ binary, log, signal, go }: Build) {
  const { name, target } = binary;
  const lockFile = `${target}.lock`;
  const endsAt = Date.now() + BUILD_DEADLINE_MS;
  let lock = tryLock(lockFile);
  if (!lock.held) log(`waiting for process ${lock.pid ?? ''}, which is building ${name}`);
  await waitUntil(() => {
    if (!lock.held && !signal?.aborted) lock = tryLock(lockFile);
    return lock.held || signal?.aborted === true;
  }, BUILD_DEADLINE_MS);
  if (!lock.held) return { absent: `process ${lock.pid} is still building it` };
  try {
    if (existsSync(target)) return { paths: [target] };
    return await build(binary, log, go, endsAt - Date.now());
  } finally {
    lock.release();
  }
}

async function build(binary: GoBinary, log: BinaryRequest['log'], go: Go, deadlineMs: number) {
  const { name, target } = binary;
  const draft = `${target}.${process.pid}.tmp`;
  const startedAt = Date.now();
  log(`building ${name} with go; once per machine, takes some minutes`);
  const progress = setInterval(() => {
    log(`building ${name}: ${Math.round((Date.now() - startedAt) / 1000)} s`);
  }, PROGRESS_EVERY_MS);
  const flags = ['-trimpath', '-ldflags=-s -w', '-o', draft];
  try {
    const result = await go(['build', ...flags, binary.package], deadlineMs);
    if (result.code === 0) {
      renameSync(draft, target);
      return { paths: [target] };
    }
    if (result.timedOut) return { absent: `not done after ${Math.round(deadlineMs / 60_000)} min` };
    return { absent: `failed: ${result.output.trim().split('\n').slice(-3).join(' | ').slice(0, 600)}` };
  } finally {
    clearInterval(progress);
    rmSync(draft, { force: true });
  }
}

// Without cgo the binary needs no C compiler to be built and no C library to run.
function goUntil(cwd: string, signal: AbortSignal | undefined): Go {
  return (args, deadlineMs) =>
    process.platform === 'win32'
      ? run('go', args, { deadlineMs, cwd, signal })
      : run('env', ['CGO_ENABLED=0', 'go', ...args], { deadlineMs, cwd, signal });
}
