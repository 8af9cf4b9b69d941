import { describe, expect, it } from 'vitest';
import { demoUsage, readDemoCommand } from '../../src/demo/options.ts';

describe('the command line of the demo', () => {
  it('builds something worth seeing by default', () => {
    expect(readDemoCommand([])).toEqual({
      kind: 'run',
      options: { requirements: expect.stringContaining('slugifies'), keep: false, paceMs: 300 },
    });
  });

  it('takes requirements, a pace and whether to stay up', () => {
    expect(readDemoCommand(['--requirements', 'a clock', '--keep', '--pace=0'])).toEqual({
      kind: 'run',
      options: { requirements: 'a clock', keep: true, paceMs: 0 },
    });
  });

  it.each([
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
