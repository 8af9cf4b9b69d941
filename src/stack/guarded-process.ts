import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { homedir } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { GuardianSpec } from './guardian-spec.ts';
import { isAlive, startMark } from './process-identity.mjs';
import { waitUntil } from './wait-until.ts';

const GUARDIAN = fileURLToPath(new URL('./guardian.mjs', import.meta.url));
const GUARDIAN_START_DEADLINE_MS = 10_000;
/** How much longer than its server's own stop a guardian may take to end. */
const GUARDIAN_SLACK_MS = 2_000;

export type GuardedProcess = Readonly<{
  /** The server's process id now: a server that died by itself and was started again has another one. */
  pid: () => number;
  /** True once the server is gone and will not be started again. */
  hasExited: () => boolean;
  /** From now on a server that dies by itself is started again. */
  markReady: () => void;
  /** Stops server and guardian within the spec's deadline and resolves when both are gone. Idempotent. */
  stop: () => Promise<void>;
}>;

/** Starts a server under a guardian that ends it when this process ends, in whatever way. */
export async function startGuarded(spec: GuardianSpec): Promise<GuardedProcess> {
  const guardian = spawn(process.execPath, [GUARDIAN, JSON.stringify(spec)], {
    stdio: ['pipe', 'pipe', 'ignore'],
    detached: true,
    ...environment(),
  });
  const seen = watch(guardian);
  await waitUntil(() => seen.pid !== null || seen.exited, GUARDIAN_START_DEADLINE_MS);
  // A guardian must not keep a parent alive that has nothing else to do: it would then never be told to stop.
  guardian.unref();
  for (const end of [guardian.stdin, guardian.stdout]) (end as Partial<{ unref: () => void }>).unref?.();
  return {
    pid: () => seen.pid ?? 0,
    hasExited: () => seen.exited,
    markReady: () => guardian.stdin.write('ready\n'),
    stop: async () => {
      guardian.stdin.end();
      const gone = await waitUntil(() => seen.closed, spec.stopDeadlineMs + GUARDIAN_SLACK_MS);
      if (!gone) guardian.kill('SIGKILL');
      await stopUnguarded(seen, spec);
    },
  };
}

type Seen = { pid: number | null; start: string | null; exited: boolean; closed: boolean };

// A guardian that was killed leaves its server running. The start mark tells it from a later process of the same id.
async function stopUnguarded({ pid, start }: Seen, spec: GuardianSpec): Promise<void> {
  const runs = (): boolean => pid !== null && isAlive(pid) && startMark(pid) === start;
  for (const signal of [spec.stopSignal, 'SIGKILL'] as const) {
    if (pid === null || !runs()) return;
    process.kill(pid, signal);
    await waitUntil(() => !runs(), spec.stopDeadlineMs);
  }
}

function watch(guardian: ChildProcessByStdio<Writable, Readable, null>): Seen {
  const seen: Seen = { pid: null, start: null, exited: false, closed: false };
  let text = '';
  guardian.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    const lines = text.split('\n');
    text = lines.pop() ?? '';
    for (const line of lines) hear(seen, JSON.parse(line));
  });
  const gone = (): void => {
    seen.exited = true;
    seen.closed = true;
  };
  guardian.on('exit', gone).on('error', gone);
  // Writing to a guardian that was killed: its exit is seen anyway.
  guardian.stdin.on('error', () => undefined);
  return seen;
}

function hear(seen: Seen, line: { event: string; pid?: number }): void {
  if (line.event === 'started' && line.pid !== undefined) {
    seen.pid = line.pid;
    seen.start = startMark(line.pid);
  }
  if (line.event === 'exited') seen.exited = true;
}

// The servers get no copy of the product's environment: it holds API keys, and settings (PGDATA, TEMPORAL_*) that would
// change what they do. Windows programs do not start without parts of it.
function environment(): { env?: NodeJS.ProcessEnv } {
  if (process.platform === 'win32') return {};
  return { env: { HOME: homedir(), PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin', LANG: 'C', LC_ALL: 'C' } };
}
