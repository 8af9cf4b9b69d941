import { describe, expect, it } from 'vitest';
import { gitUrlFault, isSource, refFault, sourcePathFault } from '../../src/machine/source.ts';

describe('the address of a repository', () => {
  it.each([
    'https://git.example/team/shop.git',
    'http://git.example:8080/shop',
    'https://[::1]:8443/shop.git',
    'ssh://git@git.example:22/team/shop.git',
    'ssh://git.example/shop.git',
    'git://git.example/shop.git',
    'git@git.example:team/shop.git',
    'git.example:shop.git',
    'git.example:/srv/shop.git',
  ])('%s is taken', (url) => {
    expect(gitUrlFault(url)).toBeNull();
  });

  it.each([
    ['nothing', '', /1 to 2000 characters/],
    ['a text that is too long', `https://git.example/${'a'.repeat(2000)}`, /1 to 2000 characters/],
    ['a line break', 'https://git.example/a\nb', /control characters/],
    ['an option', '--upload-pack=touch', /must be https/],
    ['a file address', 'file:///etc', /must be https/],
    ['an upper case scheme, which git reads otherwise', 'HTTPS://git.example/a', /must be https/],
    ['a helper program of git', 'ext::sh -c true', /must be https/],
    ['a helper program with an address', 'ext::https://git.example/a', /must be https/],
    ['a host that ssh takes for an option', 'ssh://-oProxyCommand=touch/a', /must be https/],
    ['a host that ssh takes for an option, in short', 'git@-oProxyCommand=touch:a', /must be https/],
    ['a user that ssh takes for an option', 'ssh://-l@git.example/a', /must be https/],
    ['a path that git takes for an option', 'git.example:-a', /must be https/],
    ['no host', 'https:///a', /must be https/],
    ['no path', 'https://git.example', /must be https/],
    ['a local path', './shop', /must be https/],
    ['a space', 'https://git.example/a b', /must be https/],
    ['a backslash', 'https://git.example\\@other.example/a', /must be https|credentials/],
    ['a user and password', 'https://ann:hidden@git.example/a', /no credentials/],
    ['a token in the place of the user', 'https://hidden@git.example/a', /no credentials/],
    ['a password for ssh', 'ssh://git:hidden@git.example/a', /no credentials/],
    ['a password with signs of its own', 'https://ann:hid/den@git.example/a', /no credentials|must be https/],
    ['a token in a query', 'https://git.example/a?token=hidden', /without query/],
    ['a fragment', 'https://git.example/a#hidden', /without query or fragment/],
  ])('with %s is refused, and never repeated', (_what, url, fault) => {
    expect(gitUrlFault(url)).toMatch(fault);
    expect(gitUrlFault(url)).not.toMatch(/hidden/);
  });
});

describe('the path of a repository', () => {
  it.each(['/home/ann/shop', '/srv/repos/shop.git', '/home/ann/with space/ä'])('%s is taken', (path) => {
    expect(sourcePathFault(path)).toBeNull();
  });

  it.each([
    ['nothing', '', /1 to 4000/],
    ['NUL', '/home/a\0b', /control/],
    ['a place that depends on the worker', 'shop', /absolute/],
    ['an option', '-u', /absolute/],
    ['a way up', '/srv/repos/../../etc', /"\.\."/],
  ])('with %s is refused', (_what, path, fault) => {
    expect(sourcePathFault(path)).toMatch(fault);
  });
});

describe('a ref', () => {
  it.each(['main', 'feature/slugs', 'v1.2.3', 'refs/heads/main', '0123456789abcdef0123456789abcdef01234567'])(
    '%s is taken',
    (ref) => {
      expect(refFault(ref)).toBeNull();
    },
  );

  it.each([
    '',
    'a'.repeat(251),
    '-b',
    'a b',
    'a\tb',
    'main~1',
    'main^',
    'a:b',
    'a?',
    'a*',
    'a[b',
    'a\\b',
    'a..b',
    'main@{1}',
    '@',
    '/a',
    'a/',
    'a//b',
    'a.',
    '.a',
    'a/.b',
    'a.lock',
    'a.lock/b',
  ])('%j is refused', (ref) => {
    expect(refFault(ref)).toMatch(/must/);
  });
});

describe('what a build is started from', () => {
  it('is an address or a path, with or without a ref', () => {
    expect(isSource({ kind: 'git', url: 'https://git.example/a', ref: 'main' })).toBe(true);
    expect(isSource({ kind: 'path', path: '/srv/a', ref: null })).toBe(true);
  });

  it.each([
    null,
    'https://git.example/a',
    { kind: 'git', url: 'https://git.example/a' },
    { kind: 'git', path: '/srv/a', ref: null },
    { kind: 'git', url: '--upload-pack=x', ref: null },
    { kind: 'path', path: 'a', ref: null },
    { kind: 'path', path: '/srv/a', ref: '--help' },
    { kind: 'other', path: '/srv/a', ref: null },
  ])('is never %j', (given) => {
    expect(isSource(given)).toBe(false);
  });
});
