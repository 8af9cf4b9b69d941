import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { isAlive } from '../../src/stack/process-identity.mjs';
import { waitUntil } from '../../src/stack/wait-until.ts';
import { eventually } from '../eventually.ts';
import { tempFolder } from '../stack/temp-folder.ts';
import { serversOf, usedDataDir } from './stack/probes.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const groups: number[] = [];

type Demo = Readonly<{ process: ChildProcess; out: () => string; err: () => string; ended: Promise<number | null> }>;

/** The demo as a person runs it, in a process group of its own and a data directory of its own. */
function demo(dataDir: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Demo {
  const child = spawn(process.execPath, ['scripts/run.mjs', 'src/demo.ts', ...args], {
    cwd: ROOT,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, DATA_DIR: dataDir, ...env },
  });
  if (child.pid !== undefined) groups.push(child.pid);
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    out += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    err += chunk;
  });
  const ended = new Promise<number | null>((resolve) => {
    child.once('close', resolve);
  });
  return { process: child, out: () => out, err: () => err, ended };
}

/** Whether a process of this group is left. */
function groupLives(pid: number): boolean {
  try {
    process.kill(-pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function expectNothingLeft(
  { process: { pid = 0 } }: Demo,
  dataDir: string,
  servers: readonly number[],
): Promise<void> {
  expect(servers.filter(isAlive)).toEqual([]);
  await eventually(() => expect(groupLives(pid)).toBe(false));
  expect(existsSync(join(dataDir, 'stack.lock'))).toBe(false);
}

// The command installs what is missing; here that would replace the very packages that run this test.
beforeAll(() => {
  const hash = createHash('sha256')
    .update(readFileSync(join(ROOT, 'package-lock.json')))
    .digest('hex');
  const record = join(ROOT, 'node_modules', '.q-orchestrator-install');
  if (existsSync(record) && readFileSync(record, 'utf8') === hash) return;
  throw new Error('the dependencies are not those of the lockfile: run the tests with "npm test", which installs them');
});

afterEach(() => {
  for (const pid of groups.splice(0)) if (groupLives(pid)) process.kill(-pid, 'SIGKILL');
});

describe('npm run demo', { timeout: 180_000 }, () => {
  it('shows a build from requirements to release, and leaves the release but nothing that runs', async () => {
    const dataDir = tempFolder();
    const run = demo(dataDir, ['--requirements', 'a function that slugifies titles', '--pace', '0']);
    expect(await waitUntil(() => run.out().includes('The API is up'), 120_000), run.err()).toBe(true);
    const servers = serversOf(dataDir);
    expect(servers.length).toBeGreaterThanOrEqual(2);
    expect(await run.ended, run.err()).toBe(0);

    const told = run.out();
    const inOrder = [
      'gpt-4 (simulated): no model provider is configured',
      'Requirements  a function that slugifies titles',
      'discovery, attempt 1 · q_assistant · gpt-4 (simulated)',
      'planning, attempt 1 · q_assistant · gpt-4 (simulated)',
      '→ handoff: q_assistant → code_writer, to handoff_to_coder',
      'implementation, attempt 1 · code_writer · gpt-4 (simulated)',
      'testing, attempt 1 · test_auditor · gpt-4 (simulated)',
      '✗ tests fail, coverage',
      '↩ sent back to implementation (send-back 1), because: tests failed: strips',
      '→ handoff: test_auditor → code_writer, to implementation',
      'implementation, attempt 2 · code_writer · gpt-4 (simulated)',
      'testing, attempt 2 · test_auditor · gpt-4 (simulated)',
      '✓ tests pass, coverage 100 % (measured)',
      'verification, attempt 1 · verification_overseer · gpt-4 (simulated)',
      'deployment, attempt 1 · release_manager · gpt-4 (simulated)',
      '✓ released 1.0.0',
      'Complete: ',
      'src/slugify.js',
      'Handoffs (7 rows of workflow_handoffs in Postgres)',
      'Events (23 rows of workflow_events in Postgres)',
      ' 1  ',
      '23  ',
      '/namespaces/default/workflows/',
    ];
    let from = 0;
    for (const text of inOrder) {
      const at = told.indexOf(text, from);
      expect(at, `"${text}" behind character ${from} of:\n${told}`).toBeGreaterThanOrEqual(0);
      from = at + text.length;
    }
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(told).not.toMatch(/[\u001b\r]/);
    expect(run.err()).toBe('');

    const path = /^Release 1\.0\.0\n {2}(.+)$/m.exec(told)?.[1] ?? '';
    const files = readdirSync(path, { recursive: true, encoding: 'utf8' }).filter((name) =>
      statSync(join(path, name)).isFile(),
    );
    expect(files.sort()).toEqual(['README.md', 'package.json', 'src/slugify.js', 'test/slugify.test.js']);
    await expectNothingLeft(run, dataDir, servers);
  });

  it('stops everything at a Ctrl-C in the middle of the build', async () => {
    const dataDir = await usedDataDir();
    const run = demo(dataDir, ['--pace', '60000']);
    expect(await waitUntil(() => run.out().includes('discovery, attempt 1'), 120_000), run.err()).toBe(true);
    const servers = serversOf(dataDir);
    process.kill(-(run.process.pid ?? 0), 'SIGINT');
    expect(await run.ended, run.err()).toBe(130);
    expect(run.out()).toContain('Interrupted: everything stops.');
    expect(run.out()).not.toContain('Complete');
    await expectNothingLeft(run, dataDir, servers);
  });

  it('stops everything at a Ctrl-C while it starts', async () => {
    const dataDir = await usedDataDir();
    const run = demo(dataDir, []);
    expect(await waitUntil(() => run.out().includes('is up'), 120_000), run.err()).toBe(true);
    const servers = serversOf(dataDir);
    process.kill(-(run.process.pid ?? 0), 'SIGINT');
    expect(await run.ended, run.err()).toBe(130);
    await eventually(() => expect(servers.filter(isAlive)).toEqual([]));
    await expectNothingLeft(run, dataDir, servers);
  });

  it('says that it has no recipe for requirements that it has none for, and with --keep stays up until Ctrl-C', async () => {
    const dataDir = await usedDataDir();
    const run = demo(dataDir, ['--keep', '--requirements', 'a weather forecast', '--pace', '0']);
    expect(await waitUntil(() => run.out().includes('Ctrl-C stops everything.'), 120_000), run.err()).toBe(true);
    expect(run.out().replace(/\s+/g, ' ')).toContain('The simulated model has no recipe for these requirements');
    const [, status = ''] = /Status +(\S+)/.exec(run.out()) ?? [];
    expect(await (await fetch(status)).json()).toMatchObject({ current_state: 'complete' });
    const servers = serversOf(dataDir);
    process.kill(-(run.process.pid ?? 0), 'SIGINT');
    expect(await run.ended, run.err()).toBe(130);
    await expectNothingLeft(run, dataDir, servers);
  });

  it('explains its usage and exits 2 for a wrong option, without starting anything', async () => {
    const dataDir = tempFolder();
    const run = demo(dataDir, ['--fast']);
    expect(await run.ended).toBe(2);
    expect(run.err()).toContain('--fast');
    expect(run.err()).toContain('Usage: npm run demo');
    expect(run.out()).toBe('');
    expect(readdirSync(dataDir)).toEqual([]);
  });

  it('says in one sentence which part cannot start, exits 1, and leaves nothing behind', async () => {
    const dataDir = await usedDataDir();
    const run = demo(dataDir, [], { TEMPORAL_CLI: '/missing/temporal' });
    expect(await run.ended).toBe(1);
    expect(run.err()).toMatch(/^[^\n]*\/missing\/temporal[^\n]*\n$/);
    await expectNothingLeft(run, dataDir, serversOf(dataDir));
  });
});
