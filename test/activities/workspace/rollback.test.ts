import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type AttemptCommit, createWorkspaces, type Workspaces } from '../../../src/activities/workspace/workspaces.ts';
import { createFolderStore } from '../../../src/artifacts/artifact-store.ts';
import { attempt, attemptInput, NEVER as signal, WORKFLOW_ID as workflowId } from './fixture.ts';

/** What one attempt does: contents by path, null for a file that goes. */
type Answer = Readonly<Record<string, string | null>>;
/** `back`: how many accepted attempts a rollback undoes. A rejected attempt stays the base of the next (send-back). */
type Step = Readonly<{ kind: 'attempt'; answer: Answer } | { kind: 'rollback'; back: number } | { kind: 'move' }>;
type Tree = Readonly<Record<string, string>>;
type Accepted = Readonly<{ made: AttemptCommit | null; tree: Tree; answer: Answer }>;

const PATHS = ['a', 'b', 'src/a', 'src/b', 'src/deep/a'];
const answer = fc.dictionary(fc.constantFrom(...PATHS), fc.option(fc.string({ maxLength: 8 })), { maxKeys: 4 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: answer.map((given) => ({ kind: 'attempt', answer: given }) as const) },
  { weight: 2, arbitrary: fc.nat({ max: 3 }).map((back) => ({ kind: 'rollback', back: back + 1 }) as const) },
  { weight: 1, arbitrary: fc.constant({ kind: 'move' } as const) },
);

const applied = (tree: Tree, given: Answer): Tree =>
  Object.fromEntries(
    Object.entries({ ...tree, ...given }).filter((entry): entry is [string, string] => entry[1] !== null),
  );

/** A build as the machine has it: accepted attempts, of which going back takes some away; numbers of attempts never go back. */
function startBuild(dir: string) {
  const store = createFolderStore(join(dir, 'artifacts'));
  let machine = 0;
  let workspaces: Workspaces = createWorkspaces({ rootDir: join(dir, 'm0'), store });
  let number = 0;
  const head = (accepted: readonly Accepted[]): Accepted => accepted.at(-1) ?? { made: null, tree: {}, answer: {} };
  return {
    move(): void {
      machine += 1;
      workspaces = createWorkspaces({ rootDir: join(dir, `m${machine}`), store });
    },
    async attempt(accepted: readonly Accepted[], given: Answer): Promise<Accepted> {
      number += 1;
      const { made: base, tree } = head(accepted);
      const input = attemptInput({
        base: base?.commit ?? null,
        bundle: base?.bundle,
        advanceTo: base?.commit ?? null,
        attempt: attempt(number),
        files: Object.entries(given).flatMap(([path, content]) => (content === null ? [] : [{ path, content }])),
        deleted: Object.keys(given).filter((path) => given[path] === null && path in tree),
      });
      return { made: await workspaces.commitAttempt(input), tree: applied(tree, given), answer: given };
    },
    async treeOf({ made }: Accepted): Promise<Tree> {
      if (made === null) return {};
      const { commit, bundle } = made;
      const { files } = await workspaces.readFiles({ workflowId, commit, bundle, limitBytes: 1e6, signal });
      return Object.fromEntries(files.map(({ path, content }) => [path, content]));
    },
  };
}

test('rolling back and running forward with the same answers gives the same tree, wherever it runs', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 8 }), async (steps) => {
      const dir = await mkdtemp(join(tmpdir(), 'rollback-'));
      try {
        const build = startBuild(dir);
        const everMade: Accepted[] = [];
        let accepted: readonly Accepted[] = [];
        for (const each of steps) {
          if (each.kind === 'move') build.move();
          if (each.kind === 'attempt') accepted = [...accepted, await build.attempt(accepted, each.answer)];
          if (each.kind === 'rollback') {
            const undone = accepted.slice(-each.back);
            accepted = accepted.slice(0, -each.back);
            for (const { answer: same, made: before } of undone) {
              const again = await build.attempt(accepted, same);
              expect(again.made?.tree).toBe(before?.tree);
              accepted = [...accepted, again];
            }
          }
          everMade.push(...accepted.slice(-1));
        }
        // Nothing that was ever made is lost, however often the build went back and moved.
        for (const one of everMade) expect(await build.treeOf(one)).toEqual(one.tree);
      } finally {
        await rm(dir, { recursive: true, force: true });
      }
    }),
    { numRuns: 12 },
  );
});
