import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readApiKeys } from '../../src/api-keys.ts';
import { ROLES } from '../../src/machine/states.ts';
import { complete, serve } from '../api/serve.ts';
import { tempFolder } from '../stack/temp-folder.ts';

const CLI = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));
const EVERYONE = ROLES.flatMap((role) => ['--external', role]);

type Ended = Readonly<{ code: number | null; out: string; err: string }>;

function cli(args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  const child = spawn(process.execPath, ['--import', 'tsx', CLI, ...args], { env: { ...process.env, ...env } });
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    out += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    err += chunk;
  });
  return new Promise((resolve) => {
    child.once('close', (code) => resolve({ code, out, err }));
  });
}

describe('the command line', { timeout: 60_000 }, () => {
  it('starts a build, steers it and shows its audit', async () => {
    const api = await serve();
    const at = ['--url', api.server.url];
    const started = await cli(['start', 'a slugifier', '--project', 'shop', ...EVERYONE, '--json', ...at]);
    expect(started).toMatchObject({ code: 0, err: '' });
    const id = String((JSON.parse(started.out) as { workflow_id: unknown }).workflow_id);
    const result = join(tempFolder(), 'result.json');
    writeFileSync(result, JSON.stringify({ discovered_reqs: ['slugs'], success_criteria: ['it works'] }));
    const advance = ['advance', id, '--role', 'q_assistant', '--completed', 'discovery', '--result', `@${result}`];
    expect(await cli([...advance, ...at])).toMatchObject({
      code: 0,
      out: expect.stringMatching(/new_state +planning/),
    });
    await cli(['retry', id, '--reason', 'think again', ...at]);
    const status = await cli(['status', id, ...at]);
    expect(status.out).toMatch(/current_state +discovery\n/);
    const history = await cli(['history', id, ...at]);
    expect(history.out).toContain('retry_requested');
    expect(history.out).toContain('   think again');
    await cli(['abort', id, '--reason', 'enough', ...at]);
    api.mirror.flush(api.heldBuild(id));
    expect((await cli(['status', id, '--json', ...at])).out).toContain('"status":"cancelled"');
  });

  it('watches a build to its end, and fails when it did not complete', async () => {
    const api = await serve();
    const [good, bad] = [await api.startExternal('good'), await api.startExternal('bad')];
    await complete(api, good, ['discovery', 'planning', 'implementation', 'testing', 'verification', 'deployment']);
    await api.post(`/api/workflows/${bad}/abort`, { reason: 'enough' });
    for (const id of [good, bad]) api.mirror.flush(api.heldBuild(id));
    const at = ['--url', api.server.url];
    expect(await cli(['watch', good, ...at])).toMatchObject({
      code: 0,
      out: expect.stringContaining('deployment, attempt 1 · release_manager'),
    });
    expect(await cli(['watch', bad, ...at])).toMatchObject({ code: 1, out: expect.stringContaining('enough') });
  });

  it('fails with the code, every fault and the request id of a refused call', async () => {
    const api = await serve();
    const ended = await cli(['start', 'x', '--user', ' ', '--project', '\t', '--url', api.server.url]);
    expect(ended).toMatchObject({ code: 1, out: '' });
    expect(ended.err).toMatch(/^invalid_body: [\s\S]*project_id[\s\S]*user_id[\s\S]*Request id: \S+\n$/);
  });

  it('sends the key of Q_API_KEY and never shows it', async () => {
    const api = await serve({ keys: readApiKeys('ann:secret-12345').keys });
    const args = ['status', '0d7e5b7e-52a4-5d0b-9a66-0c4d8e5b2f19', '--url', api.server.url];
    expect((await cli(args, { Q_API_KEY: '' })).err).toMatch(/^unauthorized:/);
    const known = await cli(args, { Q_API_KEY: 'secret-12345' });
    expect(known.err).toMatch(/^not_found:/);
    expect(known.err + known.out).not.toContain('secret-12345');
  });

  it.each([
    ['no command', []],
    ['a command that is none', ['fly']],
    ['a command named like a part of every object', ['constructor', 'x']],
    ['a command without its subject', ['status']],
    ['an argument too many', ['start', 'two', 'words']],
    ['an option of another command', ['status', 'x', '--reason', 'y']],
    ['an option that is missing', ['rollback', 'x', '--reason', 'y']],
    ['an unknown option', ['status', 'x', '--fast']],
    ['an address that is none', ['status', 'x', '--url', 'nowhere']],
    ['a result that is no JSON', ['advance', 'x', '--role', 'r', '--completed', 's', '--result', '{']],
    ['a result file that is not there', ['advance', 'x', '--role', 'r', '--completed', 's', '--result', '@/missing']],
  ])('explains its usage and exits 2 for %s', async (_, args) => {
    const ended = await cli(args);
    expect(ended).toMatchObject({ code: 2, out: '' });
    expect(ended.err).toMatch(/^.{10,}\n\nUsage: q-orchestrator/);
  });

  it('answers a call for help', async () => {
    expect(await cli(['--help'])).toMatchObject({
      code: 0,
      out: expect.stringContaining('Usage: q-orchestrator'),
      err: '',
    });
  });
});
