import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CompiledProgram, compileProgram } from './compiled-program.ts';

const SOURCE = new URL('packaged-program.ts', import.meta.url);

type Told = Readonly<{ isOne: boolean; loaded: string[]; stack: string; pino: string }>;

let program: CompiledProgram;
let told: Told;
beforeAll(async () => {
  program = await compileProgram(SOURCE);
  told = JSON.parse(execFileSync(process.execPath, ['--enable-source-maps', program.path], { encoding: 'utf8' }));
}, 60_000);
afterAll(() => program.remove());

describe('a program that is compiled with its packages', () => {
  it('loads none of them from where npm put them', () => {
    expect(told.loaded).toEqual([]);
    expect(told.pino).toMatch(/^\d+\./);
  });

  it('shares the SDK with what is loaded by its path', () => {
    expect(told.isOne).toBe(true);
  });

  it('names its sources in stack traces', () => {
    expect(told.stack).toContain(`${fileURLToPath(SOURCE)}:14:`);
  });
});
