import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const PS_DEADLINE_MS = 2_000;

/** True while a process of this id exists; a zombie counts as gone, because it holds neither ports nor files. */
export function isAlive(pid) {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
  return statFields(pid)?.[0] !== 'Z';
}

/**
 * A text that differs between two processes that had the same id one after the other; null when the process is gone or
 * the platform does not tell.
 */
export function startMark(pid) {
  if (process.platform === 'linux') return statFields(pid)?.[19] ?? null;
  return ps(pid, 'lstart=');
}

/** The arguments a process runs with, as one text with spaces between them; null when gone or not told. */
export function commandLine(pid) {
  if (process.platform !== 'linux') return ps(pid, 'command=');
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    return null;
  }
}

// The second field of /proc/<pid>/stat is the name in brackets and may itself hold spaces and brackets.
function statFields(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return null;
  }
}

function ps(pid, column) {
  if (process.platform === 'win32') return null;
  try {
    const options = { encoding: 'utf8', timeout: PS_DEADLINE_MS, stdio: ['ignore', 'pipe', 'ignore'] };
    return execFileSync('ps', ['-p', String(pid), '-o', column], options).trim() || null;
  } catch {
    return null;
  }
}
