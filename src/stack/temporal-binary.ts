import { isAbsolute, resolve } from 'node:path';
import { AppError } from '../errors.ts';
import { run } from './run-command.ts';
import { buildTemporal } from './temporal-build.ts';
import { type BinaryRequest, builtBinaryPath } from './temporal-cache.ts';
import { downloadWithSdk, listDownloads } from './temporal-download.ts';

/** A cold disk needs seconds for the first look at a binary of 140 MB. */
const VERSION_DEADLINE_MS = 20_000;

/** Where a `temporal` binary may be. `find` answers with paths to try, best first, or says why there are none. */
export type BinarySource = Readonly<{
  name: string;
  find: () => Promise<Readonly<{ paths: readonly string[] }> | Readonly<{ absent: string }>>;
}>;

export type BinarySettings = BinaryRequest &
  Readonly<{
    /** TEMPORAL_CLI: when given, nothing else is tried. */
    temporalCli?: string | undefined;
  }>;

/** The places in the order they are asked. */
export function binarySources({ cacheDir, log, signal }: BinarySettings): readonly BinarySource[] {
  return [
    { name: 'temporal on PATH', find: onPath },
    {
      name: `the cache ${cacheDir}`,
      find: async () => ({ paths: [builtBinaryPath(cacheDir), ...listDownloads(cacheDir)] }),
    },
    { name: "the Temporal SDK's download", find: () => downloadWithSdk({ cacheDir, log, signal }) },
    { name: 'go build', find: () => buildTemporal({ cacheDir, log, signal }) },
  ];
}

/**
 * The `temporal` command that runs the embedded server.
 * @param answers whether a command is a working `temporal`
 * @throws AppError `temporal_missing`, naming all that was tried and the remedies; the signal's reason when it aborts
 */
export async function findTemporalBinary(
  settings: BinarySettings,
  sources: readonly BinarySource[] = binarySources(settings),
  answers: (command: string) => Promise<boolean> = (command) => isTemporal(command, settings.signal),
): Promise<string> {
  if (settings.temporalCli !== undefined) return await configured(settings.temporalCli, answers);
  const tried: string[] = [];
  for (const source of sources) {
    const found = await source.find();
    const paths = 'paths' in found ? found.paths : [];
    for (const path of paths) if (await answers(path)) return path;
    settings.signal?.throwIfAborted();
    tried.push(`${source.name}: ${'absent' in found ? found.absent : 'no working binary'}`);
  }
  throw new AppError(
    'temporal_missing',
    `No Temporal server was found. Tried: ${tried.join('; ')}. Install the temporal CLI (https://docs.temporal.io/cli) ` +
      'so that it is on PATH, or set TEMPORAL_CLI to its path, or install Go 1.21 or newer, or set TEMPORAL_ADDRESS to a ' +
      'running Temporal server.',
  );
}

async function configured(path: string, answers: (command: string) => Promise<boolean>): Promise<string> {
  const command = /[/\\]/.test(path) ? resolve(path) : ((await whereIs(path)) ?? resolve(path));
  if (await answers(command)) return command;
  throw new AppError(
    'temporal_missing',
    `TEMPORAL_CLI=${path} is not a working temporal binary: "${path} --version" does not answer as one. ` +
      'Set TEMPORAL_CLI to the path of the temporal CLI, or unset it to have one found.',
  );
}

async function onPath(): Promise<{ paths: readonly string[] } | { absent: string }> {
  const path = await whereIs('temporal');
  return path === null ? { absent: 'there is none' } : { paths: [path] };
}

// The server is started in another folder with another PATH: so it needs its whole path.
async function whereIs(name: string): Promise<string | null> {
  const options = { deadlineMs: VERSION_DEADLINE_MS };
  const found =
    process.platform === 'win32'
      ? await run('where', [name], options)
      : await run('sh', ['-c', 'command -v "$1"', 'sh', name], options);
  const path = found.output.split('\n')[0]?.trim() ?? '';
  return found.code === 0 && isAbsolute(path) ? path : null;
}

/** Whether the command's `--version` answers, within a deadline, as a Temporal CLI with a server inside. */
export async function isTemporal(command: string, signal?: AbortSignal): Promise<boolean> {
  const result = await run(command, ['--version'], { deadlineMs: VERSION_DEADLINE_MS, signal });
  return result.code === 0 && /^temporal version .*Server/m.test(result.output);
}
