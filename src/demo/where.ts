import { BLANK, type Line, line, span } from './line.ts';
import { heading, type Outcome } from './report.ts';

export type Place = Readonly<{ apiUrl: string; uiUrl: string | null; namespace: string }>;

const LABEL_WIDTH = 9;

// Never wrapped or cut: addresses and commands are there to be copied.
const item = (label: string, text: string): Line => line('  ', span(label.padEnd(LABEL_WIDTH), 'bold'), text);

function addresses(workflowId: string, { apiUrl, uiUrl, namespace }: Place): Line[] {
  const call = `${apiUrl}/api/workflows/${workflowId}`;
  return [
    ...(uiUrl === null ? [] : [item('Web UI', `${uiUrl}/namespaces/${namespace}/workflows/${workflowId}`)]),
    item('Status', `${call}/status`),
    item('History', `${call}/history`),
  ];
}

const DEFAULT_URL = 'http://127.0.0.1:3000';

/** Commands for what can be done with a build in this state. */
function commands(workflowId: string, outcome: Outcome, { apiUrl }: Place): Line[] {
  const url = apiUrl === DEFAULT_URL ? '' : ` --url ${apiUrl}`;
  const cli = (label: string, command: string): Line => item(label, `npx q-orchestrator ${command}${url}`);
  const steering = [
    cli('Retry', `retry ${workflowId} --reason "try again"`),
    cli('Go back', `rollback ${workflowId} --to planning --reason "another plan"`),
    cli('End it', `abort ${workflowId} --reason "not needed"`),
  ];
  return [
    ...(outcome === 'parked' ? steering : []),
    cli('Audit', `history ${workflowId}`),
    cli('Build', 'start "a todo list as a REST API" --watch'),
  ];
}

/** Where to look and what to do next. `up`: everything still runs, until Ctrl-C. */
export function whereLines(workflowId: string, outcome: Outcome, place: Place, up: boolean): Line[] {
  const ways = [...addresses(workflowId, place), ...commands(workflowId, outcome, place)];
  if (up) return [...heading('Everything is still up'), ...ways, BLANK, line('Ctrl-C stops everything.')];
  return [
    ...heading('Where to look'),
    line('  Everything stops now and is kept: "npm start" brings it back, and this works again;'),
    line('  "npm run demo -- --keep" leaves it up at the end.'),
    ...ways,
  ];
}
