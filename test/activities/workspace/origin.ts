import { execFileSync } from 'node:child_process';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { OpenedSource } from '../../../src/activities/workspace/open-source.ts';
import type { Source } from '../../../src/machine/source.ts';
import type { SourceRules } from '../../../src/source-paths.ts';
import { type Machines, openMachines, NEVER as signal, WORKFLOW_ID as workflowId } from './fixture.ts';

export const RULES: SourceRules = { paths: 'any', ownPaths: [], privateAddresses: true };

/** Machines beside a repository of a user's, with which their builds may begin. */
export type Origin = Readonly<{
  machines: Machines;
  dir: string;
  path: string;
  /** Runs git in the user's repository. */
  run(...args: string[]): string;
  /** Writes files, commits them, and gives the commit. */
  commit(files: Readonly<Record<string, string>>): Promise<string>;
  open(source: Source, rules?: SourceRules): Promise<OpenedSource>;
  /** What opening has left behind beside the build's repository. */
  leftOver(): Promise<string[]>;
}>;

export async function openOrigin(): Promise<Origin> {
  const machines = await openMachines();
  const path = join(machines.dir, 'origin');
  await mkdir(path);
  execFileSync('git', ['init', '--quiet', '--initial-branch=main', path]);
  const author = ['-c', 'user.name=Ann', '-c', 'user.email=ann@example.org'];
  const run = (...args: string[]): string =>
    execFileSync('git', ['-C', path, ...author, ...args], { encoding: 'utf8' }).trim();
  return {
    machines,
    dir: machines.dir,
    path,
    run,
    async commit(files) {
      for (const [name, content] of Object.entries(files)) {
        await mkdir(join(path, name, '..'), { recursive: true });
        await writeFile(join(path, name), content);
      }
      run('add', '--all');
      run('commit', '--quiet', '--allow-empty', '--message', 'a change');
      return run('rev-parse', 'HEAD');
    },
    open: (source, rules = RULES) => machines.workspaces.openSource({ workflowId, source, rules, signal }),
    leftOver: async () => (await readdir(join(machines.dir, 'first'))).filter((name) => name !== `${workflowId}.git`),
  };
}
