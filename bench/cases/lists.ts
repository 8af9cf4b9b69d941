import { Client } from 'pg';
import type { BuildFilter } from '../../src/mirror/build-list.ts';
import { createReadClient } from '../../src/mirror/read-client.ts';
import { createReader, type MirrorReader } from '../../src/mirror/reader.ts';
import { migrate } from '../../src/stack/migrations.ts';
import { SEEDED_PROJECT, seedBuilds } from '../measure/seed-builds.ts';
import type { Setup } from '../setup.ts';
import { percentile } from '../statistics.ts';

const DATABASE = 'bench_lists';
const MIGRATE_TIMEOUT_MS = 30_000;
const READ_TIMEOUT_MS = 10_000;
const WARM_UP_ROUNDS = 3;

const PAGE = { projectIds: null, userId: null, state: null, status: null, after: null, limit: 50 } as const;
const ofProject = { projectIds: [SEEDED_PROJECT] } as const;
/** A moment in the middle of all starts. */
const middleOf = (builds: number) => ({ createdAtMs: Date.parse('2026-01-01') + builds * 18_500, id: 'x' });

const FILTERS: Readonly<Record<string, Partial<BuildFilter>>> = {
  'list, all builds': {},
  'list, state': { state: 'testing' },
  'list, status': { status: 'error' },
  'list, user': { userId: 'user-7' },
  'list, project': ofProject,
  'list, project and state': { ...ofProject, state: 'testing' },
  'list, project and status': { ...ofProject, status: 'cancelled' },
  'list, project and user': { ...ofProject, userId: 'user-7' },
  'list, two projects': { projectIds: [SEEDED_PROJECT, 'other-7'] },
  'list, project, 500 a page': { ...ofProject, limit: 500 },
};

type ListLatency = Readonly<{ p50Ms: number; p95Ms: number; maxMs: number }>;
export type Lists = Readonly<{
  /** Of the project that is asked about; a fifth of that is in others. */
  builds: number;
  rounds: number;
  latencies: Readonly<Record<string, ListLatency>>;
}>;

/** The name of the one call that has a target. */
export const STATS = 'stats of the project';

function callsOf(reader: MirrorReader, builds: number, workflowId: string): Record<string, () => Promise<unknown>> {
  const lists = Object.entries(FILTERS).flatMap(([name, filter]) => {
    const page = { ...PAGE, ...filter };
    return [
      [name, () => reader.listBuilds(page)] as const,
      [`${name}, from the middle on`, () => reader.listBuilds({ ...page, after: middleOf(builds) })] as const,
    ];
  });
  const rows = { after: null, limit: 50 };
  return {
    [STATS]: () => reader.projectFigures(SEEDED_PROJECT),
    ...Object.fromEntries(lists),
    'history of a build': () => reader.history(workflowId, { events: rows, handoffs: rows }),
  };
}

/** One call after another, round by round, so that what else the machine does meets all alike. */
async function timeCalls(
  calls: Readonly<Record<string, () => Promise<unknown>>>,
  rounds: number,
): Promise<Lists['latencies']> {
  const took = new Map<string, number[]>(Object.keys(calls).map((name) => [name, []]));
  for (let round = 0; round < WARM_UP_ROUNDS + rounds; round += 1) {
    for (const [name, call] of Object.entries(calls)) {
      const startedAtMs = performance.now();
      await call();
      if (round >= WARM_UP_ROUNDS) took.get(name)?.push(performance.now() - startedAtMs);
    }
  }
  const latencies = [...took].map(([name, times]): [string, ListLatency] => [
    name,
    { p50Ms: percentile(times, 50), p95Ms: percentile(times, 95), maxMs: Math.max(...times) },
  ]);
  return Object.fromEntries(latencies);
}

async function measureIn(databaseUrl: string, builds: number, rounds: number): Promise<Lists['latencies']> {
  await migrate(databaseUrl, { timeoutMs: MIGRATE_TIMEOUT_MS, log: () => undefined });
  const database = new Client({ connectionString: databaseUrl });
  await database.connect();
  try {
    await seedBuilds(database, databaseUrl, builds);
    const { rows } = await database.query<{ id: string }>(
      'select id from build_workflows where project_id = $1 order by created_at limit 1 offset $2',
      [SEEDED_PROJECT, Math.floor(builds / 2)],
    );
    const reads = createReadClient({ databaseUrl, poolSize: 1, timeoutMs: READ_TIMEOUT_MS });
    try {
      return await timeCalls(callsOf(createReader(reads.prisma, READ_TIMEOUT_MS), builds, rows[0]?.id ?? ''), rounds);
    } finally {
      await reads.close();
    }
  } finally {
    await database.end();
  }
}

/** What the mirror is asked for in lists, in a database of its own with many builds. */
export async function measureLists(
  { database, stack }: Pick<Setup, 'database' | 'stack'>,
  { builds, rounds }: Readonly<{ builds: number; rounds: number }>,
): Promise<Lists> {
  const url = new URL(stack.databaseUrl);
  url.pathname = `/${DATABASE}`;
  await database.query(`create database ${DATABASE}`);
  try {
    return { builds, rounds, latencies: await measureIn(url.href, builds, rounds) };
  } finally {
    await database.query(`drop database ${DATABASE} with (force)`);
  }
}
