const PREFIX = 'q-sandbox-';

/** Names of what one process makes outside of its own folders, by which another one can tell whose it was. */
export const ownPrefix = `${PREFIX}${process.pid}-`;

/** Those names among these whose process is gone: a worker that was killed could not clean up. */
export function leftBehind(names: readonly string[]): string[] {
  return names.filter((name) => {
    const pid = name.startsWith(PREFIX) ? /^(\d+)-/.exec(name.slice(PREFIX.length))?.[1] : undefined;
    return pid !== undefined && !isAlive(Number(pid));
  });
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
