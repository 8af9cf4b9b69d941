import { randomBytes } from 'node:crypto';
import { relative } from 'node:path';
import { type Client, createClient } from '../client/client.ts';
import { type WatchedRow, watch } from '../client/watch.ts';
import type { Everything } from '../compose/all.ts';
import type { Config } from '../config.ts';
import { BLANK } from './line.ts';
import type { DemoOptions } from './options.ts';
import { withPatience } from './patience.ts';
import { findRelease } from './release-files.ts';
import { modelLabel, renderRow, told, type View } from './render.ts';
import {
  auditLines,
  modelLines,
  type Outcome,
  outcomeLine,
  releaseLines,
  type Started,
  startedLines,
} from './report.ts';
import type { Screen } from './screen.ts';
import { whereLines } from './where.ts';

const PROJECT = 'demo';
const USER = 'you';
/** A build begins within a second. */
const FIRST_ROW_MS = 30_000;
/** Beyond its active time a build parks by itself, and so is heard of. */
const SLACK_MS = 60_000;

export type DemoSettings = Readonly<{
  all: Everything;
  /** For the API, where it wants one. */
  apiKey: string | undefined;
  options: DemoOptions;
  config: Config;
  screen: Screen;
  /** Aborted by Ctrl-C. */
  signal: AbortSignal;
}>;

/**
 * Shows one build from requirements to release, on a stack that is up and stays so.
 * @returns whether the build completed
 * @throws ApiError when the API refuses; the signal's reason when it aborts
 */
export async function runDemo({ all, apiKey, options, config, screen, signal }: DemoSettings): Promise<boolean> {
  const { byRole } = config.models;
  screen.print([BLANK, ...modelLines(all.simulated, byRole, screen.width())]);
  const client = createClient({ url: all.apiUrl, apiKey });
  const started = await startOne(client, options, signal);
  screen.print(startedLines(started, screen.width()));
  const modelOf = (role: string): string =>
    modelLabel(Object.entries(byRole).find(([name]) => name === role)?.[1] ?? '', all.simulated);
  const patience = { firstMs: FIRST_ROW_MS, nextMs: config.activeTimeoutMs + SLACK_MS };
  const audit = withPatience(watch(client, started.workflowId, { signal }), patience);
  const { outcome, rows } = await follow(audit, screen, modelOf);
  screen.print([BLANK, outcomeLine(outcome, rows)]);
  if (outcome === 'complete') await showRelease(started, config, screen);
  await showAudit(client, started, screen, signal);
  const place = { apiUrl: all.apiUrl, uiUrl: all.uiUrl, namespace: config.temporal.namespace };
  screen.print(whereLines(started.workflowId, outcome, place, options.keep));
  return outcome === 'complete';
}

type Asked = Pick<DemoOptions, 'requirements' | 'source'>;

async function startOne(client: Client, { requirements, source }: Asked, signal: AbortSignal): Promise<Started> {
  const buildId = `demo-${randomBytes(4).toString('hex')}`;
  const request = { build_id: buildId, user_id: USER, requirements, ...(source === null ? {} : { source }) };
  const { workflow_id: workflowId } = await client.start(PROJECT, request, { signal });
  return { workflowId, buildId, projectId: PROJECT, requirements };
}

const OUTCOMES: Readonly<Record<string, Outcome>> = { completed: 'complete', parked: 'parked', aborted: 'cancelled' };

/** Prints the audit as it happens, to the end of the build or until it waits for an operator. */
async function follow(
  audit: AsyncIterable<WatchedRow>,
  screen: Screen,
  modelOf: View['modelOf'],
): Promise<{ outcome: Outcome; rows: readonly WatchedRow[] }> {
  const rows: WatchedRow[] = [];
  let outcome: Outcome = 'cancelled';
  for await (const row of audit) {
    if (row.event_type !== 'handoff_acknowledged') screen.live(null);
    screen.print(renderRow(row, rows, { width: screen.width(), modelOf }));
    rows.push(row);
    if (row.event_type === 'phase_started') screen.live(`${told(row, 'role')} works on ${told(row, 'phase')}`);
    outcome = OUTCOMES[row.event_type] ?? outcome;
    // A parked build waits for months, the demo does not.
    if (row.event_type === 'parked') break;
  }
  return { outcome, rows };
}

async function showRelease({ projectId, buildId }: Started, config: Config, screen: Screen): Promise<void> {
  const release = await findRelease(config.releases.releasesDir, { projectId, buildId });
  const path = release?.path ?? '';
  const near = relative(process.cwd(), path);
  screen.print(releaseLines(release, near.startsWith('..') ? path : near, screen.width()));
}

async function showAudit(client: Client, { workflowId }: Started, screen: Screen, signal: AbortSignal): Promise<void> {
  for await (const { handoffs, events } of client.historyPages(workflowId, { signal })) {
    screen.print(auditLines(handoffs, events, screen.width()));
  }
}
