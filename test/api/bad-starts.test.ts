import { describe, expect, it } from 'vitest';
import { NO_SOURCES } from '../fakes/no-sources.ts';
import { serve } from './serve.ts';

const GOOD = { build_id: 'b-1', user_id: 'ann', requirements: 'a slugifier' };
const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;
const withRequirements = (json: string): string => `{"build_id":"b-1","user_id":"ann","requirements":${json}}`;

type Row = [what: string, body: unknown, status: number, code: string, places: string[]];

const ROWS: Row[] = [
  ['nothing', '', 400, 'invalid_body', ['']],
  ['no JSON', '{"build_id":', 400, 'invalid_body', ['']],
  ['a list', '[]', 400, 'invalid_body', ['']],
  ['null', 'null', 400, 'invalid_body', ['']],
  ['bytes that are no UTF-8', new Uint8Array([0x22, 0xff, 0x22]), 400, 'invalid_body', ['']],
  ['no field', {}, 400, 'invalid_body', ['build_id', 'user_id', 'requirements']],
  ['an empty text as requirements', { ...GOOD, requirements: ' ' }, 400, 'invalid_body', ['requirements']],
  ['an empty object as requirements', { ...GOOD, requirements: {} }, 400, 'invalid_body', ['requirements']],
  ['null as requirements', { ...GOOD, requirements: null }, 400, 'invalid_body', ['requirements']],
  ['a list as requirements', { ...GOOD, requirements: ['x'] }, 400, 'invalid_body', ['requirements']],
  ['a number as requirements', { ...GOOD, requirements: 7 }, 400, 'invalid_body', ['requirements']],
  [
    'requirements over 256 kB',
    { ...GOOD, requirements: 'r'.repeat(256 * 1024) },
    413,
    'body_too_large',
    ['requirements'],
  ],
  [
    'requirements over 256 kB of UTF-8 in fewer characters',
    { ...GOOD, requirements: 'ä'.repeat(140_000) },
    413,
    'body_too_large',
    ['requirements'],
  ],
  ['metadata over 256 kB', { ...GOOD, metadata: { m: 'm'.repeat(256 * 1024) } }, 413, 'body_too_large', ['metadata']],
  ['a body over 1 MiB', { ...GOOD, requirements: 'r'.repeat(1024 * 1024) }, 413, 'body_too_large', []],
  ['nesting 40,000 deep', withRequirements(nested(40_000)), 400, 'invalid_body', ['']],
  [
    'nesting 65 deep',
    withRequirements(`{"a":${nested(64)}}`),
    400,
    'invalid_body',
    [`requirements.a${'[0]'.repeat(30)}`],
  ],
  ['NUL in a text', { ...GOOD, requirements: { a: ['x\0'] } }, 400, 'invalid_body', ['requirements.a[0]']],
  ['NUL in a key', { ...GOOD, requirements: { 'a\0': 1 } }, 400, 'invalid_body', ['requirements']],
  ['half of a surrogate pair', withRequirements('{"a":"\\ud83d"}'), 400, 'invalid_body', ['requirements.a']],
  ['the other half', withRequirements('"x\\ude00"'), 400, 'invalid_body', ['requirements']],
  ['a number too large for JSON', withRequirements('{"a":1e999}'), 400, 'invalid_body', ['requirements.a']],
  ['an empty build_id', { ...GOOD, build_id: '' }, 400, 'invalid_body', ['build_id']],
  ['a build_id of 201 characters', { ...GOOD, build_id: 'b'.repeat(201) }, 400, 'invalid_body', ['build_id']],
  ['a line break in build_id', { ...GOOD, build_id: 'a\nb' }, 400, 'invalid_body', ['build_id']],
  ['a number as user_id', { ...GOOD, user_id: 7 }, 400, 'invalid_body', ['user_id']],
  ['a text as metadata', { ...GOOD, metadata: 'x' }, 400, 'invalid_body', ['metadata']],
  ['an unknown role', { ...GOOD, external_roles: ['tester'] }, 400, 'invalid_body', ['external_roles[0]']],
  ['a text as external_roles', { ...GOOD, external_roles: 'code_writer' }, 400, 'invalid_body', ['external_roles']],
  ['coverage_min as a text', { ...GOOD, coverage_min: '90' }, 400, 'invalid_body', ['coverage_min']],
  ['coverage_min over 100', { ...GOOD, coverage_min: 101 }, 400, 'invalid_body', ['coverage_min']],
  ['unknown fields', { ...GOOD, requirement: 'x', priority: 1 }, 400, 'invalid_body', ['requirement', 'priority']],
  ['several faults', { ...GOOD, user_id: '', model: 7, x: 1 }, 400, 'invalid_body', ['user_id', 'model', 'x']],
  ['a model of another provider', { ...GOOD, model: 'claude' }, 400, 'model_unavailable', ['model']],
  ['a text as source', { ...GOOD, source: 'https://git.example/a' }, 400, 'invalid_body', ['source']],
  ['an empty source', { ...GOOD, source: {} }, 400, 'invalid_body', ['source']],
  ['a ref of nothing', { ...GOOD, source: { ref: 'main' } }, 400, 'invalid_body', ['source']],
  [
    'an address and a path as source',
    { ...GOOD, source: { git_url: 'https://git.example/a', path: '/srv/a' } },
    400,
    'invalid_body',
    ['source'],
  ],
  [
    'every fault that a source can have',
    { ...GOOD, source: { git_url: 'file:///etc', path: 'a/../b', ref: '-x', branch: 'main' } },
    400,
    'invalid_body',
    ['source', 'source.git_url', 'source.path', 'source.ref', 'source.branch'],
  ],
  ['a number as git_url', { ...GOOD, source: { git_url: 7 } }, 400, 'invalid_body', ['source.git_url']],
  ['an empty model', { ...GOOD, model: '' }, 400, 'invalid_body', ['model']],
];

describe('a start with', () => {
  it.each(ROWS)('%s is refused with every fault, and nothing is started', async (_what, body, status, code, places) => {
    const api = await serve();
    const reply = await api.post('/api/workflows/shop/start', body);
    expect(reply.headers.get('content-type')).toContain('application/problem+json');
    expect({ status: reply.status, code: reply.body.code }).toEqual({ status, code });
    const faults = (reply.body.faults ?? []) as { at: string; fault: string }[];
    const shortened = faults.map(({ at }) => at);
    expect(shortened.map((at) => at.slice(0, 80)).sort()).toEqual(places.map((at) => at.slice(0, 80)).sort());
    expect(api.builds.started).toEqual([]);
    expect(api.artifacts.contents.size).toBe(0);
  });

  it('a project name with a control character is refused', async () => {
    const api = await serve();
    const reply = await api.post('/api/workflows/a%07b/start', GOOD);
    expect(reply.body).toMatchObject({ status: 400, code: 'invalid_body', faults: [{ at: 'project_id' }] });
  });

  it('models that no role can reach names each of them and the variable to set', async () => {
    const roles = { q_assistant: 'claude', code_writer: 'local', test_auditor: 'gpt-4' };
    const byRole = { ...roles, verification_overseer: 'gpt-4', release_manager: 'gpt-4' };
    const providers = { openai: { apiKey: 'sk-never-shown' } };
    const models = { byRole, fallbacks: ['claude-x'], providers };
    const api = await serve({
      settings: { activeTimeoutMs: 1, maxSendBacks: 1, coverageMin: 1, sources: NO_SOURCES, models },
    });
    const reply = await api.post('/api/workflows/shop/start', GOOD);
    expect(reply.body.code).toBe('model_unavailable');
    expect(reply.body.faults).toHaveLength(3);
    expect(reply.text).toContain('ANTHROPIC_API_KEY');
    expect(reply.text).not.toContain('sk-never-shown');
    expect(api.builds.started).toEqual([]);
  });

  it('a source with a password never repeats it', async () => {
    const api = await serve();
    const source = { git_url: 'https://ann:hidden-one@git.example/a' };
    const reply = await api.post('/api/workflows/shop/start', { ...GOOD, source });
    expect(reply.body).toMatchObject({ status: 400, faults: [{ at: 'source.git_url' }] });
    expect(reply.text + api.logged.join('')).not.toContain('hidden-one');
  });

  it('too much says how much it was, the rule and the remedy', async () => {
    const api = await serve();
    const reply = await api.post('/api/workflows/shop/start', { ...GOOD, requirements: 'r'.repeat(300_000) });
    expect(reply.body.detail).toMatch(/300002 bytes.*262144.*Shorten/);
  });
});
