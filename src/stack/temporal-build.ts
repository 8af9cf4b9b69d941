import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tryLock } from './file-lock.mjs';
import { type RunResult, run } from './run-command.ts';
import { type BinaryRequest, builtBinaryPath, TEMPORAL_CLI_VERSION } from './temporal-cache.ts';
import { waitUntil } from './wait-until.ts';

const MODULE_DIR = fileURLToPath(new URL('./temporal-server/', import.meta.url));
/** Three to four minutes on two cores with downloads; slow machines and networks need several times that. */
const BUILD_DEADLINE_MS = 20 * 60_000;
const PROGRESS_EVERY_MS = 10_000;
const GO_VERSION_DEADLINE_MS = 10_000;
/** From here on the `go` command fetches the toolchain that the module asks for by itself. */
const OLDEST_GO = [1, 21] as const;

export type Go = (args: readonly string[], deadlineMs: number) => Promise<RunResult>;

/**
 * Builds the Temporal CLI from the pinned module. One process builds, others of the same cache wait for its result.
 * The binary appears under its name only when it is whole.
 */
export async function buildWithGo(
  { cacheDir, log, signal }: BinaryRequest,
  go: Go = goUntil(signal),
): Promise<{ paths: readonly string[] } | { absent: string }> {
  const version = await go(['version'], GO_VERSION_DEADLINE_MS);
  if (version.code !== 0) return { absent: 'there is no working go command' };
  const [, major, minor] = /go(\d+)\.(\d+)/.exec(version.output) ?? [];
  if (Number(major) === OLDEST_GO[0] && Number(minor) < OLDEST_GO[1]) {
    return { absent: `go ${major}.${minor} is older than ${OLDEST_GO.join('.')}` };
  }
  const target = builtBinaryPath(cacheDir);
  try {
    mkdirSync(dirname(target), { recursive: true });
    return await buildOnce({ target, log, signal, go });
  } catch (error) {
    return { absent: `the cache cannot be written (${error instanceof Error ? error.message : String(error)})` };
  }
}

type Build = Readonly<{ target: string; log: BinaryRequest['log']; signal: AbortSignal | undefined; go: Go }>;

async function buildOnce({ target, log, signal, go }: Build) {
  const lockFile = `${target}.lock`;
  const endsAt = Date.now() + BUILD_DEADLINE_MS;
  let lock = tryLock(lockFile);
  if (!lock.held) log(`waiting for process ${lock.pid ?? ''}, which is building the Temporal server`);
  await waitUntil(() => {
    if (!lock.held && !signal?.aborted) lock = tryLock(lockFile);
    return lock.held || signal?.aborted === true;
  }, BUILD_DEADLINE_MS);
  if (!lock.held) return { absent: `process ${lock.pid} is still building it` };
  try {
    if (existsSync(target)) return { paths: [target] };
    return await build(target, log, go, endsAt - Date.now());
  } finally {
    lock.release();
  }
}

async function build(target: string, log: BinaryRequest['log'], go: Go, deadlineMs: number) {
  const draft = `${target}.${process.pid}.tmp`;
  const startedAt = Date.now();
  log(`building the Temporal server ${TEMPORAL_CLI_VERSION} with go; once per machine, takes some minutes`);
  const progress = setInterval(() => {
    log(`building the Temporal server: ${Math.round((Date.now() - startedAt) / 1000)} s`);
  }, PROGRESS_EVERY_MS);
  const flags = ['-trimpath', '-ldflags=-s -w', '-o', draft];
  try {
    const result = await go(['build', ...flags, 'github.com/temporalio/cli/cmd/temporal'], deadlineMs);
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
function goUntil(signal: AbortSignal | undefined): Go {
  return (args, deadlineMs) =>
    process.platform === 'win32'
      ? run('go', args, { deadlineMs, cwd: MODULE_DIR, signal })
      : run('env', ['CGO_ENABLED=0', 'go', ...args], { deadlineMs, cwd: MODULE_DIR, signal });
}
