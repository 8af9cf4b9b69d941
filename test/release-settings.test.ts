import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
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

const GIT = { PUBLISH_TARGET: 'git', PUBLISH_GIT_REMOTE: 'https://git.example/team/shop.git' };
const COMMAND = { PUBLISH_TARGET: 'command', PUBLISH_COMMAND: '/opt/publish', UNPUBLISH_COMMAND: '/opt/unpublish' };
const HOOK = { NOTIFY_WEBHOOK_URL: 'https://hooks.example/x', NOTIFY_WEBHOOK_SECRET: 'sixteen-characters' };

describe('where releases go', () => {
  it('is a folder of DATA_DIR by default, and nobody is told', () => {
    const { releases, dataDir } = readConfig({});
    expect(releases).toEqual({
      releasesDir: join(dataDir, 'releases'),
      publishTarget: { kind: 'folder' },
      webhook: null,
    });
  });

  it('is what PUBLISH_TARGET says; programs find in their environment what is listed, and no more', () => {
    const tools = { PATH: '/bin', HOME: '/root', SSH_AUTH_SOCK: '/run/agent' };
    const { publishTarget } = readConfig({
      ...GIT,
      ...tools,
      OPENAI_API_KEY: 'sk-x',
      PUBLISH_GIT_TOKEN: 'ghp_x',
    }).releases;
    expect(publishTarget).toEqual({ kind: 'git', remote: GIT.PUBLISH_GIT_REMOTE, token: 'ghp_x', env: tools });
    expect(readConfig({ ...COMMAND, PUBLISH_DIR: '/srv/releases' }).releases).toMatchObject({
      releasesDir: '/srv/releases',
      publishTarget: { kind: 'command', publish: '/opt/publish', unpublish: '/opt/unpublish', env: {} },
    });
  });

  it.each([
    'git@git.example:team/shop.git',
    'git.example:shop.git',
    'ssh://git@git.example/shop.git',
    'file:///srv/shop.git',
    '/srv/shop.git',
  ])('may be the remote %s', (PUBLISH_GIT_REMOTE) => {
    expect(faultsOf({ ...GIT, PUBLISH_GIT_REMOTE })).toEqual([]);
  });

  it.each([
    ['https://ann:pw@git.example/x.git', /no credentials/],
    ['https://token@git.example/x.git', /no credentials/],
    ['ext::sh -c id', /must be a URL/],
    ['--upload-pack=id', /must be a URL/],
    ['relative/path', /must be a URL/],
    ['gopher://git.example/x', /must begin with/],
    ['https://git.example/x\n', /one line/],
  ])('is never the remote %j', (PUBLISH_GIT_REMOTE, fault) => {
    const [told = ''] = faultsOf({ ...GIT, PUBLISH_GIT_REMOTE });
    expect(told).toMatch(fault);
    expect(told).not.toContain('pw');
  });

  it('has all its faults told at once', () => {
    expect(faultsOf({ PUBLISH_TARGET: 'ftp' })).toEqual(['PUBLISH_TARGET must be one of folder, git, command']);
    expect(faultsOf({ PUBLISH_TARGET: 'git' })).toEqual(['PUBLISH_GIT_REMOTE must be set where PUBLISH_TARGET is git']);
    expect(faultsOf({ PUBLISH_TARGET: 'command' }).map((fault) => fault.split(' ')[0])).toEqual([
      'PUBLISH_COMMAND',
      'UNPUBLISH_COMMAND',
    ]);
    expect(faultsOf({ PUBLISH_COMMAND: 'x', UNPUBLISH_COMMAND: 'y' })).toEqual([
      expect.stringContaining('PUBLISH_COMMAND goes with PUBLISH_TARGET=command, which is folder'),
      expect.stringContaining('UNPUBLISH_COMMAND goes with'),
    ]);
    expect(faultsOf({ ...GIT, PUBLISH_GIT_REMOTE: '/srv/x.git', PUBLISH_GIT_TOKEN: 'ghp_x' })).toEqual([
      expect.stringContaining('PUBLISH_GIT_TOKEN is for remotes that begin with https'),
    ]);
  });
});

describe('who is told of a release', () => {
  it('is NOTIFY_WEBHOOK_URL, signed, and at no private address unless that is allowed', () => {
    const { webhook } = readConfig(HOOK).releases;
    expect(webhook).toEqual({ url: 'https://hooks.example/x', secret: 'sixteen-characters', privateAddresses: false });
    const allowed = readConfig({ ...HOOK, NOTIFY_PRIVATE_ADDRESSES: 'allowed' });
    expect(allowed.releases.webhook?.privateAddresses).toBe(true);
  });

  it.each([
    [{ NOTIFY_WEBHOOK_URL: HOOK.NOTIFY_WEBHOOK_URL }, /NOTIFY_WEBHOOK_SECRET goes together/],
    [{ NOTIFY_WEBHOOK_SECRET: HOOK.NOTIFY_WEBHOOK_SECRET }, /goes together/],
    [{ ...HOOK, NOTIFY_WEBHOOK_SECRET: 'short' }, /at least 16/],
    [{ ...HOOK, NOTIFY_WEBHOOK_URL: 'ftp://hooks.example' }, /must be a URL/],
    [{ ...HOOK, NOTIFY_PRIVATE_ADDRESSES: 'yes' }, /allowed or refused/],
  ])('has its faults told, without a secret: %j', (environment, fault) => {
    const told = faultsOf(environment as Record<string, string>);
    expect(told).toEqual([expect.stringMatching(fault)]);
    expect(told.join()).not.toContain('hooks.example');
  });

  it('counts a secret whose file cannot be read as given', () => {
    const faults = faultsOf({ NOTIFY_WEBHOOK_URL: HOOK.NOTIFY_WEBHOOK_URL, NOTIFY_WEBHOOK_SECRET_FILE: '/not/there' });
    expect(faults).toEqual([expect.stringContaining('NOTIFY_WEBHOOK_SECRET_FILE names a file that does not exist')]);
  });
});
