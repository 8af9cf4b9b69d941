import { randomUUID } from 'node:crypto';
import pg from 'pg';
import type { Reply } from '../fixtures/api.ts';
import { until } from '../fixtures/builds.ts';
import { type CommandLines, commandLines } from '../fixtures/command-lines.ts';
import { startTestProduct, type TestProduct } from '../fixtures/product.ts';

type Row = Readonly<Record<string, unknown>>;

/** A build's rows as they are in the tables. */
export type Audited = Readonly<{
  seq: number;
  event_type: string;
  triggered_by: string;
  event_data: Row;
  branch: string;
}>;

/** The whole product, and who does something to its builds from outside: with the `temporal` command. */
export type Outside = TestProduct &
  Readonly<{
    /** Runs the command; fails when it does. */
    temporal(...args: string[]): Promise<string>;
    /** Starts a build in a project of its own. */
    begin(more?: Row): Promise<Begun>;
    row(id: string): Promise<Row | undefined>;
    audit(id: string): Promise<Audited[]>;
    status(id: string): Promise<Row>;
  }>;

export type Begun = Readonly<{ id: string; buildId: string; project: string; body: Row }>;

export async function startOutside(): Promise<Outside> {
  const product = await startTestProduct();
  const database = new pg.Client(product.test.databaseUrl);
  await database.connect();
  const lines: CommandLines = commandLines(product.test);
  const { api } = product;
  return {
    ...product,
    temporal: async (...args) => {
      const { code, output } = await lines.temporal(...args);
      if (code !== 0) throw new Error(`temporal ${args.join(' ')} failed: ${output}`);
      return output;
    },
    begin: async (more = {}) => {
      const project = `project-${randomUUID()}`;
      const asked = {
        build_id: `build-${randomUUID()}`,
        user_id: 'ann',
        requirements: 'a function that doubles',
        ...more,
      };
      const { status, body } = await api.post(`/api/workflows/${project}/start`, asked);
      if (status !== 200) throw new Error(JSON.stringify(body));
      return { id: String(body.workflow_id), buildId: asked.build_id, project, body: asked };
    },
    row: async (id) => (await database.query('select * from build_workflows where id = $1', [id])).rows[0],
    audit: async (id) => {
      const text =
        'select seq, event_type, triggered_by, event_data, branch from workflow_events where workflow_id = $1 order by id';
      return (await database.query<Audited>(text, [id])).rows;
    },
    status: async (id) => (await api.read(`/api/workflows/${id}/status`)).body,
    stop: async () => {
      await database.end();
      await product.stop();
    },
  };
}

const first = ({ body }: Reply): Row | undefined => (body.workflows as Row[])[0];

/** A project's only build, as its list and its figures have it. */
export async function seenIn({ api }: Pick<Outside, 'api'>, project: string) {
  const [list, stats] = await Promise.all([
    api.read(`/api/workflows?project_id=${project}`),
    api.read(`/api/workflows/project/${project}/stats`),
  ]);
  const { total_workflows, completed, in_progress, failed } = stats.body;
  return { listed: first(list), stats: { total_workflows, completed, in_progress, failed } };
}

export const CANCELLED = { total_workflows: 1, completed: 0, in_progress: 0, failed: 1 };
export const GOES_ON = { total_workflows: 1, completed: 0, in_progress: 1, failed: 0 };

export const untilRow = (outside: Outside, id: string, fits: (row: Row) => boolean): Promise<Row> =>
  until('the row', async () => {
    const row = await outside.row(id);
    return row && fits(row) ? row : null;
  });

export const untilCancelled = (outside: Outside, id: string): Promise<Row> =>
  untilRow(outside, id, ({ status }) => status === 'cancelled');

/** The model has been asked for a phase of a build. */
export const untilAsked = ({ model }: Outside, phase: string, { buildId }: Begun): Promise<boolean> =>
  until(`${phase} of ${buildId}`, async () =>
    model.calls.some((call) => call.phase === phase && call.build === buildId),
  );
