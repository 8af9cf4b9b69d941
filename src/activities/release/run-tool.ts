import { AppError } from '../../errors.ts';
import { type ProcessRequest, runProcess } from '../sandbox/run-process.ts';

export type ToolRun = Readonly<{
  /** What it is, for messages: `git push`. */
  what: string;
  /** Values that must never be seen. */
  secrets: readonly string[];
}> &
  Pick<ProcessRequest, 'file' | 'args' | 'cwd' | 'env' | 'timeoutMs' | 'signal'>;

const OUTPUT_BYTES = 16 * 1024;
const GRACE_MS = 1000;

/** What a program said, fit for a log: no secrets, no user in an address, no control characters. */
export function cleanOutput(text: string, secrets: readonly string[]): string {
  let clean = text;
  for (const secret of secrets) clean = clean.replaceAll(secret, '***');
  return clean
    .replace(/\b([a-z][a-z+.-]*:\/\/)[^\s/@]*@/gi, '$1***@')
    .replace(/[^\P{Cc}\n\t]/gu, '')
    .trim();
}

/**
 * Runs a program of the operator's. It gets the environment that is given, and no more.
 * @returns the end of what it wrote, cleaned
 * @throws AppError `release_failed` when it ends with another code than 0 or not in time; the signal's reason when aborted
 */
export async function runTool({
  what,
  secrets,
  ...run
}: ToolRun): Promise<{ exitCode: number | null; output: string }> {
  const end = await runProcess({ ...run, keep: 'tail', limitBytes: OUTPUT_BYTES, graceMs: GRACE_MS }).catch(
    (error: unknown) => {
      if (run.signal.aborted) throw error;
      const why = cleanOutput(error instanceof Error ? error.message : String(error), secrets);
      throw new AppError('release_failed', `${what} could not be started: ${why}.`);
    },
  );
  const output = cleanOutput(end.stdout.toString('utf8'), secrets);
  if (end.kind === 'deadline') {
    throw new AppError('release_failed', `${what} did not end within ${run.timeoutMs / 1000} s and was stopped.`);
  }
  return { exitCode: end.exitCode, output };
}
