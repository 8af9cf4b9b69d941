import { sandboxMissing } from '../activities/sandbox/bubblewrap.ts';
import { type OpenedBubblewrap, openBubblewrap } from '../activities/sandbox/open-bubblewrap.ts';
import { noSandbox, type Sandbox } from '../activities/sandbox/sandbox.ts';
import type { Config } from '../config.ts';
import { isSimulated } from '../models.ts';
import { installPackages } from '../stack/install-packages.ts';

export type SandboxSettings = Readonly<{
  config: Pick<Config, 'sandbox'> & Readonly<{ models: Pick<Config['models'], 'providers'> }>;
  /** Progress for people, one line at a time. */
  tell: (line: string) => void;
  signal?: AbortSignal | undefined;
  /** How bubblewrap is looked for. Default {@link bubblewrap}. */
  find?: typeof bubblewrap;
}>;

const NEVER = new AbortController().signal;

/**
 * How this process runs programs of builds, told in one line: in a sandbox, which is installed where it can be; in plain
 * child processes where the operator wants that, or where only the simulated model writes files.
 * @throws AppError `sandbox_missing` when files of a real provider's model would have none; the signal's reason when it aborts
 */
export async function openSandbox({ config, tell, signal, find = bubblewrap }: SandboxSettings): Promise<Sandbox> {
  if (config.sandbox.mode === 'off') {
    const { offConfirmed } = config.sandbox;
    tell(`SANDBOX=off: programs of builds run without a sandbox, as plain child processes${whose(offConfirmed)}.`);
    return noSandbox(offConfirmed);
  }
  const opened = await find(tell, signal);
  if ('sandbox' in opened) {
    tell(`Programs of builds run in a sandbox (bubblewrap; memory limited by ${opened.memoryLimit})`);
    return opened.sandbox;
  }
  if (!isSimulated(config.models.providers)) throw sandboxMissing(opened.absent);
  tell(
    `There is no sandbox (${opened.absent}): what the simulated model writes runs as plain child processes; other files do not run.`,
  );
  return noSandbox(false);
}

const whose = (offConfirmed: boolean): string =>
  offConfirmed ? ', with all that this user may do' : '; other files than those of the simulated model do not run';

/** Bubblewrap as it is on this machine, installed first where it is missing and can be. */
export async function bubblewrap(tell: (line: string) => void, signal: AbortSignal = NEVER): Promise<OpenedBubblewrap> {
  const opened = await openBubblewrap(signal);
  if ('sandbox' in opened || opened.missingPackages.length === 0) return opened;
  const failure = await installPackages({ packages: opened.missingPackages, log: tell, signal });
  signal.throwIfAborted();
  return failure === null ? await openBubblewrap(signal) : { ...opened, absent: `${opened.absent}; ${failure}` };
}
