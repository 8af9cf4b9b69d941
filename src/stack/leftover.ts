import { readFileSync, rmSync } from 'node:fs';
import { commandLine, isAlive } from './process-identity.mjs';
import { waitUntil } from './wait-until.ts';

const KILL_DEADLINE_MS = 3_000;

export type Leftover = Readonly<{
  recordFile: string;
  /** A path that stands in the command line of the server of this data directory and of no other process. */
  mark: string;
  stopSignal: 'SIGTERM' | 'SIGINT';
  stopDeadlineMs: number;
}>;

/** What the guardian wrote when it started the server. */
export type ServerRecord = Readonly<{ pid: number; guardianPid: number } & Record<string, number>>;

/** The record of the last server of this data directory, running or not; null when there is none that can be read. */
export function readRecord(recordFile: string): ServerRecord | null {
  try {
    const record: unknown = JSON.parse(readFileSync(recordFile, 'utf8'));
    return isRecord(record) ? record : null;
  } catch {
    return null;
  }
}

/**
 * Ends a server that an earlier, killed process left running on this data directory. It is stopped and not reused: its
 * settings may be older than ours, and a server without a guardian would stay for ever. A process whose command line
 * does not name this data directory is left alone, whatever the record says: its id was reused.
 */
export async function stopLeftover(leftover: Leftover, extraPid: number | null = null): Promise<void> {
  const record = readRecord(leftover.recordFile);
  // The guardian first, so that it does not start the server again.
  const pids = [record?.guardianPid, record?.pid, extraPid].filter((pid) => pid !== undefined && pid !== null);
  for (const pid of pids) await stopIfOurs(pid, leftover);
  rmSync(leftover.recordFile, { force: true });
}

/** True while this process runs and its command line names the path. */
export function runsOn(pid: number, mark: string): boolean {
  if (!isAlive(pid) || pid === process.pid) return false;
  const command = commandLine(pid);
  return command !== null && (command.includes(mark) || command.includes(JSON.stringify(mark).slice(1, -1)));
}

async function stopIfOurs(pid: number, leftover: Leftover): Promise<void> {
  if (!runsOn(pid, leftover.mark)) return;
  signal(pid, leftover.stopSignal);
  if (await waitUntil(() => !isAlive(pid), leftover.stopDeadlineMs)) return;
  signal(pid, 'SIGKILL');
  await waitUntil(() => !isAlive(pid), KILL_DEADLINE_MS);
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It ended between the look and the signal.
  }
}

function isRecord(value: unknown): value is ServerRecord {
  return typeof value === 'object' && value !== null && Object.values(value).every((part) => Number.isInteger(part));
}
