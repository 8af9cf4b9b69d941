import { describe } from 'vitest';
import { type CommandLines, commandLines, describeWithTctl, type Ran } from '../fixtures/command-lines.ts';
import type { TestStack } from '../fixtures/stack.ts';

type Json = Record<string, unknown>;

/** One of the two command lines, in the words that both know. */
export type Operator = Readonly<{
  /** `input` is typed as it stands; without one, none is sent. */
  signal(workflowId: string, name: string, input?: string): Promise<Ran>;
  query(workflowId: string, name: string): Promise<Json>;
}>;

function answered({ code, output }: Ran): string {
  if (code !== 0) throw new Error(output);
  return output;
}

const withTctl = ({ tctl }: CommandLines): Operator => ({
  signal: (workflowId, name, input) =>
    tctl('workflow', 'signal', '-w', workflowId, '-n', name, ...(input === undefined ? [] : ['-i', input])),
  query: async (workflowId, name) => {
    const output = answered(await tctl('workflow', 'query', '-w', workflowId, '--qt', name));
    const [result] = JSON.parse(output.slice(output.indexOf('['))) as [Json];
    return result;
  },
});

const withTemporal = ({ temporal }: CommandLines): Operator => ({
  signal: (workflowId, name, input) =>
    temporal(
      'workflow',
      'signal',
      '-w',
      workflowId,
      '--name',
      name,
      ...(input === undefined ? [] : ['--input', input]),
    ),
  query: async (workflowId, name) => {
    const output = answered(await temporal('workflow', 'query', '-w', workflowId, '--type', name, '-o', 'json'));
    const { queryResult } = JSON.parse(output) as { queryResult: [Json] };
    return queryResult[0];
  },
});

/** The same tests by each command line; those by tctl are skipped where there is none. */
export function describeByHand(name: string, tests: (operator: (test: TestStack) => Operator) => void): void {
  describe(`${name}, by temporal`, () => tests((test) => withTemporal(commandLines(test))));
  describeWithTctl(`${name}, by tctl`, () => tests((test) => withTctl(commandLines(test))));
}
