import { type Command, commonOptions, OPTIONS, type OptionHelps, type OptionName } from './command.ts';
import { COMMANDS } from './commands.ts';

const NAME = 'q-orchestrator';

const ENDING = `<requirements> and <json> may be @<file>, or - for standard input. States and roles are taken in either case.
Q_URL stands for --url, and Q_API_KEY is the secret of the API key, where the API asks for one.

Exit code: 0 done; 1 refused or failed (watch: the build did not complete); 2 wrong usage;
3 the API is away, or asks to come back later.
`;

const flagOf = (name: OptionName): string => {
  const option = OPTIONS[name];
  return 'value' in option ? `--${name} ${option.value}` : `--${name}`;
};

/** Two columns, the first as wide as its widest cell. */
function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}\n`).join('');
}

const entriesOf = (options: OptionHelps) =>
  Object.entries(options) as [OptionName, NonNullable<OptionHelps[OptionName]>][];

const subjectOf = ({ subject }: Command): string => (subject === null ? '' : ` <${subject}>`);

function overview(): string {
  const rows = Object.entries(COMMANDS).map(
    ([name, command]) => [`${name}${subjectOf(command)}`, command.says] as const,
  );
  return `Usage: ${NAME} <command> [options]\n\n${columns(rows)}
"${NAME} <command> --help" lists the options of one.
`;
}

function helpOfCommand(name: string, command: Command): string {
  const own = entriesOf(command.options);
  const flags = own.map(([option, { required }]) => (required ? flagOf(option) : `[${flagOf(option)}]`));
  const rows = [...own, ...entriesOf(commonOptions(command))].map(
    ([option, { says }]) => [flagOf(option), says] as const,
  );
  const usage = [`${NAME} ${name}${subjectOf(command)}`, ...flags].join(' ');
  return `Usage: ${usage}\n\n${command.says}\n\n${columns(rows)}`;
}

/** The help of a command, or of all where none is named. */
export function helpOf(name: string | null): string {
  const command = name === null ? undefined : COMMANDS[name];
  return `${name === null || command === undefined ? overview() : helpOfCommand(name, command)}\n${ENDING}`;
}
