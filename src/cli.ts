import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { ApiError } from './client/api-error.ts';
import { type Client, createClient, type EventReply, type HandoffReply } from './client/client.ts';
import { type WatchedRow, watch } from './client/watch.ts';
import { renderRow } from './demo/render.ts';
import { auditLines } from './demo/report.ts';
import { createScreen, type Screen } from './demo/screen.ts';
import { clean } from './demo/text.ts';
import type { Json } from './machine/json.ts';

/** `q-orchestrator`: builds over HTTP, from the command line. */

const USAGE = `Usage: q-orchestrator <command> [options]

  start "<requirements>"   start a build; --watch follows it
      --project <id> (default), --user <id> (you), --build <id> (a new one), --model <name>,
      --external <role> (a role that a person or an outside agent plays; repeatable)
  status <workflow_id>     where a build is
  watch <workflow_id>      its audit as it happens, to its end
  history <workflow_id>    its handoffs and events
  advance <workflow_id>    hand on a phase's result, or acknowledge a handoff, for a role
      --role <role> --completed <state> --result <json>|@<file> [--next <state>]
  retry <workflow_id>      send the work back to the phase before; --reason "…"
  rollback <workflow_id>   go back to a phase that was reached; --to <phase> --reason "…"
  abort <workflow_id>      end a build; --reason "…"

Everywhere:
  --url <address>          where the API is (default http://127.0.0.1:3000)
  --key <text>             Idempotency-Key of a command: repeated with it, it takes effect once
  --json                   answers as JSON, one value per line
  --help                   this text
The API key, where the API asks for one, is read from Q_API_KEY.

Exit code: 0 done, 1 refused or failed (for watch: the build did not complete), 2 wrong usage.
`;

const OPTIONS = {
  url: { type: 'string', default: 'http://127.0.0.1:3000' },
  key: { type: 'string' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
  project: { type: 'string', default: 'default' },
  user: { type: 'string', default: 'you' },
  build: { type: 'string' },
  model: { type: 'string' },
  external: { type: 'string', multiple: true },
  watch: { type: 'boolean', default: false },
  role: { type: 'string' },
  completed: { type: 'string' },
  result: { type: 'string' },
  next: { type: 'string' },
  to: { type: 'string' },
  reason: { type: 'string' },
} as const;

/** Options that every command takes; any other is refused where it would do nothing. */
const COMMON = ['url', 'key', 'json', 'help'];

/** A command line that cannot be carried out. */
class UsageError extends Error {}

const parse = (args: readonly string[]) => {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true, tokens: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
};
type Values = ReturnType<typeof parse>['values'];

type Call = Readonly<{ client: Client; screen: Screen; subject: string; values: Values }>;
type Command = Readonly<{
  /** What stands behind the command's name. */
  subject: string;
  options: readonly (keyof typeof OPTIONS)[];
  /** Gives the exit code. */
  run: (call: Call) => Promise<number>;
}>;

function required(values: Values, name: 'role' | 'completed' | 'to' | 'reason'): string {
  const value = values[name];
  if (value === undefined || value.trim() === '') throw new UsageError(`--${name} is missing`);
  return value;
}

/** Shows an answer: its fields one below the other, or as JSON. */
function show(reply: object, values: Values): void {
  if (values.json) return void process.stdout.write(`${JSON.stringify(reply)}\n`);
  const text = (value: unknown): string => {
    if (typeof value === 'string') return clean(value);
    const isList = Array.isArray(value) && value.some((entry) => typeof entry === 'object');
    return isList ? `${value.length} (--json shows them)` : clean(JSON.stringify(value));
  };
  const names = Object.keys(reply);
  const width = Math.max(...names.map((name) => name.length));
  for (const [name, value] of Object.entries(reply)) {
    process.stdout.write(`${name.padEnd(width)}  ${text(value)}\n`);
  }
}

const commandOptions = ({ key }: Values) => (key === undefined ? {} : { idempotencyKey: key });

function resultOf({ result }: Values): Json {
  if (result === undefined) return {};
  let text = result;
  try {
    text = result.startsWith('@') ? readFileSync(result.slice(1), 'utf8') : result;
  } catch {
    throw new UsageError(`--result names the file "${result.slice(1)}", which cannot be read`);
  }
  try {
    return JSON.parse(text) as Json;
  } catch {
    throw new UsageError('--result is no JSON: give an object, or @ and the name of a file that holds one');
  }
}

async function follow({ client, screen, values }: Call, workflowId: string): Promise<number> {
  const rows: WatchedRow[] = [];
  for await (const row of watch(client, workflowId)) {
    if (values.json) process.stdout.write(`${JSON.stringify(row)}\n`);
    else screen.print(renderRow(row, rows, { width: screen.width(), modelOf: () => null }));
    rows.push(row);
  }
  const { status, state_description: told } = await client.status(workflowId);
  if (!values.json) process.stdout.write(`\n${clean(told)}\n`);
  return status === 'complete' ? 0 : 1;
}

async function start(call: Call): Promise<number> {
  const { client, subject, values } = call;
  const request = {
    build_id: values.build ?? randomUUID(),
    user_id: values.user,
    requirements: subject,
    ...(values.model === undefined ? {} : { model: values.model }),
    ...(values.external === undefined ? {} : { external_roles: values.external }),
  };
  const reply = await client.start(values.project, request, commandOptions(values));
  show(reply, values);
  return values.watch ? await follow(call, reply.workflow_id) : 0;
}

async function history({ client, screen, subject, values }: Call): Promise<number> {
  const handoffs: HandoffReply[] = [];
  const events: EventReply[] = [];
  for await (const page of client.historyPages(subject)) {
    handoffs.push(...page.handoffs);
    events.push(...page.events);
  }
  if (values.json) show({ workflow_id: subject, handoffs, events }, values);
  else screen.print(auditLines(handoffs, events, screen.width()));
  return 0;
}

/** A command whose answer is shown as it is. */
const shown =
  (call: (given: Call) => Promise<object>): Command['run'] =>
  async (given) => {
    show(await call(given), given.values);
    return 0;
  };

const COMMANDS: Readonly<Record<string, Command>> = {
  start: { subject: 'requirements', options: ['project', 'user', 'build', 'model', 'external', 'watch'], run: start },
  status: { subject: 'workflow_id', options: [], run: shown(({ client, subject }) => client.status(subject)) },
  watch: { subject: 'workflow_id', options: [], run: (call) => follow(call, call.subject) },
  history: { subject: 'workflow_id', options: [], run: history },
  advance: {
    subject: 'workflow_id',
    options: ['role', 'completed', 'result', 'next'],
    run: shown(({ client, subject, values }) => {
      const body = {
        role: required(values, 'role'),
        completed_state: required(values, 'completed'),
        phase_result: resultOf(values),
        ...(values.next === undefined ? {} : { next_state: values.next }),
      };
      return client.advance(subject, body, commandOptions(values));
    }),
  },
  retry: {
    subject: 'workflow_id',
    options: ['reason'],
    run: shown(({ client, subject, values }) =>
      client.requestRetry(subject, { reason: required(values, 'reason') }, commandOptions(values)),
    ),
  },
  rollback: {
    subject: 'workflow_id',
    options: ['to', 'reason'],
    run: shown(({ client, subject, values }) => {
      const body = { target_state: required(values, 'to'), reason: required(values, 'reason') };
      return client.rollback(subject, body, commandOptions(values));
    }),
  },
  abort: {
    subject: 'workflow_id',
    options: ['reason'],
    run: shown(({ client, subject, values }) =>
      client.abort(subject, { reason: required(values, 'reason') }, commandOptions(values)),
    ),
  },
};

function subjectOf(name: string, command: Command, positionals: readonly string[]): string {
  const [subject, extra] = positionals;
  if (subject === undefined || subject.trim() === '') throw new UsageError(`${name} needs a ${command.subject}`);
  if (extra !== undefined) throw new UsageError(`"${extra}" is one argument too many; put requirements in quotes`);
  return subject;
}

async function main(args: readonly string[]): Promise<number> {
  const { values, positionals, tokens } = parse(args);
  const [name, ...rest] = positionals;
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const command = name === undefined || !Object.hasOwn(COMMANDS, name) ? undefined : COMMANDS[name];
  if (name === undefined || command === undefined) {
    throw new UsageError(name === undefined ? 'a command is missing' : `"${name}" is no command`);
  }
  const known: readonly string[] = [...COMMON, ...command.options];
  const stray = tokens.find((token) => token.kind === 'option' && !known.includes(token.name));
  if (stray?.kind === 'option') throw new UsageError(`--${stray.name} is no option of ${name}`);
  if (!URL.canParse(values.url))
    throw new UsageError(`--url is "${values.url}": give an address like http://host:3000`);
  const subject = subjectOf(name, command, rest);
  const { NO_COLOR, TERM, Q_API_KEY } = process.env;
  const colours = process.stdout.isTTY === true && !NO_COLOR && TERM !== 'dumb';
  const screen = createScreen(process.stdout, process.stderr, { colours });
  return await command.run({ client: createClient({ url: values.url, apiKey: Q_API_KEY }), screen, subject, values });
}

function report(error: unknown): number {
  if (error instanceof UsageError) {
    process.stderr.write(`${error.message}\n\n${USAGE}`);
    return 2;
  }
  if (!(error instanceof ApiError)) {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    return 1;
  }
  const { code, facts } = error;
  process.stderr.write(`${code}: ${clean(error.message)}\n`);
  for (const { at, fault } of facts.faults) process.stderr.write(`  ${clean(at)} ${clean(fault)}\n`);
  const repeatable = facts.idempotencyKey !== null && (code === 'no_answer' || code === 'no_worker');
  if (repeatable) process.stderr.write(`To repeat it safely add --key ${facts.idempotencyKey}\n`);
  if (facts.requestId !== null) process.stderr.write(`Request id: ${clean(facts.requestId)}\n`);
  return 1;
}

// A reader that has seen enough (`| head`) is no failure.
process.stdout.on('error', () => process.exit(0));
process.exitCode = await main(process.argv.slice(2)).catch(report);
