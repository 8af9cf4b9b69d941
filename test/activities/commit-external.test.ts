import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { commitFiles } from '../../src/activities/commit-external.ts';
import type { CommitFilesOutput } from '../../src/activities/contract.ts';
import type { ActivityDeps } from '../../src/activities/deps.ts';
import type { Build } from '../../src/machine/build.ts';
import { extractResult } from '../../src/machine/payloads.ts';
import { advancing, apply, buildIn, RESULTS, retrying, startExternal } from '../machine/sample-builds.ts';
import { depsOf, inputOf, PASSED_RUN } from './phase/phase-worker.ts';

let dir: string;
let deps: ActivityDeps;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'commit-external-'));
  deps = depsOf({ dir, providers: {}, measured: () => PASSED_RUN });
});
afterEach(() => rm(dir, { recursive: true, force: true }));

/** Commits what waits in a build, and gives the next build. @throws the activity's failure */
async function committed(build: Build): Promise<Build> {
  const { pending } = build;
  if (!pending) throw new Error('no files wait');
  const run = () => commitFiles(deps, { ...inputOf(build), pending });
  const { commit } = await new MockActivityEnvironment().run<[], CommitFilesOutput, typeof run>(run);
  return apply(build, { type: 'files_committed', pending, commit }).build;
}

async function pathsIn({ spec, head }: Build): Promise<string[]> {
  const { signal } = new AbortController();
  const at = { workflowId: spec.workflowId, commit: head?.commit ?? '', bundle: head?.bundle, signal };
  return (await deps.workspaces.listFiles(at)).map(({ path }) => path);
}

const coding = buildIn('implementation', startExternal());
const coded = (result: object) => apply(coding, advancing('code_writer', 'implementation', result)).build;
const file = (path: string) => ({ path, content: `${path}\n` });

describe('files that an external role handed on', () => {
  it('become a commit with its bundle', async () => {
    const build = await committed(coded(RESULTS.implementation));
    expect(build.head).toMatchObject({ runnable: false, bundle: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(await pathsIn(build)).toEqual(['slug.js']);
  });

  it('are read from the store where the result was too large to travel', async () => {
    const whole = { files: [file('a.js'), file('b.js')] };
    const artifact = await deps.store.put(JSON.stringify(whole));
    const handedOn = advancing('code_writer', 'implementation', extractResult(whole), { artifact });
    expect(await pathsIn(await committed(apply(coding, handedOn).build))).toEqual(['a.js', 'b.js']);
  });

  it('are those of the attempt that handed them on, also where another one has begun', async () => {
    const retried = apply(coded(RESULTS.implementation), retrying()).build;
    expect(retried.attempts.implementation).toBe(2);
    expect(await pathsIn(await committed(retried))).toEqual(['slug.js']);
  });

  it('may go away as well', async () => {
    const both = await committed(coded({ files: [file('a.js'), file('b.js')] }));
    const again = apply(both, retrying()).build;
    const fewer = apply(again, advancing('code_writer', 'implementation', { deleted_files: ['a.js'] })).build;
    expect(await pathsIn(await committed(fewer))).toEqual(['b.js']);
  });

  it('of deployment are refused where they would change the build', async () => {
    const deploying = buildIn('deployment', startExternal());
    const { head } = await committed(coded(RESULTS.implementation));
    const hand = (path: string) =>
      apply(
        { ...deploying, head },
        advancing('release_manager', 'deployment', { ...RESULTS.deployment, files: [file(path)] }),
      ).build;
    expect(await pathsIn(await committed(hand('deploy/run.sh')))).toEqual(['deploy/run.sh', 'slug.js']);
    await expect(committed(hand('slug.js'))).rejects.toMatchObject({
      type: 'phase_invalid_phase_result',
      nonRetryable: true,
      message: expect.stringContaining('"slug.js"'),
    });
  });
});
