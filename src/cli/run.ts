import { createClient } from '../client/client.ts';
import { createScreen } from '../demo/screen.ts';
import { type Command, commonOptions, parseLine, type Streams, UsageError } from './command.ts';
import { COMMANDS } from './commands.ts';
import { helpOf } from './help.ts';
import { EXIT } from './output.ts';
import { reportOf } from './report.ts';

/** The variables of the environment that the command line goes by. */
export type Environment = Readonly<Partial<Record<'Q_URL' | 'Q_API_KEY' | 'NO_COLOR' | 'TERM', string>>>;

const DEFAULT_URL = 'http://127.0.0.1:3000';

function subjectOf(name: string, { subject }: Command, given: readonly string[]): string {
  const [first = '', ...others] = given;
  if (subject !== null && first.trim() === '') throw new UsageError(`${name} needs a ${subject}`);
  const extra = subject === null ? given[0] : others[0];
  if (extra === undefined) return first;
  throw new UsageError(`"${extra}" is one argument too many; put what has spaces in quotes`);
}

function commandOf(name: string | undefined): Command {
  if (name === undefined) throw new UsageError('a command is missing');
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) throw new UsageError(`"${name}" is no command`);
  return command;
}

type Line = ReturnType<typeof parseLine>;

function refuseStrays(name: string, command: Command, { tokens }: Line): void {
  const known = { ...command.options, ...commonOptions(command) };
  const stray = tokens.find((token) => token.kind === 'option' && !Object.hasOwn(known, token.name));
  if (stray?.kind === 'option') throw new UsageError(`--${stray.name} is no option of ${name}`);
}

/** A fetch that cannot even be tried would look like a server that is away. */
function addressOf(option: string | undefined, variable: string | undefined): string {
  const [name, given] = option === undefined ? ['Q_URL', variable || DEFAULT_URL] : ['--url', option];
  const url = URL.canParse(given) ? new URL(given) : null;
  if (url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '') return given;
  throw new UsageError(`${name} must be an address like ${DEFAULT_URL}, without a user in it`);
}

/** What can stand in a header; an API takes no other. */
function requireVisible(text: string | undefined, name: string): void {
  if (text === undefined || text === '' || /^[\x21-\x7e]+$/.test(text)) return;
  throw new UsageError(`${name} must be visible ASCII characters without spaces`);
}

async function execute(args: readonly string[], env: Environment, streams: Streams): Promise<number> {
  const line = parseLine(args);
  const { values } = line;
  const [name, ...rest] = line.positionals;
  if (values.help) {
    streams.output.write(helpOf(name ?? null));
    return EXIT.done;
  }
  const command = commandOf(name);
  try {
    const { NO_COLOR, TERM, Q_API_KEY, Q_URL } = env;
    refuseStrays(String(name), command, line);
    requireVisible(values['idempotency-key'], '--idempotency-key');
    requireVisible(Q_API_KEY, 'Q_API_KEY');
    const client = createClient({ url: addressOf(values.url, Q_URL), apiKey: Q_API_KEY });
    const subject = subjectOf(String(name), command, rest);
    const colours = streams.output.isTTY === true && !NO_COLOR && TERM !== 'dumb';
    const screen = createScreen(streams.output, streams.errors, { colours });
    return await command.run({ client, streams, screen, subject, values });
  } catch (error) {
    throw error instanceof UsageError ? new UsageError(error.message, name) : error;
  }
}

/** Carries out one command line, and gives its exit code. Never throws. */
export async function runCommandLine(args: readonly string[], env: Environment, streams: Streams): Promise<number> {
  try {
    return await execute(args, env, streams);
  } catch (error) {
    const { text, code } = reportOf(error);
    streams.errors.write(text);
    return code;
  }
}
