import type { BuildDescription, BuildsPort, Ending } from '../../src/api/ports.ts';
import { AppError } from '../../src/errors.ts';
import { applyCommand, startBuild } from '../../src/machine/apply.ts';
import { type Build, type BuildSpec, isOver, stateOf } from '../../src/machine/build.ts';
import type { AuditRow } from '../../src/machine/events.ts';
import { parseMessage, type WireMessage } from '../../src/machine/messages.ts';
import { type OperationReply, operationReply } from '../../src/machine/operation-reply.ts';
import { promptView } from '../../src/machine/prompt-view.ts';
import { snapshotOf } from '../../src/machine/snapshot.ts';
import { statusView } from '../../src/machine/status-view.ts';
import type { UpdateName } from '../../src/workflows/messages.ts';

export type FakeBuild = { build: Build; rows: AuditRow[]; flushedSeq: number; branch: string; ending: Ending | null };

/** Builds in memory, moved by the real machine; no model works on them. */
export type FakeBuilds = BuildsPort & {
  builds: Map<string, FakeBuild>;
  started: BuildSpec[];
  executed: { workflowId: string; name: UpdateName; message: WireMessage; opId: string }[];
  /** What every call fails with from now on. */
  fault: AppError | null;
  /** What queries alone fail with: no worker. */
  silent: AppError | null;
};

function carryOut(held: FakeBuild, name: UpdateName, message: WireMessage, nowMs: number): OperationReply {
  const parsed = parseMessage(name, message);
  if (!parsed.ok) throw new AppError('invalid_body', 'the message has faults', { faults: parsed.faults });
  const applied = applyCommand(held.build, parsed.command, nowMs);
  if (!applied.ok) {
    const { code, message: told, state, allowed, faults } = applied.refusal;
    throw new AppError(code, told, { currentState: state, allowed, faults });
  }
  held.build = applied.build;
  held.rows.push(...applied.rows);
  if (isOver(held.build.position)) held.ending = 'completed';
  return operationReply(held.build.spec, applied.outcome, held.rows);
}

function describe(held: FakeBuild): BuildDescription {
  const { spec, position, createdAtMs, updatedAtMs } = held.build;
  return {
    runId: held.branch,
    ending: held.ending,
    startDigest: spec.startDigest,
    buildId: spec.buildId,
    projectId: spec.projectId,
    state: stateOf(position),
    startedAtMs: createdAtMs,
    endedAtMs: held.ending === null ? null : updatedAtMs,
  };
}

export function createFakeBuilds(now: () => number): FakeBuilds {
  const builds = new Map<string, FakeBuild>();
  const fake: FakeBuilds = {
    builds,
    started: [],
    executed: [],
    fault: null,
    silent: null,
    async start(spec) {
      if (fake.fault) throw fake.fault;
      if (builds.has(spec.workflowId)) return 'already_started';
      fake.started.push(spec);
      const { build, rows } = startBuild(spec, now());
      builds.set(spec.workflowId, { build, rows: [...rows], flushedSeq: 0, branch: 'first', ending: null });
      return 'started';
    },
    async execute(workflowId, name, message, opId) {
      fake.executed.push({ workflowId, name, message, opId });
      if (fake.fault) throw fake.fault;
      const held = builds.get(workflowId);
      if (!held) throw new AppError('not_found', 'Temporal does not know it');
      return carryOut(held, name, message, now());
    },
    status: async (workflowId) =>
      answer(fake, workflowId, (held) => statusView(snapshotOf(held.build), held.build.updatedAtMs)),
    history: async (workflowId) =>
      answer(fake, workflowId, (held) => ({
        branch: held.branch,
        flushed_seq: held.flushedSeq,
        rows: held.rows.filter(({ seq }) => seq > held.flushedSeq),
      })),
    prompt: async (workflowId) => answer(fake, workflowId, (held) => promptView(held.build)),
    async describe(workflowId) {
      if (fake.fault) throw fake.fault;
      const held = builds.get(workflowId);
      return held ? describe(held) : null;
    },
  };
  return fake;
}

function answer<T>(fake: FakeBuilds, workflowId: string, read: (held: FakeBuild) => T) {
  const error = fake.fault ?? fake.silent;
  if (error) return { kind: 'silent' as const, error };
  const held = fake.builds.get(workflowId);
  if (!held) return { kind: 'unknown' as const };
  return held.ending === null
    ? { kind: 'answer' as const, value: read(held) }
    : { kind: 'over' as const, ending: held.ending };
}
