/**
 * Runs one server for a parent that may die at any moment. The parent holds the other end of this process's stdin: when
 * that closes, in order or because the parent was killed, the server is stopped. It runs in a process group of its own,
 * so that Ctrl-C in a terminal reaches the parent alone, which then stops its servers in order.
 * A server that dies by itself is started again with the same arguments, a bounded number of times.
 *
 * Tells the parent on stdout, one JSON object per line: {event:'started',pid}, {event:'exited',code,signal}.
 */
import { spawn } from 'node:child_process';
import { openSync, renameSync, rmSync, writeFileSync } from 'node:fs';

/** @type {import('./guardian-spec.ts').GuardianSpec} */
const spec = JSON.parse(process.argv[2] ?? '{}');
const RESTART_PAUSE_MS = 300;
/** A server that ran this long before it died is healthy again: its earlier deaths no longer count. */
const HEALTHY_MS = 60_000;

const log = openSync(spec.logFile, 'a');
let child = null;
let stopping = false;
let everReady = false;
let deaths = 0;

start();
process.stdin.on('data', (chunk) => {
  if (chunk.includes('ready')) everReady = true;
});
process.stdin.on('close', stop);
process.stdin.on('error', stop);
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, stop);
// The parent may be gone: what it can no longer read is no reason to leave the server without a guard.
process.stdout.on('error', () => undefined);

function start() {
  const startedAt = Date.now();
  child = spawn(spec.command, spec.args, {
    stdio: ['ignore', log, log],
    cwd: spec.cwd,
    ...(spec.uid === undefined ? {} : { uid: spec.uid, gid: spec.gid }),
  });
  child.on('error', (error) => ended(null, error.message, startedAt));
  child.on('exit', (code, signal) => ended(code, signal, startedAt));
  if (child.pid === undefined) return;
  record({ ...spec.record, pid: child.pid, guardianPid: process.pid });
  tell({ event: 'started', pid: child.pid });
}

function ended(code, signal, startedAt) {
  if (child === null) return;
  child = null;
  if (Date.now() - startedAt > HEALTHY_MS) deaths = 0;
  deaths += 1;
  if (stopping || !everReady || deaths > spec.maxRestarts) {
    rmSync(spec.recordFile, { force: true });
    tell({ event: 'exited', code, signal });
    process.exit(0);
  }
  setTimeout(() => (stopping ? process.exit(0) : start()), RESTART_PAUSE_MS * deaths);
}

function stop() {
  if (stopping) return;
  stopping = true;
  if (child === null) {
    rmSync(spec.recordFile, { force: true });
    process.exit(0);
  }
  child.kill(spec.stopSignal);
  setTimeout(() => child?.kill('SIGKILL'), spec.stopDeadlineMs);
}

// Written here and not by the parent: it is right at every moment, also when the parent is killed or the server restarts.
function record(content) {
  const draft = `${spec.recordFile}.${process.pid}`;
  writeFileSync(draft, JSON.stringify(content));
  renameSync(draft, spec.recordFile);
}

function tell(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
