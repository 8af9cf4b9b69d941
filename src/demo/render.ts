import type { WatchedRow } from '../client/watch.ts';
import { isJsonObject } from '../machine/json.ts';
import { BLANK, block, cutLine, type Line, line, span } from './line.ts';
import { clean, widthOf } from './text.ts';

export type View = Readonly<{
  /** Columns of the terminal. */
  width: number;
  /** The model that a role is expected to call, as people read it; null when that is not known. */
  modelOf: (role: string) => string | null;
}>;

const REASON_LINES = 6;
const SUMMARY_LINES = 3;
const DETAIL_LINES = 2;
const DETAILS = 4;

/** One text of an event's data, safe to print; empty when it is not there. */
export function told(row: Pick<WatchedRow, 'event_data'>, name: string): string {
  const value = row.event_data[name];
  return typeof value === 'string' || typeof value === 'number' ? clean(String(value)) : '';
}

/** `gpt-4 (simulated)`: the simulated model is named as such wherever a model is. */
export const modelLabel = (model: string, simulated: boolean): string => (simulated ? `${model} (simulated)` : model);

export const seconds = (durationMs: number): string => `${(Math.max(0, durationMs) / 1000).toFixed(1)} s`;

export const inGroups = (count: number): string => count.toLocaleString('en-US').replaceAll(',', ' ');

const isSame = (row: WatchedRow, other: WatchedRow): boolean =>
  told(row, 'phase') === told(other, 'phase') && told(row, 'attempt') === told(other, 'attempt');

/** What an attempt cost, and its model where that is not the one that was announced. */
function costOf(row: WatchedRow, earlier: readonly WatchedRow[], { modelOf }: View): string {
  // A person's phase began when a person came to it: its time says nothing.
  if (told(row, 'actor') !== '') return `by ${told(row, 'actor')}`;
  const started = earlier.findLast((other) => other.event_type === 'phase_started' && isSame(row, other));
  const actual = modelLabel(told(row, 'model'), told(row, 'provider') === 'simulated');
  const announced = started ? modelOf(told(started, 'role')) : null;
  const tookMs = started ? Date.parse(row.timestamp) - Date.parse(started.timestamp) : null;
  return [
    told(row, 'model') !== '' && actual !== announced ? actual : '',
    tookMs === null ? '' : seconds(tookMs),
    told(row, 'tokens') === '' ? '' : `${inGroups(Number(told(row, 'tokens')))} tokens`,
  ]
    .filter((part) => part !== '')
    .join(', ');
}

/** What an attempt came to; what it cost stands behind that, or below it where there is no room. */
function resultLines(sign: Line[number], summary: string, cost: string, width: number): Line[] {
  const lines = block(sign, summary, 'plain', { width, maxLines: SUMMARY_LINES });
  const [last = BLANK, ...before] = lines.toReversed();
  if (cost === '') return lines;
  const room = width - last.reduce((sum, { text }) => sum + widthOf(text), 0);
  if (widthOf(cost) + 2 <= room) return [...before.toReversed(), [...last, span(`  ${cost}`, 'dim')]];
  return [...lines, cutLine(line(span(`    ${cost}`, 'dim')), width)];
}

function handoffLines({ handoff }: WatchedRow, { width }: View): Line[] {
  if (handoff === null) return [];
  const { from_role: from, to_role: to, to_state: state } = handoff;
  return [cutLine(line(span(`  → handoff: ${from} → ${to}`), span(`, to ${state}`, 'dim')), width)];
}

/** What a role handed on, in its own words, where it is small enough to be in the handoff. */
function details({ handoff }: WatchedRow): string[] {
  const data = handoff?.data_transferred ?? {};
  const found = data.discovered_reqs ?? data.plan ?? [];
  const texts = (Array.isArray(found) ? found : [found]).filter((text) => typeof text === 'string');
  const shown = texts.slice(0, DETAILS).map(clean);
  return texts.length > DETAILS ? [...shown, `and ${texts.length - DETAILS} more`] : shown;
}

function startedLines(row: WatchedRow, { width, modelOf }: View): Line[] {
  const role = told(row, 'role');
  const external = told(row, 'driver') === 'external';
  const driver = external ? 'waits for a person or an outside agent' : modelOf(role);
  const title = span(`${told(row, 'phase')}, attempt ${told(row, 'attempt')}`, 'accent');
  const who = [role, ...(driver === null ? [] : [driver])].join(' · ');
  return [BLANK, cutLine(line(title, span(` · ${who}`)), width)];
}

function completedLines(row: WatchedRow, earlier: readonly WatchedRow[], view: View): Line[] {
  const { width } = view;
  const summary = told(row, 'summary') || `${told(row, 'phase')} done`;
  return [
    ...resultLines(span('  ✓ ', 'good'), summary, costOf(row, earlier, view), width),
    ...details(row).flatMap((text) => block(span('    · ', 'dim'), text, 'dim', { width, maxLines: DETAIL_LINES })),
    ...handoffLines(row, view),
  ];
}

/** The tests that failed, by name, where the handoff carries the run. */
function failingTests({ handoff }: WatchedRow): string[] {
  const run = handoff?.data_transferred.test_run;
  const failures = isJsonObject(run) && Array.isArray(run.failures) ? run.failures : [];
  return failures.flatMap((failure: unknown) =>
    isJsonObject(failure) && typeof failure.name === 'string' ? [clean(failure.name)] : [],
  );
}

function sentBackLines(row: WatchedRow, earlier: readonly WatchedRow[], view: View): Line[] {
  const { width } = view;
  const summary = told(row, 'summary') || `${told(row, 'phase')} rejected the work`;
  const to = told(row, 'to');
  const reason = `sent back to ${to} (send-back ${told(row, 'send_back')}), because: ${told(row, 'reason')}`;
  return [
    ...resultLines(span('  ✗ ', 'bad'), summary, costOf(row, earlier, view), width),
    ...failingTests(row).map((name) => cutLine(line(span('    ✗ ', 'bad'), span(name)), width)),
    ...block(span('  ↩ ', 'back'), reason, 'back', { width, maxLines: REASON_LINES }),
    ...handoffLines(row, view),
  ];
}

/** Who did it, from where to where, and why. */
function steered(what: string, row: WatchedRow): string {
  const way = told(row, 'from') === told(row, 'to') ? '' : ` (${told(row, 'from')} → ${told(row, 'to')})`;
  const reason = told(row, 'reason');
  return `${what} by ${told(row, 'actor') || row.triggered_by}${way}${reason === '' ? '' : `: ${reason}`}`;
}

const SHORT_COMMIT_CHARS = 10;
const commitOf = (row: WatchedRow): string => told(row, 'commit').slice(0, SHORT_COMMIT_CHARS) || told(row, 'reason');

function otherText(row: WatchedRow): string | null {
  switch (row.event_type) {
    // The phase that begins next says as much, and the header has said which build it is.
    case 'build_started':
    case 'handoff_acknowledged':
    case 'completed':
      return null;
    case 'retry_requested':
      return steered('retry requested', row);
    case 'rolled_back':
      return steered('rolled back', row);
    case 'preempted':
      return steered('taken over', row);
    case 'resumed':
      return steered('resumed', row);
    case 'aborted':
      return steered('aborted', row);
    case 'late_result':
      return `a late answer of ${told(row, 'phase')}, attempt ${told(row, 'attempt')}, was dropped`;
    case 'source_opened':
      return `begins with ${told(row, 'git_url') || told(row, 'path')} at ${commitOf(row)}`;
    case 'files_committed':
      return `the files of ${told(row, 'phase')}, attempt ${told(row, 'attempt')}, were committed: ${commitOf(row)}`;
    case 'release_undone':
      return `release ${told(row, 'version')} of attempt ${told(row, 'attempt')} was taken back`;
    case 'signal_rejected':
      return `signal ${told(row, 'signal')} was ignored: ${told(row, 'reason')}`;
    default:
      return clean(row.event_type);
  }
}

/** What one row of the audit looks like. `earlier` are the rows before it, oldest first. */
export function renderRow(row: WatchedRow, earlier: readonly WatchedRow[], view: View): Line[] {
  const { width } = view;
  switch (row.event_type) {
    case 'phase_started':
      return startedLines(row, view);
    case 'phase_completed':
      return completedLines(row, earlier, view);
    case 'sent_back':
      return sentBackLines(row, earlier, view);
    case 'parked': {
      const text = `parked in error (${told(row, 'code')}): ${told(row, 'reason')}`;
      return block(span('  ✗ ', 'bad'), text, 'bad', { width, maxLines: REASON_LINES });
    }
    default: {
      const text = otherText(row);
      return text === null ? [] : block(span('  ↩ ', 'back'), text, 'back', { width, maxLines: REASON_LINES });
    }
  }
}
