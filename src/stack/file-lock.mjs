import { randomUUID } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { isAlive, startMark } from './process-identity.mjs';

const TRIES = 20;
/** A lock without readable content is being written at this moment, or was cut off; older than this, it was cut off. */
const UNREADABLE_STALE_MS = 5_000;

/**
 * Takes the lock file, or tells who holds it. A lock belongs to the process whose id and start are written in it; when
 * that process is gone, however it ended, the next caller takes the lock over.
 */
export function tryLock(path) {
  const content = JSON.stringify({ pid: process.pid, start: startMark(process.pid), token: randomUUID() });
  let holder = null;
  for (let i = 0; i < TRIES; i++) {
    if (createExclusively(path, content)) return { held: true, release: () => release(path, content) };
    const found = read(path);
    if (found === null) continue;
    holder = found.pid;
    if (found.live) break;
    moveAway(path, found.text);
  }
  return { held: false, pid: holder };
}

// A hard link appears with its whole content or not at all, so that nobody ever reads a half-written lock.
function createExclusively(path, content) {
  const draft = `${path}.${process.pid}.${randomUUID()}`;
  writeFileSync(draft, content);
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    return createWithoutLinks(path, content);
  } finally {
    rmSync(draft, { force: true });
  }
}

// Some file systems have no hard links.
function createWithoutLinks(path, content) {
  try {
    writeFileSync(path, content, { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

function read(path) {
  try {
    const text = readFileSync(path, 'utf8');
    const ageMs = Date.now() - statSync(path).mtimeMs;
    return { text, ...judge(text, ageMs) };
  } catch (error) {
    if (error.code === 'ENOENT') return null;
    throw error;
  }
}

function judge(text, ageMs) {
  try {
    const { pid, start } = JSON.parse(text);
    const live = isAlive(pid) && (start === null || startMark(pid) === start);
    return { pid, live };
  } catch {
    return { pid: null, live: ageMs < UNREADABLE_STALE_MS };
  }
}

// Two callers may find the same stale lock: the slower one would move the faster one's fresh lock. It puts it back.
function moveAway(path, staleText) {
  const aside = `${path}.${process.pid}.${randomUUID()}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (error.code === 'ENOENT') return;
    throw error;
  }
  if (readFileSync(aside, 'utf8') === staleText) rmSync(aside, { force: true });
  else renameSync(aside, path);
}

function release(path, content) {
  try {
    if (readFileSync(path, 'utf8') === content) rmSync(path, { force: true });
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
}
