import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readApiKeys } from '../../src/api-keys.ts';
import { AppError } from '../../src/errors.ts';
import { ROLES } from '../../src/machine/states.ts';
import { complete, serve } from '../api/serve.ts';
import { tempFolder } from '../stack/temp-folder.ts';
import { cli } from './run-cli.ts';

const EVERYONE = ROLES.flatMap((role) => ['--external', role]);

describe('the command line', () => {
  it('starts a build, steers it and shows its audit', async () => {
    const api = await serve();
    const at = ['--url', api.server.url];
    const started = await cli(['start', 'a slugifier', '--project', 'shop', ...EVERYONE, '--json', ...at]);
    expect(started).toMatchObject({ code: 0, err: '' });
    const id = String((JSON.parse(started.out) as { workflow_id: unknown }).workflow_id);
    const result = join(tempFolder(), 'result.json');
    writeFileSync(result, JSON.stringify({ discovered_reqs: ['slugs'], success_criteria: ['it works'] }));
    const advance = ['advance', id, '--role', 'q_assistant', '--state', 'discovery', '--result', `@${result}`];
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

  it('lists builds and tells what those of a project come to', async () => {
    const api = await serve();
    const at = ['--url', api.server.url];
    const [first, second] = [await api.startExternal('first'), await api.startExternal('second')];
    await api.post(`/api/workflows/${second}/abort`, { reason: 'enough' });
    for (const id of [first, second]) api.mirror.flush(api.heldBuild(id));
    const all = await cli(['list', '--project', 'shop', ...at]);
    expect(all.out).toMatch(/^workflow_id +status +state +done +for +project\/build\n(\S+ .*\n){2}$/);
    const running = await cli(['list', '--status', 'in_progress', ...at]);
    expect(running.out).toMatch(new RegExp(`\\n${first} +in_progress +discovery +0 % +0h 0m +shop/first\\n$`));
    const page = await cli(['list', '--limit', '1', ...at]);
    const cursor = /\nThe next page: --cursor (\S+)\n$/.exec(page.out)?.[1] ?? '';
    const rest = await cli(['list', '--limit', '1', '--cursor', cursor, '--json', ...at]);
    expect(JSON.parse(rest.out)).toMatchObject({ workflows: [{}], next_cursor: null });
    expect((await cli(['stats', 'shop', ...at])).out).toMatch(/total_workflows +2\n[\s\S]*failed +1\n/);
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
    const unknown = await cli(args, { env: { Q_API_KEY: '' } });
    expect(unknown).toMatchObject({ code: 1, err: expect.stringMatching(/^unauthorized:[\s\S]*Set Q_API_KEY/) });
    const known = await cli(args, { env: { Q_API_KEY: 'secret-12345' } });
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
    ['an address with a password', ['status', 'x', '--url', 'http://ann:secret@127.0.0.1:3000']],
    ['a key that no header can hold', ['abort', 'x', '--reason', 'y', '--idempotency-key', 'a key']],
    ['an option that changes nothing in what only reads', ['status', 'x', '--idempotency-key', 'k']],
    ['a subject of a command that has none', ['list', 'shop']],
    ['a coverage that is no number', ['start', 'x', '--coverage-min', 'high']],
    ['metadata that is no object', ['start', 'x', '--metadata', '[]']],
    ['a result that is no JSON', ['advance', 'x', '--role', 'r', '--state', 's', '--result', '{']],
    ['a result file that is not there', ['advance', 'x', '--role', 'r', '--state', 's', '--result', '@/missing']],
  ])('explains its usage and exits 2 for %s', async (_, args) => {
    const ended = await cli(args);
    expect(ended).toMatchObject({ code: 2, out: '' });
    expect(ended.err).toMatch(/^.{10,}\n\nUsage: q-orchestrator/);
  });

  it('takes requirements and results from files and from standard input, an object as an object', async () => {
    const api = await serve();
    const at = ['--url', api.server.url];
    const requirements = join(tempFolder(), 'requirements.json');
    writeFileSync(requirements, JSON.stringify({ goal: 'a slugifier' }));
    const asObject = [
      'start',
      `@${requirements}`,
      '--build',
      'object',
      '--metadata',
      '{"ticket":7}',
      '--coverage-min',
      '90',
    ];
    expect(await cli([...asObject, ...EVERYONE, ...at])).toMatchObject({ code: 0, err: '' });
    expect(await cli(['start', '-', '--build', 'text', ...EVERYONE, ...at], { input: 'a timer' })).toMatchObject({
      code: 0,
    });
    const specs = api.builds.started;
    expect(specs).toMatchObject([
      { requirements: { value: { goal: 'a slugifier' } }, metadata: { value: { ticket: 7 } }, coverageMin: 90 },
      { requirements: { value: 'a timer' }, metadata: null, coverageMin: 80 },
    ]);
    const id = String(specs[0]?.workflowId);
    const advance = ['advance', id, '--role', 'Q_ASSISTANT', '--state', 'DISCOVERY', '--result', '-', '--json', ...at];
    const advanced = await cli(advance, { input: JSON.stringify({ discovered_reqs: ['slugs'] }) });
    expect(JSON.parse(advanced.out)).toMatchObject({ new_state: 'planning' });
  });

  it('starts a build on existing code', async () => {
    const api = await serve();
    const at = ['--url', api.server.url];
    const place = 'git@git.example:shop.git';
    const started = await cli(['start', 'a slugifier', '--source', place, '--ref', 'v1', ...EVERYONE, ...at]);
    expect(started).toMatchObject({ code: 0, err: '' });
    expect(api.builds.started[0]?.source).toEqual({ kind: 'git', url: place, ref: 'v1' });
    const alone = await cli(['start', 'a slugifier', '--ref', 'v1', ...at]);
    expect(alone).toMatchObject({ code: 2, err: expect.stringContaining('--ref goes together with --source') });
  });

  it('makes a command safe to repeat: with the same --idempotency-key it takes effect once', async () => {
    const api = await serve();
    const at = ['--url', api.server.url, '--json', '--idempotency-key', 'key-1'];
    const start = ['start', 'a slugifier', ...EVERYONE, ...at];
    const [first, again] = [await cli(start), await cli(start)];
    expect(first).toMatchObject({ code: 0, out: again.out });
    expect(api.builds.builds.size).toBe(1);
    const [id = ''] = api.builds.builds.keys();
    await complete(api, id, ['discovery', 'planning']);
    const retry = ['retry', id, '--reason', 'again', '--expected-state', 'handoff_to_coder', ...at];
    const [once, twice] = [await cli(retry), await cli(retry)];
    expect(once).toMatchObject({ code: 0, out: twice.out });
    expect(JSON.parse(once.out)).toMatchObject({ new_state: 'planning' });
    const elsewhere = [...retry.slice(0, -1), 'key-2'];
    expect(await cli(elsewhere)).toMatchObject({ code: 1, err: expect.stringMatching(/^wrong_state:/) });
  });

  it('goes to the API that Q_URL names, unless --url names another', async () => {
    const api = await serve();
    const id = await api.startExternal();
    const env = { Q_URL: api.server.url };
    expect(await cli(['status', id], { env })).toMatchObject({ code: 0 });
    expect(await cli(['status', id, '--url', 'http://127.0.0.1:1'], { env })).toMatchObject({
      code: 3,
      err: expect.stringMatching(/^unreachable: Nothing answers at http:\/\/127\.0\.0\.1:1: start/),
    });
  });

  it('says how to repeat a command that may have taken effect, and exits 3', async () => {
    const api = await serve();
    const id = await api.startExternal();
    api.builds.fault = new AppError('no_worker', 'No worker took the command in time.', { retryAfterS: 5 });
    const ended = await cli(['abort', id, '--reason', 'enough', '--idempotency-key', 'k-7', '--url', api.server.url]);
    expect(ended).toMatchObject({ code: 3, out: '' });
    expect(ended.err).toMatch(/^no_worker: [\s\S]*To repeat it safely add --idempotency-key k-7\nAsk again in 5 s\.\n/);
  });

  it.each([
    ['--help', ['start <requirements>', 'advance <workflow_id>', 'Exit code: 0 done']],
    ['advance --help', ['--role <role> --state <state> [--result <json>]', '--idempotency-key', 'Exit code: 0 done']],
    ['status --help', ['q-orchestrator status <workflow_id>\n', '--url <address>', '--json']],
  ])('answers %s', async (line, texts) => {
    const ended = await cli(line.split(' '));
    expect(ended).toMatchObject({ code: 0, err: '' });
    for (const text of texts) expect(ended.out).toContain(text);
  });
});
