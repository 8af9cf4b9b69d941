import { eventReply, handoffReply } from '../audit.ts';
import type { FeedRow, Topic } from './feed.ts';

/** A row may go to watchers of its build and of its project: what they are told of it is made once. */
const told = new WeakMap<FeedRow, string>();

function dataOf(row: FeedRow): string {
  const known = told.get(row);
  if (known !== undefined) return known;
  const handoff = row.handoff === null ? null : handoffReply(row.handoff);
  const data = JSON.stringify({ workflow_id: row.workflowId, ...eventReply(row), handoff });
  told.set(row, data);
  return data;
}

/** In a project two builds have events of the same number, so that its stream goes by positions. */
const idOf = (row: FeedRow, kind: Topic['kind']): string =>
  kind === 'build' ? `${row.generation}.${row.seq}` : String(row.position);

/** Rows as the watchers of one topic read them. */
export const framesOf = (rows: readonly FeedRow[], kind: Topic['kind']): Buffer =>
  Buffer.from(
    rows.map((row) => `id: ${idOf(row, kind)}\nevent: ${row.type}\ndata: ${dataOf(row)}\n\n`).join(''),
    'utf8',
  );

/**
 * What is said behind the last event of a build that is over; null where that is not among its rows. It has no id, so that
 * a reader who comes back still names that event.
 */
export function endOf(rows: readonly FeedRow[]): string | null {
  const last = rows.find(({ ending }) => ending !== null);
  if (!last) return null;
  return `event: end\ndata: ${JSON.stringify({ workflow_id: last.workflowId, status: last.ending })}\n\n`;
}
