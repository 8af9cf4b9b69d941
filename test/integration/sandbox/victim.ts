import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';

/** A process of this machine that does nothing, until the test has finished or somebody kills it. */
export async function startVictim(env: Readonly<Record<string, string>>) {
  const child = spawn('/bin/sleep', ['100'], { env, stdio: 'ignore' });
  await once(child, 'spawn');
  /** Who waits for it must know that it was killed. */
  const ended = once(child, 'exit').then(() => true);
  onTestFinished(() => void child.kill('SIGKILL'));
  return { pid: child.pid ?? 0, ended };
}
