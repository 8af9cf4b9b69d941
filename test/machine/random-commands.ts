import fc from 'fast-check';
import { type Build, isExternal, phaseOf, stateOf } from '../../src/machine/build.ts';
import type { Command, RollbackCommand } from '../../src/machine/commands.ts';
import { nextWork } from '../../src/machine/next-work.ts';
import { actingRole, PHASES, ROLES, type Role, STATE_TABLE, STATES, type State } from '../../src/machine/states.ts';
import {
  aborting,
  advancing,
  completing,
  FAILING,
  failing,
  measured,
  natural,
  RESULTS,
  retrying,
  rollingBack,
  sideWork,
  timingOut,
} from './sample-builds.ts';

/** A command that is made when its build is known, so that random sequences get far; null when there is none. */
export type Intent = Readonly<{ name: string; make: (build: Build) => Command | null }>;

const intent = (name: string, make: Intent['make']): Intent => ({ name, make });
const commitOf = (build: Build) => ({ commit: `commit-${build.seq}`, tree: `tree-${build.seq}` });

/** Goes on as the build should; a model that implements or tests commits files, which may be runnable. */
const onwards = (runnable: boolean): Intent =>
  intent(runnable ? 'onwards, runnable' : 'onwards', (build) => {
    if (build.position.status !== 'in_progress') return null;
    const command = natural(build);
    const commits = build.position.state === 'implementation' || build.position.state === 'testing';
    if (command.type !== 'complete_phase' || !commits) return command;
    return { ...command, result: { ...command.result, runnable, commit: commitOf(build) } };
  });

/** Work beside the phases comes to its end, or fails. */
const settle = intent('settle', sideWork);
const unsettle = intent('unsettle', (build) => {
  const { kind } = nextWork(build);
  const told = { reason: 'the disk is full' };
  if (kind === 'commit_files') return { type: 'commit_failed', ...told };
  return kind === 'undo_release' ? { type: 'undo_failed', ...told } : null;
});

/** The driver of testing, verification or deployment says no. */
const reject = intent('reject', (build) => {
  const phase = phaseOf(build.position);
  if (phase !== 'testing' && phase !== 'verification' && phase !== 'deployment') return null;
  const role = STATE_TABLE[phase].owner;
  const data = { ...FAILING[phase], reason: `reject after ${build.seq}` };
  return isExternal(build.spec, role) ? advancing(role, phase, data) : completing(data);
});

/** A person takes over: the role that may act now completes the phase at hand. */
const takeOver = intent('take over', (build) => {
  const phase = phaseOf(build.position);
  return phase && advancing(STATE_TABLE[phase].owner, phase, RESULTS[phase]);
});

const blindAdvance = fc
  .record({
    role: fc.constantFrom(...ROLES),
    completed: fc.constantFrom(...STATES),
    result: fc.oneof(fc.constantFrom<unknown>(...Object.values(RESULTS), ...Object.values(FAILING)), fc.anything()),
    nextState: fc.option(fc.constantFrom<State>(...STATES)),
  })
  .map(({ role, completed, result, nextState }) =>
    intent(`advance ${role} ${completed}`, (build) => {
      const state = stateOf(build.position);
      const open = completed === 'complete' || completed === 'error' ? 'planning' : completed;
      const acting = state === 'complete' || state === 'error' ? role : actingRole(state);
      return advancing(completed === 'error' ? acting : role, open, result, { nextState });
    }),
  );

const rollbacks = fc
  .constantFrom(...PHASES)
  .map((phase): Intent => intent(`rollback ${phase}`, (): RollbackCommand => rollingBack(phase)));

/** One of few ids, so that repetitions and clashes happen. */
const repeated = fc
  .record({ id: fc.constantFrom('a', 'b', 'c'), type: fc.constantFrom('retry', 'rollback') })
  .map(({ id, type }) =>
    intent(`${type} as ${id}`, () =>
      type === 'retry' ? retrying('again', { opId: id }) : rollingBack('planning', { opId: id }),
    ),
  );

const always = (command: Command): Intent => intent(command.type, () => command);

const ordinary = fc.oneof(
  { weight: 12, arbitrary: fc.boolean().map(onwards) },
  { weight: 5, arbitrary: fc.constantFrom(reject, reject, settle) },
  { weight: 2, arbitrary: fc.constant(takeOver) },
  { weight: 2, arbitrary: fc.constant(always(retrying())) },
  { weight: 2, arbitrary: fc.constantFrom(always(failing), always(timingOut)) },
  { weight: 1, arbitrary: fc.boolean().map((passed) => always(measured(passed, passed ? 91 : 40))) },
  { weight: 1, arbitrary: fc.constant(always({ type: 'record_late_result', phase: 'planning', attempt: 1 })) },
  {
    weight: 1,
    arbitrary: fc.constant(always({ type: 'reject_signal', signal: 'x', code: 'invalid_body', reason: 'no object' })),
  },
);

const anyIntent = fc.oneof(
  { weight: 12, arbitrary: ordinary },
  { weight: 2, arbitrary: rollbacks },
  { weight: 2, arbitrary: blindAdvance },
  { weight: 1, arbitrary: repeated },
  { weight: 1, arbitrary: fc.constant(unsettle) },
);

/** Sequences of every kind of command; the end is rare, so that most builds live long. */
export const anySequence = fc.array(
  fc.oneof({ weight: 60, arbitrary: anyIntent }, { weight: 1, arbitrary: fc.constant(always(aborting())) }),
  { maxLength: 60 },
);

/** Sequences that leave a build open and its operations unnamed. */
export const openSequence = fc.array(
  fc.oneof({ weight: 6, arbitrary: ordinary }, { weight: 1, arbitrary: rollbacks }),
  {
    maxLength: 40,
  },
);

/** Who drives: nobody, everybody or some from outside. */
export const externalRoles = fc.oneof(
  fc.constant<readonly Role[]>([]),
  fc.constant<readonly Role[]>(ROLES),
  fc.subarray<Role>([...ROLES]),
);
