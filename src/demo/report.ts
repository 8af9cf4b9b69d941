import type { EventReply, HandoffReply } from '../client/client.ts';
import type { WatchedRow } from '../client/watch.ts';
import { ROLES } from '../machine/states.ts';
import { BLANK, block, cutLine, type Line, line, span } from './line.ts';
import type { ReleaseFiles } from './release-files.ts';
import { inGroups, modelLabel, seconds, told } from './render.ts';
import { eventTable, handoffTable } from './tables.ts';
import { clean, padStart, widthOf } from './text.ts';

/** What came of the build that the demo watched. */
export type Outcome = 'complete' | 'parked' | 'cancelled';

export type Started = Readonly<{ workflowId: string; buildId: string; projectId: string; requirements: string }>;

const LABEL_WIDTH = 14;
const REQUIREMENTS_LINES = 6;

const labelled = (label: string, text: string, width: number, maxLines = 3): Line[] =>
  block(span(label.padEnd(LABEL_WIDTH), 'bold'), text, 'plain', { width, maxLines });

export const heading = (text: string): Line[] => [BLANK, line(span(text, 'accent'))];

/** Says first of all whether the models are real. */
export function modelLines(simulated: boolean, byRole: Readonly<Record<string, string>>, width: number): Line[] {
  const models = [...new Set(ROLES.map((role) => byRole[role] ?? ''))];
  if (!simulated) {
    const text =
      models.length === 1 ? `${models[0]} for every role` : ROLES.map((role) => `${role}: ${byRole[role]}`).join(', ');
    return labelled('Models', text, width);
  }
  const text =
    `${models.map((model) => modelLabel(model, true)).join(', ')}: no model provider is configured, so a simulated model ` +
    'plays the roles from recipes over real HTTP. Its first code holds one deliberate mistake. ' +
    'For real models set OPENAI_API_KEY, ANTHROPIC_API_KEY or LOCAL_MODEL_BASE_URL.';
  return labelled('Models', text, width, REQUIREMENTS_LINES);
}

export function startedLines({ workflowId, buildId, requirements }: Started, width: number): Line[] {
  return [
    ...labelled('Requirements', clean(requirements), width, REQUIREMENTS_LINES),
    ...labelled('Build', buildId, width),
    ...labelled('Workflow', workflowId, width),
  ];
}

function sizeText(bytes: number): string {
  return bytes < 1000 ? `${bytes} B` : `${(bytes / 1000).toFixed(1)} kB`;
}

/** The release as a person finds it on disk. `shownPath` is its folder as it can be typed. */
export function releaseLines(release: ReleaseFiles | null, shownPath: string, width: number): Line[] {
  if (release === null) return [...heading('Release'), line('  made by a worker on another machine')];
  const sizes = release.files.map(({ bytes }) => sizeText(bytes));
  const sizeWidth = Math.max(...sizes.map(widthOf));
  const files = release.files.map(({ path }, at) =>
    cutLine(line(`  ${padStart(sizes[at] ?? '', sizeWidth)}  `, span(clean(path))), width),
  );
  // Not wrapped: a path is there to be copied.
  return [...heading(`Release ${clean(release.version)}`), line(`  ${shownPath}`), ...files];
}

/** One line that says how it went; time and tokens come from the audit itself. */
export function outcomeLine(outcome: Outcome, rows: readonly WatchedRow[]): Line {
  const tookMs = Date.parse(rows.at(-1)?.timestamp ?? '') - Date.parse(rows[0]?.timestamp ?? '');
  const attempts = rows.filter(({ event_type: type }) => type === 'phase_started').length;
  const sentBack = rows.filter(({ event_type: type }) => type === 'sent_back').length;
  const tokens = rows.reduce((sum, row) => sum + Number(told(row, 'tokens') || 0), 0);
  const facts = [
    `${seconds(tookMs)}`,
    `${attempts} attempts at 6 phases`,
    `sent back ${sentBack === 1 ? 'once' : `${sentBack} times`}`,
    `${inGroups(tokens)} tokens`,
  ].join(', ');
  const verdict = {
    complete: span('Complete', 'good'),
    parked: span('Parked', 'bad'),
    cancelled: span('Cancelled', 'bad'),
  }[outcome];
  return line(verdict, `: ${facts}`);
}

const rowsText = (count: number): string => `${count} ${count === 1 ? 'row' : 'rows'}`;

export function auditLines(handoffs: readonly HandoffReply[], events: readonly EventReply[], width: number): Line[] {
  return [
    ...heading(`Handoffs (${rowsText(handoffs.length)} of workflow_handoffs in Postgres)`),
    ...handoffTable(handoffs, width),
    ...heading(`Events (${rowsText(events.length)} of workflow_events in Postgres)`),
    ...eventTable(events, width),
  ];
}
