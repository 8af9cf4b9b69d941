import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWorkspaces, type Workspaces } from '../../../src/activities/workspace/workspaces.ts';
import { createFolderStore } from '../../../src/artifacts/artifact-store.ts';
import { PHASES } from '../../../src/machine/states.ts';
import { ANSWERS } from '../../fakes/model.ts';
import type { Reply } from '../fixtures/api.ts';
import { ALL_EXTERNAL, CLAIMS, until } from '../fixtures/builds.ts';
import { historyFigures } from '../fixtures/history-figures.ts';
import { eventsOf } from '../fixtures/outside-agent.ts';
import { startTestProduct, type TestProduct } from '../fixtures/product.ts';

type Json = Record<string, unknown>;
type File = Readonly<{ path: string; content: string }>;

let product: TestProduct;
let api: TestProduct['api'];
let workspaces: Workspaces;

beforeAll(async () => {
  product = await startTestProduct();
  ({ api } = product);
  const { dataDir, artifactsDir } = product.test.config;
  workspaces = createWorkspaces({ rootDir: join(dataDir, 'workspaces'), store: createFolderStore(artifactsDir) });
});
afterAll(() => product?.stop());

const FILES = ANSWERS.implementation.files as readonly File[];
const FALSE_TEST = {
  path: 'test/wrong.test.js',
  content:
    "import test from 'node:test';\nimport assert from 'node:assert';\ntest('wrong', () => assert.equal(1, 2));\n",
};

/** The test of the same name, mended: one that went away would not pass either. */
const RIGHT_TEST = {
  path: FALSE_TEST.path,
  content: (FILES.at(-1)?.content ?? '').replace("test('doubles'", "test('wrong'"),
};

const handOn = (id: string, phase: string, phase_result: Json = {}): Promise<Reply> =>
  api.post(`/api/workflows/${id}/advance`, {
    role: CLAIMS[phase]?.role,
    completed_state: phase,
    phase_result: { ...CLAIMS[phase]?.phase_result, ...phase_result },
  });

/** Repeats a call as its answer says, while files are being committed or tests run. */
async function patiently(call: () => Promise<Reply>): Promise<Reply & { waited: boolean }> {
  let waited = false;
  const reply = await until('an answer other than gate_running', async () => {
    const { status, headers, body } = await call();
    if (body.code !== 'gate_running') return { status, headers, body };
    expect([status, headers.get('retry-after')]).toEqual([409, expect.stringMatching(/^\d+$/)]);
    waited = true;
    return null;
  });
  return { ...reply, waited };
}

async function handAllOn(id: string, phases: readonly string[], results: Readonly<Record<string, Json>> = {}) {
  for (const phase of phases) {
    const { status, body } = await patiently(() => handOn(id, phase, results[phase]));
    if (status !== 200) throw new Error(JSON.stringify(body));
  }
}

const commitOf = async (id: string): Promise<Json> => {
  const committed = (await eventsOf(api, id)).filter(({ event_type }) => event_type === 'files_committed');
  return committed.at(-1)?.event_data ?? {};
};

/** The paths of a commit, from the workspace of the build. */
async function pathsIn(id: string, commit: unknown): Promise<string[]> {
  const { signal } = new AbortController();
  const listed = await workspaces.listFiles({ workflowId: id, commit: String(commit), bundle: undefined, signal });
  return listed.map(({ path }) => path).sort();
}

describe('files that an outside agent hands on by HTTP', () => {
  it('are committed and measured, in at most 100 events, for a build that it drives with six calls', async () => {
    const id = await api.start({ external_roles: ALL_EXTERNAL });
    await handAllOn(id, ['discovery', 'planning']);
    const { waited, ...implemented } = await patiently(() => handOn(id, 'implementation', { files: FILES }));
    expect([implemented.status, implemented.body.new_state, waited]).toEqual([200, 'handoff_to_tester', false]);
    const tested = await patiently(() => handOn(id, 'testing'));
    expect([tested.status, tested.body.new_state, tested.waited]).toEqual([200, 'handoff_to_verifier', true]);
    expect(tested.body.handoff_data).toMatchObject({ measured: true, all_tests_passed: true });
    await handAllOn(id, ['verification', 'deployment']);
    const handle = product.test.client.workflow.getHandle(id);
    expect(await handle.result()).toMatchObject({ status: 'complete' });
    expect((await historyFigures(handle)).events).toBeLessThanOrEqual(100);
    const committed = await commitOf(id);
    expect(committed).toEqual({
      phase: 'implementation',
      attempt: 1,
      commit: expect.stringMatching(/^[0-9a-f]{40}$/),
      tree: expect.stringMatching(/^[0-9a-f]{40}$/),
      bundle: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(await pathsIn(id, committed.commit)).toEqual(FILES.map(({ path }) => path).sort());
  });

  it('are committed whole where they are too large to travel', async () => {
    const id = await api.start({ external_roles: ALL_EXTERNAL });
    const large = { path: 'src/large.txt', content: 'x'.repeat(50_000) };
    await handAllOn(id, PHASES.slice(0, 3), { implementation: { files: [...FILES, large] } });
    const { commit } = await until('the commit', async () => ((await commitOf(id)).commit ? commitOf(id) : null));
    expect(await pathsIn(id, commit)).toContain('src/large.txt');
  });

  it('do not pass on the word of a tester who says that they do', async () => {
    const id = await api.start({ external_roles: ALL_EXTERNAL });
    await handAllOn(id, PHASES.slice(0, 3), { implementation: { files: [...FILES, FALSE_TEST] } });
    const { status, body } = await patiently(() =>
      handOn(id, 'testing', { all_tests_passed: true, test_coverage: 100 }),
    );
    expect([status, body.new_state]).toEqual([200, 'implementation']);
    const back = (await eventsOf(api, id)).find(({ event_type }) => event_type === 'sent_back');
    expect(back?.event_data.reason).toContain('wrong');
    // What is corrected is on top of what was rejected.
    await handAllOn(id, ['implementation'], { implementation: { files: [RIGHT_TEST] } });
    await handAllOn(id, ['testing', 'verification', 'deployment']);
    expect(await pathsIn(id, (await commitOf(id)).commit)).toEqual(
      [...FILES, FALSE_TEST].map(({ path }) => path).sort(),
    );
  });

  it.each([
    ['small', 'x'],
    ['too large to travel', 'x'.repeat(9000)],
  ])('and are %s are refused with the place of each that cannot be written', async (_, content) => {
    const id = await api.start({ external_roles: ALL_EXTERNAL });
    await handAllOn(id, PHASES.slice(0, 2));
    const files = [
      { path: 'src/a.js', content },
      { path: '../b.js', content: '' },
      { path: '.git/config', content: '' },
    ];
    const { status, body } = await handOn(id, 'implementation', { files });
    expect([status, body.code]).toEqual([400, 'invalid_phase_result']);
    expect((body.faults as Json[]).map(({ at }) => at)).toEqual([
      'phase_result.files[1].path',
      'phase_result.files[2].path',
    ]);
    expect(await api.untilState(id, 'handoff_to_coder')).toMatchObject({ status: 'in_progress' });
  });

  it('of a person who takes over from the model are committed, and the model goes on with them', async () => {
    const release = product.model.hold('implementation');
    const id = await api.start();
    await api.untilState(id, 'implementation');
    const mine = { path: 'docs/mine.md', content: 'Doubles.\n' };
    const { status } = await handOn(id, 'implementation', { files: [...FILES, mine] });
    expect(status).toBe(200);
    release();
    await product.test.client.workflow.getHandle(id).result();
    const events = await eventsOf(api, id);
    const types = events.map(({ event_type }) => event_type);
    expect(types).toContain('preempted');
    expect(types.indexOf('files_committed')).toBeLessThan(types.lastIndexOf('phase_completed'));
    expect(await pathsIn(id, (await commitOf(id)).commit)).toContain('docs/mine.md');
  });
});
