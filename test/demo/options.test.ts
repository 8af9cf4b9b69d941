import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { demoUsage, readDemoCommand } from '../../src/demo/options.ts';

describe('the command line of the demo', () => {
  it('builds something worth seeing by default', () => {
    expect(readDemoCommand([])).toEqual({
      kind: 'run',
      options: { requirements: expect.stringContaining('slugifies'), source: null, keep: false, paceMs: 300 },
    });
  });

  it('takes requirements, a pace and whether to stay up', () => {
    expect(readDemoCommand(['--requirements', 'a clock', '--keep', '--pace=0'])).toEqual({
      kind: 'run',
      options: { requirements: 'a clock', source: null, keep: true, paceMs: 0 },
    });
  });

  it.each([
    ['shop', { path: resolve('shop') }],
    ['/srv/shop', { path: '/srv/shop' }],
    ['https://git.example/shop.git', { git_url: 'https://git.example/shop.git' }],
    ['git@git.example:shop.git', { git_url: 'git@git.example:shop.git' }],
    // Sent as it is, so that the API can say what is wrong with it.
    ['file:///srv/shop', { git_url: 'file:///srv/shop' }],
  ])('takes "%s" as the code to begin with', (place, source) => {
    expect(readDemoCommand(['--source', place])).toMatchObject({ options: { source } });
    expect(readDemoCommand(['--source', place, '--ref', 'v1'])).toMatchObject({
      options: { source: { ...source, ref: 'v1' } },
    });
  });

  it.each([
    ['a ref of nothing', ['--ref', 'main']],
    ['an unknown option', ['--fast']],
    ['an argument that belongs to no option', ['a clock']],
    ['an option without its value', ['--requirements']],
    ['requirements that say nothing', ['--requirements', '  ']],
    ['a pace that is no number', ['--pace', 'slow']],
    ['a pace below zero', ['--pace=-1']],
    ['a pace that nobody would wait for', ['--pace', '60001']],
  ])('refuses %s and says why', (_, args) => {
    expect(readDemoCommand(args)).toEqual({ kind: 'wrong', fault: expect.stringMatching(/.{15}/) });
  });

  it('answers a call for help before anything else', () => {
    expect(readDemoCommand(['--help', '--pace', 'slow'])).toEqual({ kind: 'help' });
    expect(demoUsage(['a clock'])).toContain('  - a clock');
  });
});
