import { Readable } from 'node:stream';
import { type Environment, runCommandLine } from '../../src/cli/run.ts';

type Ended = Readonly<{ code: number; out: string; err: string }>;

type Given = Readonly<{ env?: Environment; input?: string }>;

/** Runs a command line in this process, on streams of its own. */
export async function cli(args: readonly string[], { env = {}, input = '' }: Given = {}): Promise<Ended> {
  const said = { out: '', err: '' };
  const into = (name: keyof typeof said) => ({
    write: (text: string | Uint8Array) => {
      said[name] += text;
      return true;
    },
  });
  const streams = { input: Readable.from([input]), output: into('out'), errors: into('err') };
  const code = await runCommandLine(args, env, streams);
  return { code, ...said };
}
