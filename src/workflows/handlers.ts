import {
  ApplicationFailure,
  defineQuery,
  defineSignal,
  defineUpdate,
  setDefaultSignalHandler,
  setHandler,
} from '@temporalio/workflow';
import { applyCommand } from '../machine/apply.ts';
import { stateOf } from '../machine/build.ts';
import type { OperatorCommand, Refusal } from '../machine/commands.ts';
import type { Fault } from '../machine/json.ts';
import { MESSAGE_NAMES, type MessageName, parseMessage, type WireMessage } from '../machine/messages.ts';
import { operationReply } from '../machine/operation-reply.ts';
import { promptView } from '../machine/prompt-view.ts';
import { snapshotOf } from '../machine/snapshot.ts';
import { statusView } from '../machine/status-view.ts';
import { MESSAGE_DESCRIPTIONS, QUERY_DESCRIPTIONS } from './descriptions.ts';
import type { HistoryReply, OperationReply, RejectionDetails } from './messages.ts';
import { apply, type Session } from './session.ts';

const listed = (faults: readonly Fault[]): string => faults.map(({ at, fault }) => `${at} ${fault}`.trim()).join('; ');

/** Rejects an Update. The code is the failure's type; the details survive to the client. */
function rejection(code: string, message: string, details: Omit<RejectionDetails, 'code'>): ApplicationFailure {
  const failure = ApplicationFailure.create({
    type: code,
    message,
    nonRetryable: true,
    details: [{ code, ...details }],
  });
  // The Web UI shows it below the message: to whom an Update is refused, the orchestrator's own code says nothing.
  failure.stack = '';
  return failure;
}

const refused = ({ code, message, state, allowed, faults }: Refusal): ApplicationFailure =>
  rejection(code, `${message}. Allowed now: ${allowed.join('; ') || 'nothing'}`, { state, allowed, faults });

/** @throws ApplicationFailure `invalid_body` naming every fault */
function parsed(session: Session, name: MessageName, input: unknown): OperatorCommand {
  const result = parseMessage(name, input);
  if (result.ok) return result.command;
  const state = stateOf(session.build.position);
  throw rejection('invalid_body', `${name}: ${listed(result.faults)}`, { state, allowed: [], faults: result.faults });
}

function registerUpdate(session: Session, name: MessageName): void {
  setHandler(
    defineUpdate<OperationReply, [WireMessage]>(name),
    (input) => {
      const applied = apply(session, parsed(session, name, input));
      if (!applied.ok) throw refused(applied.refusal);
      return operationReply(session.build.spec, applied.outcome, session.recent);
    },
    {
      description: MESSAGE_DESCRIPTIONS[name],
      // The same pure function run dry: a rejection leaves nothing in the history.
      validator: (input) => {
        const tried = applyCommand(session.build, parsed(session, name, input), Date.now());
        if (!tried.ok) throw refused(tried.refusal);
      },
    },
  );
}

/** A bad signal never harms a build: it becomes a `signal_rejected` row, which does not change the epoch. */
function rejectSignal(session: Session, signal: string, code: string, reason: string): void {
  apply(session, { type: 'reject_signal', signal: signal.slice(0, 100), code, reason: reason.slice(0, 300) });
}

function registerSignal(session: Session, name: MessageName): void {
  setHandler(
    defineSignal<unknown[]>(name),
    (...inputs: unknown[]) => {
      if (inputs.length > 1) {
        rejectSignal(session, name, 'invalid_body', `${inputs.length} inputs were sent; send one JSON object`);
        return;
      }
      const result = parseMessage(name, inputs[0]);
      if (!result.ok) {
        rejectSignal(session, name, 'invalid_body', listed(result.faults));
        return;
      }
      const applied = apply(session, result.command);
      if (!applied.ok) rejectSignal(session, name, applied.refusal.code, applied.refusal.message);
    },
    { description: MESSAGE_DESCRIPTIONS[name] },
  );
}

function registerQueries(session: Session): void {
  setHandler(defineQuery('status'), () => statusView(snapshotOf(session.build), Date.now()), {
    description: QUERY_DESCRIPTIONS.status,
  });
  setHandler(
    defineQuery<HistoryReply>('history'),
    () => ({ branch: session.branch, flushed_seq: session.flushedSeq, rows: session.recent }),
    { description: QUERY_DESCRIPTIONS.history },
  );
  setHandler(defineQuery('prompt'), () => promptView(session.build), {
    description: QUERY_DESCRIPTIONS.prompt,
  });
}

/** Registers all that people may send; called before anything is awaited, so that no message finds a missing handler. */
export function registerHandlers(session: Session): void {
  for (const name of MESSAGE_NAMES) {
    registerUpdate(session, name);
    registerSignal(session, name);
  }
  setDefaultSignalHandler((name) => {
    rejectSignal(session, name, 'unknown_signal', `no signal of this name; known: ${MESSAGE_NAMES.join(', ')}`);
  });
  registerQueries(session);
}
