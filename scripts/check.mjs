/**
 * Types, style and unused code, all looked at whatever one of them finds. Each works on one processor most of the time, so
 * they run side by side; what they say comes one after the other.
 */
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Several type checkers each look at what the sources share: twice the processor time, and no sooner done on two processors. */
const CHECKS = [
  ['typescript/bin/tsc', '--noEmit', '--checkers', '1'],
  ['@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '.'],
  ['knip/bin/knip.js'],
];

const codes = await Promise.all(CHECKS.map(run));
process.exitCode = codes.every((code) => code === 0) ? 0 : 1;

/** Resolves with the exit code; null after a signal. */
function run([program, ...args]) {
  return new Promise((resolve, reject) => {
    const command = [join(root, 'node_modules', program), ...args];
    const child = spawn(process.execPath, command, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    const said = [];
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => said.push(chunk));
    child.once('error', reject);
    child.once('close', (code) => {
      process.stdout.write(Buffer.concat(said));
      resolve(code);
    });
  });
}
