import type { Client } from 'pg';
import { applyCommand, startBuild } from '../../src/machine/apply.ts';
import { type BuildSpec, phaseOf } from '../../src/machine/build.ts';
import type { Command } from '../../src/machine/commands.ts';
import type { JsonObject } from '../../src/machine/json.ts';
import { snapshotOf } from '../../src/machine/snapshot.ts';
import { createMirror, type Mirror } from '../../src/mirror/mirror.ts';
import { INSTANT_ANSWERS } from '../processes/instant-answers.ts';

/** What a build does: `go` completes the phase at hand, `reject` sends it back. */
type Act = 'go' | 'reject' | 'fail' | 'abort';
type Shape = Readonly<{ name: string; ofHundred: number; acts: readonly Act[] }>;

const go = (count: number): Act[] => Array.from({ length: count }, () => 'go');

/** What becomes of a hundred builds, so that every state and status has many and none has all. */
const SHAPES: readonly Shape[] = [
  { name: 'complete', ofHundred: 50, acts: go(6) },
  { name: 'sent-back', ofHundred: 38, acts: [...go(3), 'reject', ...go(4)] },
  { name: 'parked', ofHundred: 4, acts: [...go(2), 'fail'] },
  { name: 'cancelled', ofHundred: 3, acts: [...go(4), 'abort'] },
  { name: 'in-testing', ofHundred: 4, acts: go(3) },
  { name: 'just-started', ofHundred: 1, acts: [] },
];

export const SEEDED_PROJECT = 'seeded';
/** Builds of other projects beside it, of each hundred of its own. */
const OTHERS_OF_HUNDRED = 20;
const USERS = 50;
/** Time between two starts. */
const APART_S = 37;
const FIRST_START = '2026-01-01T00:00:00Z';

const work = { activeMs: 1000, calls: [] };

/** Results as large as those of models: a few kilobytes. */
const roomy = (data: JsonObject): JsonObject => ({
  ...data,
  remarks: Array.from({ length: 40 }, (_, line) => `remark ${line} on what was done and why, ${line * 7919} of them`),
});

function commandOf(act: Act, data: JsonObject): Command {
  const complete = (result: JsonObject): Command => ({
    type: 'complete_phase',
    result: { data: roomy(result), full: null, commit: null, runnable: false },
    work,
  });
  switch (act) {
    case 'go':
      return complete(data);
    case 'reject':
      return complete({ ...data, all_tests_passed: false });
    case 'fail':
      return { type: 'fail', code: 'model_failed', reason: 'no quota', work };
    case 'abort':
      return { type: 'abort', actor: 'bench', opId: null, reason: 'not needed' };
  }
}

/** Writes one build of a shape as workers would: it is what the others are copied from. */
async function writeShape(mirror: Mirror, { name, acts }: Shape): Promise<void> {
  const spec: BuildSpec = {
    workflowId: name,
    buildId: name,
    projectId: 'shapes',
    userId: 'bench',
    requirements: { kind: 'inline', value: 'an answer' },
    metadata: null,
    model: null,
    externalRoles: [],
    coverageMin: 80,
    maxSendBacks: 3,
    activeTimeoutMs: 3_600_000,
    startDigest: name,
    simulated: true,
  };
  let nowMs = Date.parse(FIRST_START);
  let { build, rows } = startBuild(spec, nowMs);
  for (const act of acts) {
    nowMs += 60_000;
    const applied = applyCommand(build, commandOf(act, INSTANT_ANSWERS[phaseOf(build.position) ?? 'discovery']), nowMs);
    if (!applied.ok) throw new Error(`${name}: ${applied.refusal.message}`);
    build = applied.build;
    rows = [...rows, ...applied.rows];
  }
  const run = { branch: name, runId: name, openedAtMs: nowMs };
  await mirror.flush({ ...run, build: snapshotOf(build), rows }, { timeoutMs: 10_000 });
}

/** What differs between a row and the one that it is copied from; `p` is the new build, `s` the shape's row. */
const COPIED: Readonly<Record<string, string>> = {
  workflow_id: 'p.id',
  branch: 'p.id',
  run_id: 'p.id',
  build_id: "'build-' || p.n",
  workflow_metadata: "jsonb_set(s.workflow_metadata, '{view,workflow_id}', to_jsonb(p.id))",
  project_id: 'p.project_id',
  user_id: 'p.user_id',
  created_at: 's.created_at + p.later',
  updated_at: 's.updated_at + p.later',
  completed_at: 's.completed_at + p.later',
  opened_at: 's.opened_at + p.later',
  timestamp: 's.timestamp + p.later',
};

/** Of builds: what counts them changes the same few rows again and again, which is slow within one statement. */
const BATCH_BUILDS = 1000;

/** Copies the rows of a table for new builds, by their numbers. What numbers itself does so again. */
async function copyRows(
  database: Client,
  { table, key, from, to }: Readonly<{ table: string; key: 'id' | 'workflow_id'; from: number; to: number }>,
): Promise<void> {
  const { rows } = await database.query<{ name: string }>(
    `select column_name as name from information_schema.columns
     where table_name = $1 and coalesce(column_default, '') not like 'nextval%'`,
    [table],
  );
  const names = rows.map(({ name }) => name);
  const values = names.map((name) => (name === key ? 'p.id' : (COPIED[name] ?? `s.${name}`)));
  await database.query(
    `insert into ${table} (${names.join(', ')}) select ${values.join(', ')}
     from planned p join ${table} s on s.${key} = p.shape
     where p.n between $1 and $2 order by p.n`,
    [from, to],
  );
}

/**
 * Fills a database that has the schema and nothing else: `builds` of one project and a fifth of that of others, with
 * their audit. They differ in what lists and figures are made of; the rest of them is as the machine made it.
 */
export async function seedBuilds(database: Client, databaseUrl: string, builds: number): Promise<void> {
  const mirror = createMirror({ databaseUrl, poolSize: 1 });
  for (const shape of SHAPES) await writeShape(mirror, shape);
  await mirror.close();
  const share = SHAPES.flatMap(({ name, ofHundred }) => Array.from({ length: ofHundred }, () => name));
  const all = builds + Math.round((builds * OTHERS_OF_HUNDRED) / 100);
  // By hashes of their number, so that no list finds its builds side by side.
  await database.query(
    `create table planned as select n, md5(n::text)::uuid::text as id,
       ($1::text[])[1 + (hashint4(n) & 65535) % 100] as shape,
       case when n::bigint * 7919 % $2 < $3 then $4 else 'other-' || n % 50 end as project_id,
       'user-' || (hashint4(-n) & 65535) % ${USERS} as user_id, n * interval '${APART_S} s' as later
     from generate_series(1, $2) n`,
    [share, all, builds, SEEDED_PROJECT],
  );
  for (let from = 1; from <= all; from += BATCH_BUILDS) {
    await copyRows(database, { table: 'build_workflows', key: 'id', from, to: from + BATCH_BUILDS - 1 });
  }
  // Foreign keys are true by the way the rows are made; checking each of millions takes minutes.
  await database.query('set session_replication_role = replica');
  for (const table of ['build_branches', 'workflow_handoffs', 'workflow_events']) {
    await copyRows(database, { table, key: 'workflow_id', from: 1, to: all });
  }
  await database.query('set session_replication_role = origin');
  await database.query('drop table planned');
  await database.query('vacuum analyze');
}
