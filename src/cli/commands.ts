import { randomUUID } from 'node:crypto';
import type { EventReply, HandoffReply } from '../client/client.ts';
import { type WatchedRow, watch } from '../client/watch.ts';
import { renderRow } from '../demo/render.ts';
import { auditLines } from '../demo/report.ts';
import { readSource } from '../demo/source-option.ts';
import { clean } from '../demo/text.ts';
import { artifacts } from './artifacts.ts';
import { type Call, type Command, numberOf, required, UsageError, type Values } from './command.ts';
import { readJson, readJsonObject, readRequirements } from './input.ts';
import { EXIT, printJson, printRows, show } from './output.ts';

const keyOf = (values: Values) => ({ idempotencyKey: values['idempotency-key'] });

const expected = ({ 'expected-state': state }: Values) => (state === undefined ? {} : { expected_state: state });

async function follow(call: Call, workflowId: string): Promise<number> {
  const { client, screen, streams, values } = call;
  const rows: WatchedRow[] = [];
  for await (const row of watch(client, workflowId)) {
    if (values.json) printJson(call, row);
    else screen.print(renderRow(row, rows, { width: screen.width(), modelOf: () => null }));
    rows.push(row);
  }
  const { status, state_description: told } = await client.status(workflowId);
  if (!values.json) streams.output.write(`\n${clean(told)}\n`);
  return status === 'complete' ? EXIT.done : EXIT.failed;
}

async function start(call: Call): Promise<number> {
  const { client, subject, streams, values } = call;
  // Named by the key, so that the same command with the same key is the same build.
  const idempotencyKey = values['idempotency-key'] ?? randomUUID();
  const { model, external, metadata } = values;
  const coverage = numberOf(values, 'coverage-min');
  const { source, ref } = values;
  if (ref !== undefined && source === undefined) throw new UsageError('--ref goes together with --source');
  const request = {
    build_id: values.build ?? idempotencyKey,
    user_id: values.user ?? 'you',
    requirements: await readRequirements({ given: subject, what: 'requirements', streams }),
    ...(model === undefined ? {} : { model }),
    ...(external === undefined ? {} : { external_roles: external }),
    ...(metadata === undefined
      ? {}
      : { metadata: await readJsonObject({ given: metadata, what: '--metadata', streams }) }),
    ...(coverage === undefined ? {} : { coverage_min: coverage }),
    ...(source === undefined ? {} : { source: readSource(source, ref) }),
  };
  const reply = await client.start(values.project ?? 'default', request, { idempotencyKey });
  show(call, reply);
  return values.watch ? await follow(call, reply.workflow_id) : EXIT.done;
}

async function history(call: Call): Promise<number> {
  const { client, screen, subject, values } = call;
  const handoffs: HandoffReply[] = [];
  const events: EventReply[] = [];
  for await (const page of client.historyPages(subject)) {
    handoffs.push(...page.handoffs);
    events.push(...page.events);
  }
  if (values.json) printJson(call, { workflow_id: subject, handoffs, events });
  else screen.print(auditLines(handoffs, events, screen.width()));
  return EXIT.done;
}

async function list(call: Call): Promise<number> {
  const { client, streams, values } = call;
  const { project, state, status, user, cursor } = values;
  const query = { project_id: project, state, status, user_id: user, limit: numberOf(values, 'limit'), cursor };
  const page = await client.list(query);
  if (values.json) {
    printJson(call, page);
    return EXIT.done;
  }
  const rows = page.workflows.map((build) => [
    build.workflow_id,
    build.status,
    build.current_state,
    `${build.progress.percentage} %`,
    build.elapsed_time,
    clean(`${build.project_id}/${build.build_id}`),
  ]);
  printRows(call, [['workflow_id', 'status', 'state', 'done', 'for', 'project/build'], ...rows]);
  if (page.next_cursor !== null) streams.output.write(`\nThe next page: --cursor ${page.next_cursor}\n`);
  return EXIT.done;
}

/** A command whose answer is shown as it is. */
const shown =
  (call: (given: Call) => Promise<object>): Command['run'] =>
  async (given) => {
    show(given, await call(given));
    return EXIT.done;
  };

const REASON = {
  says: 'why; it stands in the audit and, after a retry or rollback, in the next prompt',
  required: true,
} as const;
const EXPECTED_STATE = { says: 'refuse it where the build is in another state by now' };

/** The commands by name, in the order of the help. */
export const COMMANDS: Readonly<Record<string, Command>> = {
  start: {
    subject: 'requirements',
    says: 'start a build; requirements are a text or a JSON object',
    changes: true,
    options: {
      project: { says: 'whose build it is (default "default")' },
      user: { says: 'who starts it (default "you")' },
      build: { says: 'its build_id; with it, the same start again gives the same build (default: a new one)' },
      model: { says: 'the model for every role, instead of the configured ones' },
      external: { says: 'a role that a person or an outside agent plays; repeatable' },
      metadata: { says: 'an object that is kept with the build' },
      'coverage-min': { says: 'the least test coverage, where more is asked for than the server does' },
      source: { says: 'the git repository that the build begins with, by its path on the worker, or by its address' },
      ref: { says: 'the branch, tag or commit of it (default: what is checked out there)' },
      watch: { says: 'then show it live, to its end' },
    },
    run: start,
  },
  status: {
    subject: 'workflow_id',
    says: 'show where a build is',
    options: {},
    run: shown(({ client, subject }) => client.status(subject)),
  },
  watch: {
    subject: 'workflow_id',
    says: 'show a build live, to its end',
    options: {},
    run: (call) => follow(call, call.subject),
  },
  list: {
    subject: null,
    says: 'show builds, newest first',
    options: {
      project: { says: 'of this project' },
      state: { says: 'that stand in this state' },
      status: { says: 'in_progress, error, complete or cancelled' },
      user: { says: 'of this person' },
      limit: { says: 'so many at most, up to 500 (default 50)' },
      cursor: { says: 'the page behind another one' },
    },
    run: list,
  },
  stats: {
    subject: 'project_id',
    says: 'show what the builds of a project come to',
    options: {},
    run: shown(({ client, subject }) => client.stats(subject)),
  },
  history: { subject: 'workflow_id', says: 'show its handoffs and events', options: {}, run: history },
  artifacts: {
    subject: 'workflow_id',
    says: 'show what it released, or save one of it',
    options: {
      download: { says: 'the name of what is to be saved' },
      output: { says: 'where it is saved (default: under its name, here)' },
    },
    run: artifacts,
  },
  advance: {
    subject: 'workflow_id',
    says: "hand on a phase's result, or acknowledge a handoff, for a role",
    changes: true,
    options: {
      role: { says: 'for whom: the owner of the state, of a handoff state the receiver', required: true },
      state: { says: 'the state that is completed with it', required: true },
      result: { says: "the phase's result; an acknowledgement has none" },
      'next-state': { says: 'where the build is to go; only needed to send testing or verification back' },
    },
    run: shown(async ({ client, subject, streams, values }) => {
      const { result, 'next-state': next } = values;
      const body = {
        role: required(values, 'role'),
        completed_state: required(values, 'state'),
        ...(result === undefined ? {} : { phase_result: await readJson({ given: result, what: '--result', streams }) }),
        ...(next === undefined ? {} : { next_state: next }),
      };
      return await client.advance(subject, body, keyOf(values));
    }),
  },
  retry: {
    subject: 'workflow_id',
    says: 'send the work back to the phase before, or a parked build back to work',
    changes: true,
    options: { reason: REASON, 'expected-state': EXPECTED_STATE },
    run: shown(({ client, subject, values }) => {
      const body = { reason: required(values, 'reason'), ...expected(values) };
      return client.requestRetry(subject, body, keyOf(values));
    }),
  },
  rollback: {
    subject: 'workflow_id',
    says: 'take a build back to a phase that it has reached',
    changes: true,
    options: {
      to: { says: 'the phase; its result and all later ones leave the build', required: true },
      reason: REASON,
      'expected-state': EXPECTED_STATE,
    },
    run: shown(({ client, subject, values }) => {
      const body = { target_state: required(values, 'to'), reason: required(values, 'reason'), ...expected(values) };
      return client.rollback(subject, body, keyOf(values));
    }),
  },
  abort: {
    subject: 'workflow_id',
    says: 'end a build',
    changes: true,
    options: { reason: REASON },
    run: shown(({ client, subject, values }) =>
      client.abort(subject, { reason: required(values, 'reason') }, keyOf(values)),
    ),
  },
};
