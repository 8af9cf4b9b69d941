import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { until } from '../fixtures/builds.ts';
import { describeWithTctl } from '../fixtures/command-lines.ts';
import { startTestProduct, type TestProduct } from '../fixtures/product.ts';
import { readRunbook, scriptOf, type Way } from '../fixtures/runbook.ts';
import { TASKS } from './tasks.ts';

const run = promisify(execFile);
const DEADLINE_MS = 30_000;

let product: TestProduct;
/** Holds the commands under the names that the page calls them by. */
let binDir: string;

beforeAll(async () => {
  product = await startTestProduct();
  binDir = mkdtempSync(join(tmpdir(), 'q-runbook-'));
  symlinkSync(inject('temporalCli'), join(binDir, 'temporal'));
  const tctl = inject('tctl');
  if ('path' in tctl) symlinkSync(tctl.path, join(binDir, 'tctl'));
});
afterAll(async () => {
  await product?.stop();
  if (binDir) rmSync(binDir, { recursive: true });
});

/** As an operator's shell runs it. */
async function shell(script: string, variables: Record<string, string>): Promise<string> {
  const { PATH = '', HOME = '' } = process.env;
  const { temporalAddress, config } = product.test;
  const { namespace } = config.temporal;
  const env = {
    PATH: `${binDir}${delimiter}${PATH}`,
    HOME,
    TEMPORAL_ADDRESS: temporalAddress,
    TEMPORAL_CLI_ADDRESS: temporalAddress,
    TEMPORAL_NAMESPACE: namespace,
    TEMPORAL_CLI_NAMESPACE: namespace,
    API: product.api.url,
    ...variables,
  };
  const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', script], { env, timeout: DEADLINE_MS });
  return stdout;
}

const RUNBOOK = readRunbook();

async function follow(name: string, way: Way, text: string): Promise<void> {
  const script = scriptOf(text);
  // Without keys, callers of the API have no name.
  const arrange = TASKS[name]?.(way === 'HTTP' ? 'operator' : 'ann') ?? expect.fail(name);
  const { workflowId, eventId = '', shows, obeyed } = await arrange(product);
  const variables = { ID: workflowId, EVENT: eventId };
  if (shows === undefined) await shell(script, variables);
  // Temporal's lists follow within a second or so.
  else await until(`${shows} in what ${way} shows`, async () => (await shell(script, variables)).includes(shows));
  await obeyed?.();
}

function runbookBy(way: Way): void {
  it.each(RUNBOOK.flatMap(({ name, ways }) => (ways[way] ? [[name, ways[way]] as const] : [])))('%s', (name, text) =>
    follow(name, way, text),
  );
}

describe('the runbook of docs/operations.md', () => {
  it('is tried whole: every task of it is arranged here, and no other', () => {
    expect(Object.keys(TASKS).sort()).toEqual(RUNBOOK.map(({ name }) => name).sort());
    for (const { name, ways } of RUNBOOK) expect(Object.keys(ways), name).toEqual(expect.arrayContaining(['temporal']));
  });

  describeWithTctl('by tctl', () => runbookBy('tctl'));
  describe('by temporal', () => runbookBy('temporal'));
  describe('over HTTP', () => runbookBy('HTTP'));
});
