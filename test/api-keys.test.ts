import { describe, expect, it } from 'vitest';
import { readApiKeys, sha256 } from '../src/api-keys.ts';

describe('API_KEYS', () => {
  it('are name:secret pairs of which only the hash of the secret is kept', () => {
    const read = readApiKeys('ci:secret-of-ci, ann:with:colons');
    expect(read.faults).toEqual([]);
    expect(read.keys).toEqual([
      { name: 'ci', secretSha256: sha256('secret-of-ci'), projects: null, readOnly: false },
      { name: 'ann', secretSha256: sha256('with:colons'), projects: null, readOnly: false },
    ]);
    expect(JSON.stringify(read)).not.toContain('secret-of-ci');
  });

  it('may be bound to projects and to reading', () => {
    const { keys } = readApiKeys(
      'a(project=shop;project=web):12345678,b(read-only):abcdefgh,c(read-only; project=x):qwertyui',
    );
    expect(keys.map(({ name, projects, readOnly }) => [name, projects, readOnly])).toEqual([
      ['a', ['shop', 'web'], false],
      ['b', null, true],
      ['c', ['x'], true],
    ]);
  });

  it.each([
    ['no name', ':12345678', /name:secret/],
    ['no colon', '12345678', /name:secret/],
    ['an unknown scope', 'a(admin):12345678', /only these scopes/],
    ['a project without a name', 'a(project=):12345678', /only these scopes/],
    ['an empty scope', 'a():12345678', /only these scopes/],
    ['a short secret', 'a:1234567', /8 visible/],
    ['a secret with a space', 'a:1234 5678', /8 visible/],
    ['a long name', `${'n'.repeat(101)}:12345678`, /1 to 100/],
    ['a name twice', 'a:12345678,a:abcdefgh', /each once/],
    ['a secret twice', 'a:12345678,b:12345678', /each once/],
  ])('with %s are refused by the rule, without the value', (_what, text, rule) => {
    const { faults } = readApiKeys(text);
    expect(faults.join('; ')).toMatch(rule);
    expect(faults.join('; ')).not.toContain('1234');
  });

  it('have all their faults listed at once', () => {
    expect(readApiKeys('a(admin):short,b').faults).toHaveLength(3);
  });
});
