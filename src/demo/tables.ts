import type { EventReply, HandoffReply } from '../client/client.ts';
import { cutLine, type Line, line, span } from './line.ts';
import { told } from './render.ts';
import { clean, cut, pad, padStart, widthOf } from './text.ts';

const GAP = '  ';
const LAST_LEAST = 10;

/** A row of a table: its cells, and a note that stands below them where there is one. */
type TableRow = Readonly<{ cells: readonly string[]; note: string }>;

/** Where the last column begins and how wide it is; the others are padded to the widest of their cells. */
type Layout = Readonly<{ padded: (cells: readonly string[]) => string; indent: string; at: number; width: number }>;

function layOut(head: readonly string[], rows: readonly TableRow[], width: number): Layout {
  const widths = head.map((title, at) =>
    Math.max(widthOf(title), ...rows.map(({ cells }) => widthOf(cells[at] ?? ''))),
  );
  const before = widths.slice(0, -1);
  const at = before.reduce((sum, one) => sum + one + GAP.length, 0);
  return {
    padded: (cells) => before.map((one, n) => (n === 0 ? padStart : pad)(cells[n] ?? '', one) + GAP).join(''),
    indent: ' '.repeat((before[0] ?? 0) + GAP.length),
    at,
    width: Math.max(LAST_LEAST, Math.min(width - at, widths.at(-1) ?? 0)),
  };
}

/** Broken before its arrow, the second half of a way says by itself what it is. */
function wrapWay(way: string, width: number): string[] {
  if (widthOf(way) <= width) return [way];
  const [from = '', to] = way.split(' → ');
  return [from, ...(to === undefined ? [] : [`→ ${to}`])].map((part) => cut(part, width));
}

function rowLines({ cells, note }: TableRow, { padded, indent, at, width }: Layout, tableWidth: number): Line[] {
  const [first = '', second = ''] = wrapWay(cells.at(-1) ?? '', width);
  const below = note === '' ? '' : cut(indent + note, second === '' ? tableWidth : at - GAP.length);
  return [
    line(padded(cells) + first),
    ...(below === '' && second === '' ? [] : [line(span(second === '' ? below : pad(below, at), 'dim'), second)]),
  ];
}

/**
 * A column is as wide as its widest cell, and the last one takes what is left and is wrapped into it. The note has a
 * line of its own, so that it can be read at 80 columns; it shares it with the second half of a wrapped cell.
 */
function table(head: readonly string[], rows: readonly TableRow[], width: number): Line[] {
  const layout = layOut(head, rows, width);
  const heading = line(span(layout.padded(head) + (head.at(-1) ?? ''), 'bold'));
  const rule = line(span('─'.repeat(Math.min(width, layout.at + layout.width)), 'dim'));
  return [heading, rule, ...rows.flatMap((row) => rowLines(row, layout, width))].map((one) => cutLine(one, width));
}

/** What a reset has undone stays in the audit and is told apart. */
const withUndone = ({ undone }: Pick<EventReply, 'undone'>, note: string): string =>
  [...(undone ? ['undone by a reset'] : []), ...(note === '' ? [] : [note])].join(': ');

/** Hours, minutes and seconds in the reader's own time zone. */
const timeOf = ({ timestamp }: Pick<EventReply, 'timestamp'>): string =>
  new Date(timestamp).toLocaleTimeString('en-GB', { hour12: false });

function wayOf(event: EventReply): string {
  const [from, to, phase] = [told(event, 'from'), told(event, 'to'), told(event, 'phase')];
  if (from !== '' && to !== '' && from !== to) return `${from} → ${to}`;
  return phase === '' ? from : `${phase} #${told(event, 'attempt')}`;
}

const noteOf = (event: EventReply): string => told(event, 'reason') || told(event, 'summary');

/** The events of a build as the history call gives them. */
export function eventTable(events: readonly EventReply[], width: number): Line[] {
  const rows = events.map((event) => ({
    cells: [String(event.seq), timeOf(event), clean(event.event_type), clean(event.triggered_by), wayOf(event)],
    note: withUndone(event, noteOf(event)),
  }));
  return table(['#', 'time', 'event', 'by', 'from → to'], rows, width);
}

/** The handoffs of a build; `#` is the event that made one. */
export function handoffTable(handoffs: readonly HandoffReply[], width: number): Line[] {
  const rows = handoffs.map((handoff) => ({
    cells: [
      String(handoff.seq),
      `${handoff.from_role} → ${handoff.to_role}`,
      `${handoff.from_state} → ${handoff.to_state}`,
    ],
    note: withUndone(handoff, clean(handoff.notes ?? '')),
  }));
  return table(['#', 'roles', 'states'], rows, width);
}
