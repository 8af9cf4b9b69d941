import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { STATUSES, type Status } from '../../../src/machine/build.ts';
import { snapshotOf } from '../../../src/machine/snapshot.ts';
import { PHASES, STATES } from '../../../src/machine/states.ts';
import { statusView } from '../../../src/machine/status-view.ts';
import type { BuildFilter, BuildPage, ListedBuild } from '../../../src/mirror/build-list.ts';
import { createMirror, type Mirror } from '../../../src/mirror/mirror.ts';
import type { ProjectFigures } from '../../../src/mirror/project-figures.ts';
import { createReadClient, type ReadClient } from '../../../src/mirror/read-client.ts';
import { createReader, type MirrorReader } from '../../../src/mirror/reader.ts';
import { listOf } from '../../fakes/fake-lists.ts';
import { cleanRun, completePhase, flushOf, RESULTS, specOf, steps } from '../../mirror/builds.ts';
import { type Databases, startDatabases } from './database-fixture.ts';
import { failuresIn, randomBuilds, type SentBuild } from './random-builds.ts';

const SOON = { timeoutMs: 20_000 };
/** With fewer the rarest failures, those of verification, are too few in some project to be worth counting. */
const BUILDS = 1300;
const EVERY = { projectIds: null, userId: null, state: null, status: null, after: null, limit: 500 } as const;

let databases: Databases;
let url: string;
let mirror: Mirror;
let client: ReadClient;
let reader: MirrorReader;
let sent: SentBuild[];

beforeAll(async () => {
  databases = startDatabases();
  url = await databases.migrated();
  mirror = createMirror({ databaseUrl: url, poolSize: 4 });
  client = createReadClient({ databaseUrl: url, poolSize: 4, timeoutMs: 20_000 });
  reader = createReader(client.prisma, 20_000);
  sent = randomBuilds(BUILDS);
  const queue = [...sent];
  const worker = async (): Promise<void> => {
    for (let build = queue.pop(); build; build = queue.pop())
      for (const flush of build.flushes) await mirror.flush(flush, SOON);
  };
  await Promise.all(Array.from({ length: 4 }, worker));
  await databases.query(url, 'analyze');
});
afterAll(async () => {
  await mirror.close();
  await client.close();
  await databases.stop();
});

const projects = (): string[] => [...new Set(sent.map(({ last }) => last.build.spec.projectId))];
const listed = ({ last: { build } }: SentBuild): ListedBuild => ({
  userId: build.spec.userId,
  view: statusView(snapshotOf(build), build.updatedAtMs),
});

/** The figures of a project, from nothing but what the machine made. */
function counted(projectId: string): ProjectFigures {
  const own = sent.filter(({ last }) => last.build.spec.projectId === projectId);
  const rows = own.flatMap((one) => one.rows);
  const inStatus = (status: Status): number => own.filter(({ last }) => last.build.position.status === status).length;
  const durations = own.map(({ last: { build } }) =>
    build.position.status === 'complete' ? build.position.endedAtMs - build.createdAtMs : 0,
  );
  return {
    builds: Object.fromEntries(STATUSES.map((status) => [status, inStatus(status)])) as Record<Status, number>,
    completeMs: durations.reduce((sum, ms) => sum + ms, 0),
    handoffs: rows.filter(({ handoff }) => handoff).length,
    failures: failuresIn(rows),
  };
}

describe('the figures of a project', () => {
  it('are those of its builds, in whichever order and however often they were flushed, less what was reset', async () => {
    expect(projects().length).toBeGreaterThan(2);
    for (const project of projects()) {
      const figures = counted(project);
      expect(await reader.projectFigures(project)).toEqual(figures);
      // The builds are worth comparing: nothing of what is counted is rare.
      for (const status of STATUSES) expect(figures.builds[status]).toBeGreaterThan(3);
      for (const phase of PHASES) expect(figures.failures[phase]).toBeGreaterThan(3);
    }
    expect(sent.filter(({ flushes }) => flushes.some(({ branch }) => branch === 'reset')).length).toBeGreaterThan(100);
  });

  it('of one that has no build are zero', async () => {
    const none = await reader.projectFigures('nobody’s');
    expect([none.handoffs, none.completeMs, ...Object.values(none.builds), ...Object.values(none.failures)]).toEqual(
      Array.from({ length: 12 }, () => 0),
    );
  });

  it('are what the audit of the mirror itself comes to', async () => {
    const [row] = await databases.query<{ handoffs: string; failures: string }>(
      url,
      `select (select count(*) from current_handoffs) as handoffs,
       (select count(*) from current_events where event_type in ('parked', 'sent_back')) as failures`,
    );
    const all = await Promise.all(projects().map((project) => reader.projectFigures(project)));
    const sum = (of: (figures: ProjectFigures) => number): number => all.reduce((total, one) => total + of(one), 0);
    expect(Number(row?.handoffs)).toBe(sum(({ handoffs }) => handoffs));
    expect(Number(row?.failures)).toBe(sum(({ failures }) => Object.values(failures).reduce((a, b) => a + b)));
  });
});

async function pagesOf(
  filter: BuildFilter,
  between: () => Promise<void> = async () => undefined,
): Promise<BuildPage[]> {
  const pages: BuildPage[] = [];
  for (let after = filter.after; pages.length < 2 * BUILDS; ) {
    const page = await reader.listBuilds({ ...filter, after });
    pages.push(page);
    if (page.next === null) return pages;
    after = page.next;
    await between();
  }
  return expect.fail('the pages have no end');
}

const ids = (builds: readonly ListedBuild[]): string[] => builds.map(({ view }) => view.workflow_id);

describe('the list of builds', () => {
  it('is what its filters say, page by page, for every combination of them', async () => {
    const all = sent.map(listed);
    const maybe = <T>(some: fc.Arbitrary<T>) => fc.option(some, { freq: 1 });
    const starts = all.map(({ view }) => Date.parse(view.created_at));
    const places = fc.record({ createdAtMs: fc.constantFrom(...starts), id: fc.constantFrom(...ids(all)) });
    const filters = fc.record({
      projectIds: maybe(fc.subarray([...projects(), 'nobody’s'])),
      userId: maybe(fc.constantFrom('ann', 'ben', 'nobody')),
      state: maybe(fc.constantFrom(...STATES)),
      status: maybe(fc.constantFrom(...STATUSES)),
      after: maybe(places),
      limit: fc.constantFrom(50, 200, 500),
    });
    let found = 0;
    const property = fc.asyncProperty(filters, async (filter) => {
      const pages = await pagesOf(filter);
      const builds = pages.flatMap((page) => page.builds);
      const { builds: expected } = listOf(all, { ...filter, limit: BUILDS });
      expect(ids(builds)).toEqual(ids(expected));
      expect(builds).toEqual(expected);
      for (const page of pages.slice(0, -1)) expect(page.builds).toHaveLength(filter.limit);
      found += builds.length;
    });
    await fc.assert(property, { numRuns: 80, seed: 20_260_101 });
    expect(found).toBeGreaterThan(10_000);
  });

  it('loses and repeats no build while others are started and go on', async () => {
    const before = listOf(sent.map(listed), { ...EVERY, projectIds: ['shop'], limit: BUILDS });
    let started = 0;
    const pages = await pagesOf({ ...EVERY, projectIds: ['shop'], limit: 40 }, async () => {
      started += 1;
      const [newer] = steps(specOf(`newer-${started}`, { projectId: 'shop' }), []);
      if (newer)
        await mirror.flush(flushOf({ ...newer, build: { ...newer.build, createdAtMs: Date.UTC(2030, 1) } }), SOON);
    });
    expect(started).toBeGreaterThan(5);
    expect(ids(pages.flatMap((page) => page.builds))).toEqual(ids(before.builds));
  });
});

describe('the figures of a project whose rows are changed by hand', () => {
  it('follow them', async () => {
    const run = steps(specOf('by-hand', { projectId: 'by hand' }), [completePhase(RESULTS[0] ?? {})]);
    for (const step of run) await mirror.flush(flushOf(step), SOON);
    const figures = () => reader.projectFigures('by hand');
    const change = (sql: string) => databases.query(url, `${sql} where id = 'workflow-by-hand'`);
    const none = { in_progress: 0, error: 0, complete: 0, cancelled: 0 };
    expect(await figures()).toMatchObject({ builds: { ...none, in_progress: 1 }, handoffs: 1 });
    await change("update build_workflows set status = 'cancelled'");
    expect(await figures()).toMatchObject({ builds: { ...none, cancelled: 1 }, handoffs: 1 });
    await change("update build_workflows set status = 'error', testing_failures = 2, handoff_count = 4");
    expect(await figures()).toMatchObject({ builds: { ...none, error: 1 }, handoffs: 4, failures: { testing: 2 } });
    await change("update build_workflows set project_id = 'by hand, moved'");
    expect(await figures()).toEqual(await reader.projectFigures('nobody’s'));
    expect(await reader.projectFigures('by hand, moved')).toMatchObject({ builds: { ...none, error: 1 }, handoffs: 4 });
    for (const table of ['workflow_events', 'workflow_handoffs', 'workflow_model_calls', 'build_branches']) {
      await databases.query(url, `delete from ${table} where workflow_id = 'workflow-by-hand'`);
    }
    await change('delete from build_workflows');
    expect(await reader.projectFigures('by hand, moved')).toEqual(await reader.projectFigures('nobody’s'));
  });
});

describe('the figures of a mirror that was emptied', () => {
  it('are zero', async () => {
    const emptied = await databases.migrated();
    const other = createMirror({ databaseUrl: emptied, poolSize: 1 });
    for (const step of cleanRun(specOf('a'))) await other.flush(flushOf(step), SOON);
    await other.close();
    const figures = () => databases.query(emptied, 'select * from project_figures');
    expect(await figures()).toHaveLength(1);
    await databases.query(emptied, 'truncate build_workflows cascade');
    expect(await figures()).toEqual([]);
  });
});

describe('a build that was cancelled', () => {
  it('is cancelled in its status, in the list and in the figures, in the state where it stood', async () => {
    const abort = { type: 'abort', actor: 'ann', opId: null, reason: 'not needed' } as const;
    const commands = [...RESULTS.slice(0, 2).map((data) => completePhase(data)), abort];
    for (const step of steps(specOf('cancelled', { projectId: 'cancelled' }), commands)) {
      await mirror.flush(flushOf(step), SOON);
    }
    const cancelled = { status: 'cancelled', current_state: 'implementation', completed_at: null };
    expect((await reader.findBuild('workflow-cancelled'))?.view).toMatchObject(cancelled);
    const list = (filter: Partial<BuildFilter>) =>
      reader.listBuilds({ ...EVERY, projectIds: ['cancelled'], ...filter });
    expect((await list({ status: 'cancelled', state: 'implementation' })).builds[0]?.view).toMatchObject(cancelled);
    expect((await list({ status: 'in_progress' })).builds).toEqual([]);
    const { builds } = await reader.projectFigures('cancelled');
    expect(builds).toEqual({ in_progress: 0, error: 0, complete: 0, cancelled: 1 });
  });
});
