import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';

const DEAD_WITHIN_MS = 300;

/** A process of this machine that does nothing, until the test has finished or somebody kills it. */
export async function startVictim(env: Readonly<Record<string, string>>) {
  const child = spawn('/bin/sleep', ['100'], { env, stdio: 'ignore' });
  await once(child, 'spawn');
  const ended = once(child, 'exit').then(() => true);
  onTestFinished(() => void child.kill('SIGKILL'));
  const isDead = (): Promise<boolean> => Promise.race([ended, sleep(DEAD_WITHIN_MS, false)]);
  return { pid: child.pid ?? 0, isDead };
}
