import fc from 'fast-check';
import { applyCommand, startBuild } from '../../../src/machine/apply.ts';
import { type BuildSpec, isOver } from '../../../src/machine/build.ts';
import type { AuditRow } from '../../../src/machine/events.ts';
import { PHASES, type Phase } from '../../../src/machine/states.ts';
import type { FlushInput } from '../../../src/mirror/mirror.ts';
import { anySequence, externalRoles, type Intent } from '../../machine/random-commands.ts';
import { natural } from '../../machine/sample-builds.ts';
import { flushOf, type Step, specOf, T0 } from '../../mirror/builds.ts';

const PROJECTS = ['shop', 'library', 'one%', "o'clock"];
const USERS = ['ann', 'ben', 'cleo', 'dora', 'eve'];

/** What became of a build, and all that was sent to the mirror about it, in any order. */
export type SentBuild = Readonly<{ last: Step; rows: readonly AuditRow[]; flushes: readonly FlushInput[] }>;

const plan = fc.record({
  project: fc.constantFrom(...PROJECTS),
  user: fc.constantFrom(...USERS),
  roles: externalRoles,
  /** How many commands go as they should before those that are random, so that every phase is reached. */
  ahead: fc.nat({ max: 14 }),
  intents: anySequence,
  /** After which part of its steps the build is reset, if it is, and what it does then. */
  reset: fc.option(fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), intents: anySequence }), { freq: 4 }),
  /** Which steps are flushed by themselves; the rows of the others travel with the next. */
  flushed: fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }),
  /** Where flushes that come again, late, are put. */
  again: fc.array(fc.nat(), { maxLength: 3 }),
});
type Plan = typeof plan extends fc.Arbitrary<infer T> ? T : never;

const ONWARDS: Intent = { name: 'onwards', make: (build) => (isOver(build.position) ? null : natural(build)) };

function goOn(from: readonly Step[], intents: readonly Intent[]): Step[] {
  const steps = [...from];
  for (const intent of intents) {
    const { build } = steps.at(-1) as Step;
    const command = intent.make(build);
    const applied = command && applyCommand(build, command, build.updatedAtMs + 61_000);
    if (applied?.ok && applied.rows.length > 0) steps.push({ build: applied.build, rows: applied.rows });
  }
  return steps;
}

/** The flushes of one line of history, which begins behind `first` steps that the line before has flushed. */
function flushesOf(steps: readonly Step[], first: number, branch: string, { flushed }: Plan): FlushInput[] {
  let waiting: AuditRow[] = [];
  return steps.slice(first).flatMap((step, index) => {
    waiting = [...waiting, ...step.rows];
    const isLast = first + index === steps.length - 1;
    if (!isLast && flushed[index % flushed.length] !== true) return [];
    const rows = waiting;
    waiting = [];
    // A branch is opened after all that the one before it did.
    const openedAtMs = branch === 'reset' ? T0 + 1e9 : T0;
    return [flushOf(step, { branch, runId: branch, openedAtMs: openedAtMs + step.build.seq, rows })];
  });
}

function sentBuild(spec: BuildSpec, createdAtMs: number, plan: Plan): SentBuild {
  const onwards = Array.from({ length: plan.ahead }, () => ONWARDS);
  const first = goOn([startBuild(spec, createdAtMs)], [...onwards, ...plan.intents]);
  const kept = plan.reset === null ? first.length : Math.max(1, Math.ceil(first.length * plan.reset.at));
  const line = plan.reset === null ? first : goOn(first.slice(0, kept), plan.reset.intents);
  const flushes = flushesOf(first, 0, 'first', plan);
  // A reset that did nothing yet has sent nothing, so that nobody could know of it.
  const isReset = line.length > kept;
  if (isReset) flushes.push(...flushesOf(line, kept, 'reset', plan));
  for (const place of plan.again) {
    const late = flushes[place % flushes.length];
    if (late) flushes.splice((place * 7) % (flushes.length + 1), 0, late);
  }
  const became = isReset || plan.reset === null ? line : first;
  return { last: became.at(-1) as Step, rows: became.flatMap(({ rows }) => rows), flushes };
}

/** Builds that the machine made of random commands; the same ones in every run. Some share the millisecond of their start. */
export function randomBuilds(count: number): SentBuild[] {
  return fc.sample(plan, { numRuns: count, seed: 20_260_101 }).map((one, index) => {
    const spec = specOf(String(index).padStart(5, '0'), {
      projectId: one.project,
      userId: one.user,
      externalRoles: one.roles,
    });
    return sentBuild(spec, T0 + Math.floor(index / 3) * 1000, one);
  });
}

/** The phase that each failing row names, and how often, by the rows alone. */
export function failuresIn(rows: readonly AuditRow[]): Record<Phase, number> {
  const failing = rows.filter(({ type }) => type === 'parked' || type === 'sent_back');
  const of = (phase: Phase): number => failing.filter(({ data }) => data.phase === phase).length;
  return Object.fromEntries(PHASES.map((phase) => [phase, of(phase)])) as Record<Phase, number>;
}
