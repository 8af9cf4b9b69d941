import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sha256 } from '../src/api-keys.ts';
import { readConfig, VARIABLE_NAMES } from '../src/config.ts';
import { AppError } from '../src/errors.ts';
import { tempFolder } from './stack/temp-folder.ts';

const VALUES = {
  API_KEYS: 'ci:secret-of-ci',
  DATABASE_URL: 'postgresql://someone:s3cret@db/mirror',
  TEMPORAL_API_KEY: 'temporal-s3cret',
  OPENAI_API_KEY: 'openai-s3cret',
  ANTHROPIC_API_KEY: 'anthropic-s3cret',
};
const NAMES = Object.keys(VALUES);

function secretFile(content: string | Uint8Array): string {
  const path = join(tempFolder(), 'secret');
  writeFileSync(path, content);
  return path;
}

/** The lines of the refusal; the message is checked to be made of them. */
function faultsOf(environment: Record<string, string>): string[] {
  try {
    readConfig(environment);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'config_invalid') throw error;
    const faults = (error.details.faults ?? []).map(({ at, fault }) => `${at} ${fault}`);
    expect(error.message).toBe(['The configuration cannot be used:', ...faults].join('\n  '));
    return faults;
  }
  return [];
}

describe('a secret in a file', () => {
  it.each(Object.entries(VALUES))('%s_FILE is as good as the variable itself', (name, value) => {
    const more = name === 'API_KEYS' ? { HOST: '0.0.0.0' } : {};
    const byFile = readConfig({ ...more, [`${name}_FILE`]: secretFile(value) });
    expect(byFile).toEqual(readConfig({ ...more, [name]: value }));
    expect(byFile).not.toEqual(readConfig({}));
  });

  it('may end with a newline, as editors and echo write it', () => {
    const { api } = readConfig({ API_KEYS_FILE: secretFile('ci:secret-of-ci\r\n') });
    expect(api.keys).toMatchObject([{ name: 'ci', secretSha256: sha256('secret-of-ci') }]);
  });

  it('may be behind a link, as orchestrators mount it', () => {
    const link = join(tempFolder(), 'link');
    symlinkSync(secretFile('key'), link);
    expect(readConfig({ TEMPORAL_API_KEY_FILE: link }).temporal.apiKey).toBe('key');
  });

  it('whose variable is empty is not given', () => {
    expect(readConfig(Object.fromEntries(NAMES.map((name) => [`${name}_FILE`, ''])))).toEqual(readConfig({}));
  });

  it('is checked like the variable, and its fault is told under the variable’s name', () => {
    const faults = faultsOf({ DATABASE_URL_FILE: secretFile('mysql://someone:s3cret@db/x') });
    expect(faults).toEqual([expect.stringMatching(/^DATABASE_URL must be a URL/)]);
  });
});

describe('a secret’s file is refused', () => {
  const cases: readonly [string, () => string, RegExp][] = [
    ['that is missing', () => join(tempFolder(), 's3cret'), /does not exist/],
    ['below what is no folder', () => join(secretFile('s3cret'), 's3cret'), /does not exist/],
    ['that cannot be read', () => loop(), /cannot be read \(ELOOP\)/],
    ['that is a folder', () => folder(), /must name a regular file/],
    ['that is a device, which might be waited for', () => '/dev/null', /must name a regular file/],
    ['that is empty', () => secretFile(''), /names an empty file/],
    ['of white space', () => secretFile(' \n\n'), /names an empty file/],
    ['that is too large', () => secretFile('s3cret'.repeat(11_000)), /more than 65536 bytes/],
    ['that is not text', () => secretFile(Uint8Array.of(0x73, 0xff, 0xfe)), /not UTF-8 text/],
  ];

  it.each(cases)('%s', (_, path, fault) => {
    const faults = faultsOf(Object.fromEntries(NAMES.map((name) => [`${name}_FILE`, path()])));
    expect(faults).toEqual(NAMES.map((name) => expect.stringMatching(new RegExp(`^${name}_FILE .*${fault.source}`))));
    expect(faults.join('\n')).not.toContain('s3cret');
  });

  it('beside the variable itself, whichever would be right', () => {
    const both = { OPENAI_API_KEY: 'openai-s3cret', OPENAI_API_KEY_FILE: secretFile('openai-s3cret') };
    expect(faultsOf(both)).toEqual(['OPENAI_API_KEY_FILE and OPENAI_API_KEY are both given: set one of them']);
  });

  it('with all other faults of the configuration, and without one that follows from it', () => {
    const faults = faultsOf({ HOST: '0.0.0.0', API_KEYS_FILE: '/nowhere', PORT: '99999', DATABASE_URL_FILE: folder() });
    expect(faults.map((fault) => fault.split(' ')[0])).toEqual(['API_KEYS_FILE', 'DATABASE_URL_FILE', 'PORT']);
  });

  it('without its content or its path, which may be the secret put in the wrong place', () => {
    const faults = faultsOf({ API_KEYS_FILE: 'ci:misplaced-s3cret', OPENAI_API_KEY_FILE: 'sk-misplaced-s3cret' });
    expect(faults).toHaveLength(2);
    expect(faults.join('\n')).not.toMatch(/s3cret/);
  });
});

it('is known by name for every secret', () => {
  expect(VARIABLE_NAMES).toEqual(expect.arrayContaining(NAMES.flatMap((name) => [name, `${name}_FILE`])));
  expect(new Set(VARIABLE_NAMES).size).toBe(VARIABLE_NAMES.length);
});

function folder(): string {
  const path = join(tempFolder(), 's3cret');
  mkdirSync(path);
  return path;
}

function loop(): string {
  const path = join(tempFolder(), 's3cret');
  symlinkSync(path, path);
  return path;
}
