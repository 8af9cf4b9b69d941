import { AppError } from '../../errors.ts';
import type { PublishTarget } from '../../release-settings.ts';
import { toolPath } from '../sandbox/run-process.ts';
import { runTool } from './run-tool.ts';
import { safeName } from './safe-name.ts';
import type { Publication, Target, TargetParts } from './target.ts';

const PUSH_TIMEOUT_MS = 120_000;
const TOLD_CHARS = 500;

// A redirect could lead the token elsewhere; no hook of the worker's user runs over a build's files; on a shared mount the
// repositories may be another user's.
const SETTINGS = ['http.followRedirects=false', 'core.hooksPath=/dev/null', 'safe.directory=*'].flatMap((one) => [
  '-c',
  one,
]);

type GitTarget = Extract<PublishTarget, { kind: 'git' }>;

/** The branch of a build on the remote, and the tag of one release: no two builds share either. */
function refsOf({ buildId, name }: Pick<Publication, 'buildId' | 'name'>) {
  const build = `q/${safeName(buildId)}`;
  return { branch: `refs/heads/${build}`, tag: `refs/tags/${build}/${name}` };
}

/** A token travels in the environment alone: neither in arguments, which every user of the machine sees, nor in a file. */
function credentials({ remote, token }: GitTarget): { env: Record<string, string>; secrets: string[] } {
  if (token === null) return { env: {}, secrets: [] };
  const basic = Buffer.from(`x-access-token:${token}`).toString('base64');
  const header = `Authorization: Basic ${basic}`;
  return {
    env: { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: `http.${remote}.extraHeader`, GIT_CONFIG_VALUE_0: header },
    secrets: [token, basic],
  };
}

/** Pushes releases to a repository of the operator's, with git's and ssh's own configuration of the worker's user. */
export function gitTarget(target: GitTarget, { repositoryOf, log }: TargetParts): Target {
  const { env, secrets } = credentials(target);
  const environment = {
    PATH: toolPath(),
    ...target.env,
    ...env,
    LC_ALL: 'C',
    // Nobody is there to be asked for a password, and an address is never a program.
    GIT_TERMINAL_PROMPT: '0',
    GIT_ALLOW_PROTOCOL: 'https:http:ssh:file',
  };
  const git = async (of: Publication, repository: string, args: readonly string[]): Promise<string> => {
    const { exitCode, output } = await runTool({
      what: `git ${args[0]}`,
      secrets,
      file: 'git',
      args: [...SETTINGS, `--git-dir=${repository}`, ...args],
      cwd: repository,
      env: environment,
      timeoutMs: PUSH_TIMEOUT_MS,
      signal: of.signal,
    });
    if (exitCode === 0) return output;
    const said = output.slice(-TOLD_CHARS);
    log.warn({ workflowId: of.workflowId, exitCode, output: said }, `git ${args[0]} to PUBLISH_GIT_REMOTE failed`);
    throw new AppError(
      'release_failed',
      `git ${args[0]} to PUBLISH_GIT_REMOTE ended with exit code ${exitCode}: ${said}`,
    );
  };
  return {
    async publish(of) {
      const { branch, tag } = refsOf(of);
      const repository = await repositoryOf(of);
      // Both or none. The branch is the build's own, so an earlier release of it is replaced.
      const refs = [`+${of.commit}:${branch}`, `+${of.commit}:${tag}`];
      await git(of, repository, ['push', '--quiet', '--atomic', '--no-verify', target.remote, ...refs]);
    },
    async unpublish(of) {
      const { branch, tag } = refsOf(of);
      const repository = await repositoryOf(of);
      const there = await git(of, repository, ['ls-remote', target.remote, branch, tag]);
      const commits = new Map(there.split('\n').map((line) => line.split('\t').reverse() as [string, string]));
      // A branch that somebody has worked on since is theirs.
      const doomed = [tag, branch].filter((ref) => commits.get(ref) === of.commit);
      if (doomed.length === 0) return;
      const leases = doomed.map((ref) => `--force-with-lease=${ref}:${of.commit}`);
      await git(of, repository, [
        'push',
        '--quiet',
        '--atomic',
        '--no-verify',
        ...leases,
        target.remote,
        ...doomed.map((ref) => `:${ref}`),
      ]);
    },
  };
}
