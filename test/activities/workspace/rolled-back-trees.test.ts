import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWorkspaces, type Workspaces } from '../../../src/activities/workspace/workspaces.ts';
import { createFolderStore } from '../../../src/artifacts/artifact-store.ts';
import type { Build, Commit } from '../../../src/machine/build.ts';
import type { Command } from '../../../src/machine/commands.ts';
import { retryTarget, rollbackTargets } from '../../../src/machine/going-back.ts';
import { nextWork } from '../../../src/machine/next-work.ts';
import { isPhase, type Phase, STATE_TABLE } from '../../../src/machine/states.ts';
import {
  advancing,
  apply,
  completing,
  FAILING,
  natural,
  RESULTS,
  retrying,
  rollingBack,
  start,
} from '../../machine/sample-builds.ts';

const RUNS = 25;

let folder: string;
let workspaces: Workspaces;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rolled-back-trees-'));
  workspaces = createWorkspaces({
    rootDir: join(folder, 'repositories'),
    store: createFolderStore(join(folder, 'store')),
  });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const { signal } = new AbortController();
const treeOf = (build: Build): string => build.head?.tree ?? 'empty';
const digest = (text: string): string => createHash('sha256').update(text).digest('hex');

/** What a role hands on follows from the tree that it is shown alone: the same tree, the same answer. */
const filesFor = (phase: Phase, tree: string) => {
  const said = digest(`${phase} ${tree}`);
  const folderOf = phase === 'testing' ? 'test' : 'src';
  return [{ path: `${folderOf}/${said.slice(0, 1)}.js`, content: said }];
};
const isRejected = (tree: string): boolean => digest(`verdict ${tree}`) < '4';

const commit = (build: Build, phase: Phase, files: ReturnType<typeof filesFor>): Promise<Commit> =>
  workspaces.commitAttempt({
    workflowId: build.spec.workflowId,
    base: build.head?.commit ?? null,
    bundle: build.head?.bundle,
    advanceTo: build.head?.commit ?? null,
    attempt: { phase, attempt: build.attempts[phase], epoch: build.epoch, run: 1 },
    files,
    author: STATE_TABLE[phase].owner,
    message: phase,
    trailers: { Phase: phase },
    atMs: build.updatedAtMs,
    signal,
  });

/** What comes next when every role answers by the tree alone. */
async function answered(build: Build): Promise<Command> {
  const work = nextWork(build);
  const tree = treeOf(build);
  if (work.kind === 'commit_files') {
    const { phase } = work.pending;
    const { commit: name, ...rest } = await commit(build, phase, filesFor(phase, tree));
    return { type: 'files_committed', pending: work.pending, commit: { ...rest, commit: name } };
  }
  const { position } = build;
  if (position.status !== 'in_progress' || !isPhase(position.state)) return natural(build);
  const phase = position.state;
  if (phase !== 'implementation' && phase !== 'testing') return natural(build);
  const verdict = phase === 'testing' && isRejected(tree) ? FAILING.testing : RESULTS[phase];
  const files = filesFor(phase, tree);
  if (work.kind === 'wait') return advancing(STATE_TABLE[phase].owner, phase, { ...verdict, files });
  return work.kind === 'phase' ? completing(verdict, { commit: await commit(build, phase, files) }) : natural(build);
}

const goOn = async (build: Build): Promise<Build> => apply(build, await answered(build)).build;

async function finish(from: Build): Promise<Build> {
  let build = from;
  for (let steps = 0; build.position.status !== 'complete' || nextWork(build).kind !== 'end'; steps++) {
    if (steps > 200) throw new Error('the build never ends');
    build = await goOn(build);
  }
  return build;
}

const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.constant('on' as const) },
    { weight: 1, arbitrary: fc.constant('retry' as const) },
    { weight: 1, arbitrary: fc.nat(5).map((nth) => ({ nth })) },
  ),
  { minLength: 5, maxLength: 25 },
);

describe('the tree of a build', () => {
  it('after a rollback is that of the moment, and the same answers lead to the same tree again', async () => {
    const roles = fc.constantFrom(
      [],
      ['code_writer'],
      ['test_auditor'],
      ['code_writer', 'test_auditor'],
    ) as fc.Arbitrary<('code_writer' | 'test_auditor')[]>;
    const property = fc.asyncProperty(roles, steps, fc.nat(5), async (externalRoles, taken, last) => {
      let build = start({ workflowId: randomUUID(), externalRoles, maxSendBacks: 1000 });
      const rolledBack = (nth: number) => {
        const targets = rollbackTargets(build.position);
        return rollingBack(targets[nth % targets.length] ?? 'discovery');
      };
      for (const step of taken) {
        if (build.position.status === 'complete') break;
        if (step === 'on') build = await goOn(build);
        else if (step !== 'retry') build = apply(build, rolledBack(step.nth)).build;
        else if (retryTarget(build.position) !== null) build = apply(build, retrying()).build;
      }
      while (nextWork(build).kind === 'commit_files') build = await goOn(build);
      if (build.position.status === 'complete') return;
      const back = rolledBack(last);
      const moment = build.checkpoints[back.targetState]?.head?.tree ?? 'empty';
      const restored = apply(build, back).build;
      expect(treeOf(restored)).toBe(moment);
      const once = await finish(restored);
      // Back again, as often as one likes.
      const deploying = await untilDeployment(restored);
      const again = await finish(apply(deploying, back).build);
      expect(treeOf(again)).toBe(treeOf(once));
      if (again.head) {
        const at = {
          workflowId: build.spec.workflowId,
          commit: again.head.commit,
          bundle: again.head.bundle,
          signal,
        };
        expect(await workspaces.treeOf(at)).toBe(treeOf(once));
      }
    });
    await fc.assert(property, { numRuns: RUNS });
  });
});

async function untilDeployment(from: Build): Promise<Build> {
  let build = from;
  while (build.position.status !== 'in_progress' || build.position.state !== 'deployment') build = await goOn(build);
  return build;
}
