import { describe, expect, it } from 'vitest';
import { type Build, mayRunFiles, stateOf } from '../../src/machine/build.ts';
import { nextWork } from '../../src/machine/next-work.ts';
import { snapshotOf } from '../../src/machine/snapshot.ts';
import {
  aborting,
  advancing,
  apply,
  buildIn,
  commitOf,
  completing,
  FAILING,
  failing,
  measured,
  parkedIn,
  play,
  RESULTS,
  refusalOf,
  retrying,
  rollingBack,
  settled,
  sideWork,
  start,
  startExternal,
  timingOut,
  typesOf,
} from './sample-builds.ts';

const SOURCE = { kind: 'git', url: 'https://git.test/slug.git', ref: 'main' } as const;
const withSource = () => start({ source: SOURCE });
const opening = { type: 'source_opened', commit: commitOf('s'), work: { activeMs: 700, calls: [] } } as const;

const isAsked = (build: Build): string => nextWork(build).kind;

describe('the source of a build', () => {
  it('is opened before anybody works on the build, and is then its tree', () => {
    const build = withSource();
    expect(isAsked(build)).toBe('open_source');
    const opened = apply(build, opening);
    expect(opened.build).toMatchObject({
      base: commitOf('s'),
      head: { ...commitOf('s'), runnable: false },
      activeMs: 700,
    });
    expect(opened.rows).toMatchObject([
      { type: 'source_opened', by: 'system', data: { ...commitOf('s'), git_url: SOURCE.url, ref: 'main' } },
    ]);
    expect(isAsked(opened.build)).toBe('phase');
    expect(snapshotOf(opened.build).base).toEqual(commitOf('s'));
  });

  it('may be a path', () => {
    const { rows } = apply(start({ source: { kind: 'path', path: '/code/slug', ref: null } }), opening);
    expect(rows[0]?.data).toEqual({ ...commitOf('s'), path: '/code/slug', ref: null });
  });

  it('is what a rollback to discovery comes back to', () => {
    const built = play(apply(withSource(), opening).build, completing(RESULTS.discovery), completing(RESULTS.planning));
    const changed = apply(built.build, completing(RESULTS.implementation, { commit: commitOf('i') })).build;
    expect(changed.head).toMatchObject(commitOf('i'));
    const back = apply(changed, rollingBack('discovery')).build;
    expect(back).toMatchObject({ head: commitOf('s'), base: commitOf('s') });
    expect(isAsked(back)).toBe('phase');
  });

  it('keeps everybody waiting until it is there', () => {
    const external = startExternal({ source: SOURCE });
    expect(refusalOf(external, advancing('q_assistant', 'discovery', RESULTS.discovery)).code).toBe('gate_running');
  });

  it('that cannot be had parks the build, and a retry tries again', () => {
    const parked = apply(withSource(), failing).build;
    expect(isAsked(parked)).toBe('wait');
    expect(isAsked(apply(parked, retrying()).build)).toBe('open_source');
  });

  it('is opened once, and of no build that has none', () => {
    expect(refusalOf(apply(withSource(), opening).build, opening).code).toBe('wrong_state');
    expect(refusalOf(start(), opening).code).toBe('wrong_state');
  });
});

const mayRun = { mayRunAnyFiles: true } as const;
const handedOn = (changes = {}) =>
  apply(
    buildIn('implementation', startExternal({ ...mayRun, ...changes })),
    advancing('code_writer', 'implementation', RESULTS.implementation),
  ).build;

describe('files that an external role hands on', () => {
  it('are committed before anything else is done: they are the result and the tree then', () => {
    const build = handedOn();
    expect(nextWork(build)).toEqual({ kind: 'commit_files', pending: { phase: 'implementation', attempt: 1, n: 2 } });
    const { build: committed, rows } = apply(build, sideWork(build) ?? failing);
    expect(committed.results.implementation?.commit).toEqual({
      commit: committed.head?.commit,
      tree: committed.head?.tree,
    });
    expect(rows).toMatchObject([
      {
        type: 'files_committed',
        by: 'code_writer',
        data: { phase: 'implementation', attempt: 1, tree: committed.head?.tree },
      },
    ]);
    expect(mayRunFiles(committed)).toBe(true);
  });

  it('hold up every advance until then, and the gate of testing until they are measured', () => {
    const build = handedOn();
    const acknowledging = advancing('test_auditor', 'handoff_to_tester');
    const testing = advancing('test_auditor', 'testing', RESULTS.testing);
    expect([acknowledging, testing].map((command) => refusalOf(build, command).code)).toEqual([
      'gate_running',
      'gate_running',
    ]);
    const committed = settled(build);
    expect(refusalOf(committed, testing).code).toBe('gate_running');
    expect(isAsked(committed)).toBe('measure');
    const judged = apply(apply(committed, measured(false, 10)).build, testing);
    expect(judged.outcome.newState).toBe('implementation');
  });

  it('of somebody who took over from the model are committed too', () => {
    const taken = apply(buildIn('implementation'), advancing('code_writer', 'implementation', RESULTS.implementation));
    expect(stateOf(taken.build.position)).toBe('testing');
    expect(isAsked(taken.build)).toBe('commit_files');
  });

  it('are part of what a rollback to the phase after them restores', () => {
    const taken = apply(buildIn('implementation'), advancing('code_writer', 'implementation', RESULTS.implementation));
    const testing = settled(taken.build);
    const on = apply(testing, completing(RESULTS.testing, { commit: commitOf('t') })).build;
    expect(apply(on, rollingBack('testing')).build.head).toEqual(testing.head);
    // Also where the rollback comes before the commit.
    expect(settled(apply(taken.build, rollingBack('testing')).build).head).toEqual(testing.head);
  });

  it('go with a rollback to their phase, and with the end', () => {
    expect(isAsked(apply(handedOn(), rollingBack('implementation')).build)).toBe('wait');
    expect(isAsked(apply(handedOn(), aborting()).build)).toBe('end');
  });

  it('stay through a retry: the next attempt corrects them', () => {
    const retried = apply(handedOn(), retrying()).build;
    expect(stateOf(retried.position)).toBe('implementation');
    expect(settled(retried).head).toEqual(settled(handedOn()).head);
    expect(settled(retried).results.implementation).toBeUndefined();
  });

  it('of a tester who rejects are in the tree that is corrected', () => {
    const testing = apply(
      settled(handedOn({ mayRunAnyFiles: false })),
      advancing('test_auditor', 'handoff_to_tester'),
    ).build;
    const files = [{ path: 'test/more.test.js', content: '' }];
    const rejected = apply(testing, advancing('test_auditor', 'testing', { ...FAILING.testing, files })).build;
    expect(stateOf(rejected.position)).toBe('implementation');
    expect(nextWork(rejected)).toMatchObject({ kind: 'commit_files', pending: { phase: 'testing', attempt: 1 } });
    expect(settled(rejected).head).not.toEqual(testing.head);
  });

  it('that complete a build are committed after its end', () => {
    const files = [{ path: 'deploy/run.sh', content: 'node slug.js' }];
    const deploying = advancing('release_manager', 'deployment', { ...RESULTS.deployment, files });
    const { build } = apply(buildIn('deployment', startExternal()), deploying);
    expect(build.position.status).toBe('complete');
    expect(isAsked(build)).toBe('commit_files');
    expect(isAsked(settled(build))).toBe('end');
    const failed = apply(build, { type: 'commit_failed', reason: 'the disk is full' });
    expect(failed.rows[0]?.data).toMatchObject({ phase: 'deployment', commit: null });
    expect(isAsked(failed.build)).toBe('end');
  });

  it('that cannot be committed park the build, and a retry leads to the phase that handed them on', () => {
    const { build, rows } = apply(handedOn(), { type: 'commit_failed', reason: '"a" is a symbolic link' });
    expect(build.position).toMatchObject({ status: 'error', resumeAt: 'implementation', code: 'phase_failed' });
    expect(rows[0]?.data.reason).toContain('symbolic link');
    const again = apply(build, retrying()).build;
    expect(stateOf(again.position)).toBe('implementation');
    expect(again.feedback.at(-1)?.rejected).toMatchObject([{ phase: 'implementation' }]);
    expect(again.checkpoints.implementation?.turns).toBe(2);
  });

  it('are told from an extract of a large result by their number', () => {
    const extract = { file_count: 3 };
    const artifact = { sha256: 'f'.repeat(64), bytes: 9000, preview: '' };
    const coding = buildIn('implementation', startExternal());
    const large = apply(coding, advancing('code_writer', 'implementation', extract, { artifact })).build;
    expect(isAsked(large)).toBe('commit_files');
    const text = apply(coding, advancing('code_writer', 'implementation', {}, { artifact })).build;
    expect(isAsked(text)).toBe('wait');
  });

  it.each(['../slug.js', '/etc/passwd', '.git/hooks/post-commit', 'con.js'])('are refused at %s', (path) => {
    const files = [{ path, content: '' }];
    const refusal = refusalOf(
      buildIn('implementation', startExternal()),
      advancing('code_writer', 'implementation', { files }),
    );
    expect(refusal.code).toBe('invalid_phase_result');
    expect(refusal.faults[0]?.at).toBe('files[0].path');
  });

  it('are tests where testing hands them on', () => {
    const files = [{ path: 'src/slug.js', content: '' }];
    const testing = buildIn('testing', startExternal({ mayRunAnyFiles: false }));
    const refusal = refusalOf(testing, advancing('test_auditor', 'testing', { ...RESULTS.testing, files }));
    expect(refusal).toMatchObject({ code: 'invalid_phase_result', faults: [{ at: 'files[0].path' }] });
  });

  it('of a build that began before there were rules stay text', () => {
    const { rules: _none, ...spec } = handedOn().spec;
    const old = { ...buildIn('implementation', startExternal()), spec };
    const on = apply(old, advancing('code_writer', 'implementation', RESULTS.implementation)).build;
    expect(isAsked(on)).toBe('wait');
  });
});

describe('a release that may have been made', () => {
  const deploying = buildIn('deployment');
  const undoing = (attempts: readonly number[]) => ({ kind: 'undo_release', attempts });

  it.each([
    ['a rollback', rollingBack('implementation')],
    ['a rollback to the same phase', rollingBack('deployment')],
    ['a retry', retrying()],
    ['an abort', aborting()],
    ['a failure', failing],
    ['the end of the active time', timingOut],
    ['a release that the role calls failed', completing(FAILING.deployment)],
    ['a person who took over', advancing('release_manager', 'deployment', RESULTS.deployment)],
  ])('is taken back after %s', (_, command) => {
    const { build } = apply(deploying, command);
    expect(nextWork(build)).toEqual(undoing([1]));
    const { build: undone, rows } = apply(build, sideWork(build) ?? failing);
    expect(rows).toMatchObject([
      { type: 'release_undone', by: 'system', data: { attempt: 1, version: '1.0.0', tag: 'release/1.0.0-a1' } },
    ]);
    expect(sideWork(undone)).toBeNull();
    expect(undone.position).toEqual(build.position);
  });

  it('stands when the model completed its phase, and is nobody else to take back', () => {
    expect(isAsked(apply(deploying, completing(RESULTS.deployment)).build)).toBe('end');
    const own = buildIn('deployment', start({ externalRoles: ['release_manager'] }));
    expect(isAsked(apply(own, rollingBack('planning')).build)).toBe('phase');
    const { rules: _none, ...spec } = deploying.spec;
    expect(isAsked(apply({ ...deploying, spec }, rollingBack('planning')).build)).toBe('phase');
  });

  it('is taken back wherever the build goes meanwhile, the newest first', () => {
    const parked = parkedIn('deployment');
    const again = apply(parked, retrying()).build;
    const twice = apply(again, rollingBack('planning')).build;
    expect(nextWork(twice)).toEqual(undoing([2, 1]));
    const partly = apply(twice, { type: 'release_undone', attempts: [1], undone: [] });
    expect(partly.rows).toEqual([]);
    expect(nextWork(partly.build)).toEqual(undoing([2]));
  });

  it('that cannot be taken back parks the build; its next command has it tried again', () => {
    const back = apply(deploying, rollingBack('planning')).build;
    const { build: stuck, rows } = apply(back, { type: 'undo_failed', reason: 'the registry is away' });
    expect(stuck.position).toMatchObject({ status: 'error', code: 'release_failed', resumeAt: 'planning' });
    expect(rows[0]?.data.reason).toContain('the registry is away');
    expect(isAsked(stuck)).toBe('wait');
    const again = apply(stuck, retrying()).build;
    expect(nextWork(again)).toEqual(undoing([1]));
    expect(isAsked(settled(again))).toBe('phase');
  });

  it('that cannot be taken back gives a parked build a second reason, and nothing else', () => {
    const parked = apply(deploying, failing).build;
    const { build, rows } = apply(parked, { type: 'undo_failed', reason: 'the registry is away' });
    expect(build.position).toMatchObject({
      ...parked.position,
      reason: expect.stringContaining('the registry is away'),
    });
    expect(build.position).toMatchObject({ reason: expect.stringContaining('quota is used up') });
    expect(rows).toMatchObject([{ type: 'parked', data: { from: 'error', to: 'error', code: 'release_failed' } }]);
  });

  it('of before a reset is taken back once it is found, unless the build stands complete by its own', () => {
    const found = apply(buildIn('testing'), { type: 'reset_found' });
    expect(found.rows).toEqual([]);
    expect(nextWork(found.build)).toEqual(undoing([0]));
    expect(refusalOf(buildIn('complete'), { type: 'reset_found' }).code).toBe('wrong_state');
  });

  it('is not part of what activities are told', () => {
    expect(Object.keys(snapshotOf(apply(deploying, failing).build))).not.toContain('toUndo');
  });
});

describe('the audit of an attempt', () => {
  const commit = { ...commitOf('x'), bundle: 'b'.repeat(64) };

  it.each([
    ['completed', 'implementation', completing(RESULTS.implementation, { commit }), 'phase_completed'],
    ['rejected', 'testing', completing(FAILING.testing, { commit }), 'sent_back'],
    ['that failed to release', 'deployment', completing(FAILING.deployment, { commit }), 'parked'],
  ] as const)('%s has its commit, tree and bundle', (_, phase, command, type) => {
    const { rows } = apply(buildIn(phase), command);
    expect(rows.find((row) => row.type === type)?.data).toMatchObject(commit);
  });

  it('that parks the build at the limit has them too', () => {
    const { rows } = apply(buildIn('testing', start({ maxSendBacks: 0 })), completing(FAILING.testing, { commit }));
    expect(typesOf(rows)).toEqual(['parked']);
    expect(rows[0]?.data).toMatchObject(commit);
  });
});
