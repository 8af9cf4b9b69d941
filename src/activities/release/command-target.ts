import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AppError } from '../../errors.ts';
import type { PublishTarget } from '../../release-settings.ts';
import { runTool } from './run-tool.ts';
import type { Publication, Target, TargetParts } from './target.ts';

/** A deployment that takes longer is better started by the command than waited for. */
const COMMAND_TIMEOUT_MS = 300_000;
const LOGGED_CHARS = 2000;

type CommandTarget = Extract<PublishTarget, { kind: 'command' }>;

/** The folder is the command's last argument; all else that it may want to know stands in its environment. */
function environmentOf({ env }: CommandTarget, of: Publication): Record<string, string> {
  return {
    ...env,
    Q_BUILD_ID: of.buildId,
    Q_PROJECT_ID: of.projectId,
    Q_WORKFLOW_ID: of.workflowId,
    Q_VERSION: of.version,
    Q_ATTEMPT: String(of.attempt),
    Q_COMMIT: of.commit,
    Q_TAG: of.tag,
    Q_RELEASE_DIR: of.path,
  };
}

/** Publishes with a command of the operator's, and takes back with another. */
export function commandTarget(target: CommandTarget, { log }: Pick<TargetParts, 'log'>): Target {
  const run = async (
    name: 'PUBLISH_COMMAND' | 'UNPUBLISH_COMMAND',
    command: string,
    of: Publication,
  ): Promise<void> => {
    // The folder of a release that was never whole may be missing: the command is told its name all the same.
    const cwd = dirname(of.path);
    await mkdir(cwd, { recursive: true });
    const { exitCode, output } = await runTool({
      what: name,
      secrets: [],
      file: '/bin/sh',
      args: ['-c', `${command} "$@"`, name, of.path],
      cwd,
      env: environmentOf(target, of),
      timeoutMs: COMMAND_TIMEOUT_MS,
      signal: of.signal,
    });
    const said = { workflowId: of.workflowId, command: name, exitCode, output: output.slice(-LOGGED_CHARS) };
    if (exitCode === 0) {
      log.info(said, 'a release command ended');
      return;
    }
    log.warn(said, 'a release command failed');
    // What it wrote may be for the operator's eyes alone.
    throw new AppError(
      'release_failed',
      `${name} ended with exit code ${exitCode}; the worker's log has what it wrote.`,
    );
  };
  return {
    publish: (of) => run('PUBLISH_COMMAND', target.publish, of),
    unpublish: (of) => run('UNPUBLISH_COMMAND', target.unpublish, of),
  };
}
