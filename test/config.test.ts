import { describe, expect, it } from 'vitest';
import { sha256 } from '../src/api-keys.ts';
import { readConfig } from '../src/config.ts';
import { AppError } from '../src/errors.ts';

function faultsOf(environment: Record<string, string>): string[] {
  try {
    readConfig(environment);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'config_invalid') throw error;
    return (error.details.faults ?? []).map(({ at, fault }) => `${at} ${fault}`);
  }
  return [];
}

describe('who may call the API', () => {
  it('is this machine alone by default, without keys and pages of others', () => {
    expect(readConfig({}).api).toEqual({
      host: '127.0.0.1',
      port: 3000,
      fixed: false,
      keys: [],
      rateLimitPerS: 100,
      corsOrigins: [],
      publicUrl: null,
    });
  });

  it('is read from API_KEYS, RATE_LIMIT_PER_S and CORS_ORIGINS', () => {
    const { api } = readConfig({
      HOST: '0.0.0.0',
      API_KEYS: 'ci:secret-of-ci,web(read-only;project=shop):secret-of-web',
      RATE_LIMIT_PER_S: '7',
      CORS_ORIGINS: 'https://shop.example, http://localhost:5173',
    });
    expect(api.keys).toEqual([
      { name: 'ci', secretSha256: sha256('secret-of-ci'), projects: null, readOnly: false },
      { name: 'web', secretSha256: sha256('secret-of-web'), projects: ['shop'], readOnly: true },
    ]);
    expect(api).toMatchObject({ rateLimitPerS: 7, corsOrigins: ['https://shop.example', 'http://localhost:5173'] });
  });

  it('is told to people by PUBLIC_URL', () => {
    expect(readConfig({ PUBLIC_URL: 'https://builds.example/q/' }).api.publicUrl).toBe('https://builds.example/q');
    expect(faultsOf({ PUBLIC_URL: 'builds.example' })).toEqual([expect.stringMatching(/^PUBLIC_URL must be a URL/)]);
  });

  it('is everybody of this machine where the values are empty', () => {
    const { api } = readConfig({ API_KEYS: '', RATE_LIMIT_PER_S: '', CORS_ORIGINS: '' });
    expect(api).toMatchObject({ keys: [], rateLimitPerS: 100, corsOrigins: [] });
  });

  it.each(['0', '-1', '1.5', 'many', '1000001'])('cannot be limited to %s calls a second', (RATE_LIMIT_PER_S) => {
    expect(faultsOf({ RATE_LIMIT_PER_S })).toEqual([expect.stringMatching(/^RATE_LIMIT_PER_S must be /)]);
  });

  it('is never every page, with keys or without', () => {
    const fault = expect.stringMatching(/^CORS_ORIGINS .*every origin is not taken/);
    expect(faultsOf({ CORS_ORIGINS: '*' })).toEqual([fault]);
    expect(faultsOf({ CORS_ORIGINS: '*', API_KEYS: 'ci:secret-of-ci' })).toEqual([fault]);
  });

  it.each(['0.0.0.0', '::', 'builds.example', '127.0.0.2'])('needs keys on the host %s', (HOST) => {
    expect(faultsOf({ HOST })).toEqual([expect.stringMatching(/^HOST .*is not loopback: set API_KEYS/)]);
    expect(faultsOf({ HOST, API_KEYS: 'ci:secret-of-ci' })).toEqual([]);
  });

  it.each(['127.0.0.1', 'localhost', '::1'])('needs no keys on the host %s', (HOST) => {
    expect(faultsOf({ HOST })).toEqual([]);
  });

  it('has all its faults told at once, without a secret', () => {
    const faults = faultsOf({
      HOST: '0.0.0.0',
      API_KEYS: 'ci:short,ann(admin):secret-of-ann',
      RATE_LIMIT_PER_S: 'many',
      CORS_ORIGINS: '*,https://ann:hidden@shop.example',
    });
    const names = faults.map((fault) => fault.slice(0, fault.indexOf(' ')));
    expect(names).toEqual(['API_KEYS', 'API_KEYS', 'RATE_LIMIT_PER_S', 'CORS_ORIGINS', 'CORS_ORIGINS']);
    expect(faults.join('\n')).not.toMatch(/short|secret-of|hidden/);
  });
});

describe('how programs of builds are run', () => {
  const FAULT = expect.stringMatching(/^SANDBOX "off" beside \w+ lets files .*SANDBOX_OFF_CONFIRMED=yes$/);

  it('is in a sandbox, where nothing else is said', () => {
    expect(readConfig({}).sandbox).toEqual({ mode: 'required' });
    expect(readConfig({ OPENAI_API_KEY: 'a-key', SANDBOX_OFF_CONFIRMED: 'yes' }).sandbox).toEqual({ mode: 'required' });
  });

  it('is without one, for files of the simulated model alone, where SANDBOX=off', () => {
    expect(readConfig({ SANDBOX: 'off' }).sandbox).toEqual({ mode: 'off', offConfirmed: false });
  });

  it.each(['OPENAI_API_KEY', 'OPENAI_BASE_URL', 'ANTHROPIC_API_KEY', 'ANTHROPIC_BASE_URL', 'LOCAL_MODEL_BASE_URL'])(
    'is not without one beside %s, unless that is confirmed',
    (name) => {
      const environment = { [name]: name.endsWith('_URL') ? 'https://models.example' : 'a-key', SANDBOX: 'off' };
      expect(faultsOf(environment)).toEqual([FAULT]);
      const confirmed = { ...environment, SANDBOX_OFF_CONFIRMED: 'yes' };
      expect(readConfig(confirmed).sandbox).toEqual({ mode: 'off', offConfirmed: true });
    },
  );

  it('is told with all other faults at once', () => {
    const faults = faultsOf({ SANDBOX: 'off', OPENAI_API_KEY: 'a-key', COVERAGE_MIN: 'all', HOST: '0.0.0.0' });
    expect(faults).toEqual([expect.stringMatching(/^COVERAGE_MIN/), expect.stringMatching(/^HOST/), FAULT]);
  });

  it.each([
    [{ SANDBOX: 'on' }, /^SANDBOX must be one of required, off$/],
    [{ SANDBOX_OFF_CONFIRMED: 'true' }, /^SANDBOX_OFF_CONFIRMED must be "yes", or not be set$/],
  ])('is not said by %j', (environment, fault) => {
    expect(faultsOf(environment)).toEqual([expect.stringMatching(fault)]);
  });
});

describe('from where builds take their code', () => {
  it('is wherever the one person may read who has the product to themselves', () => {
    const { sources, dataDir, artifactsDir } = readConfig({ ARTIFACTS_DIR: '/srv/artifacts' });
    expect(sources).toMatchObject({ paths: 'any', privateAddresses: true });
    expect(sources.ownPaths).toEqual(expect.arrayContaining([dataDir, artifactsDir]));
  });

  it.each([
    ['keys', { API_KEYS: 'ci:secret-of-ci' }],
    ['a Temporal that others may use', { TEMPORAL_ADDRESS: 'temporal:7233' }],
  ])('is nowhere on this machine and in its network with %s, unless the operator says so', (_what, shape) => {
    expect(readConfig(shape).sources).toMatchObject({ paths: [], privateAddresses: false });
    const said = { SOURCE_PATHS: '/srv/repos, /home/ann', SOURCE_PRIVATE_ADDRESSES: 'allowed' };
    expect(readConfig({ ...shape, ...said }).sources).toMatchObject({
      paths: ['/srv/repos', '/home/ann'],
      privateAddresses: true,
    });
  });

  it('can be less for one person too', () => {
    const { sources } = readConfig({ SOURCE_PATHS: '/srv/repos', SOURCE_PRIVATE_ADDRESSES: 'refused' });
    expect(sources).toMatchObject({ paths: ['/srv/repos'], privateAddresses: false });
  });

  it('has all its faults told at once', () => {
    expect(faultsOf({ SOURCE_PATHS: 'repos,/srv', SOURCE_PRIVATE_ADDRESSES: 'yes' })).toEqual([
      expect.stringMatching(/^SOURCE_PATHS must be absolute paths/),
      expect.stringMatching(/^SOURCE_PRIVATE_ADDRESSES must be allowed or refused/),
    ]);
  });
});
