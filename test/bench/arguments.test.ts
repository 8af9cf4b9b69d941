import { describe, expect, it } from 'vitest';
import { CASES, readArguments } from '../../bench/arguments.ts';

describe('the arguments of the bench', () => {
  it('ask for every case, in full, unless they say otherwise', () => {
    const given = readArguments([]);
    expect(given).toMatchObject({ quick: false, jsonFile: null, profileDir: null });
    expect([...given.cases]).toEqual([...CASES]);
  });

  it('choose cases, in whatever order they are named', () => {
    const given = readArguments(['--quick', '--only', 'crash, latency', '--json', 'figures.json']);
    expect(given.quick).toBe(true);
    expect([...given.cases].sort()).toEqual(['crash', 'latency']);
    expect(given.jsonFile).toBe('figures.json');
  });

  it('are refused with the usage when they name no case of the bench', () => {
    expect(() => readArguments(['--only', 'latency,speed'])).toThrow(/speed.*npm run bench/);
    expect(() => readArguments(['--fast'])).toThrow('--fast');
  });
});
