import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compiled } from '../../scripts/compile.mjs';
import { PROJECT_DIR, readComposeFile, serviceOf } from './compose-file.ts';
import { readDockerfile } from './dockerfile.ts';

const stages = readDockerfile();
const last = stages.at(-1)?.steps ?? [];
const textsOf = (instruction: string): string[] =>
  last.filter((step) => step.instruction === instruction).map(({ text }) => text);

describe('the image', () => {
  it('is made in stages of one pinned Debian with Node', () => {
    expect(stages.length).toBeGreaterThan(1);
    expect(new Set(stages.map(({ base }) => base))).toEqual(new Set([stages[0]?.base]));
    expect(stages[0]?.base).toMatch(/^node:20\.\d+\.\d+-\w+-slim$/);
  });

  it('runs as a user without rights, from a folder that is not its own', () => {
    expect(textsOf('USER')).toEqual(['node']);
    const afterUser = last.slice(last.findIndex(({ instruction }) => instruction === 'USER'));
    expect(afterUser.map(({ instruction }) => instruction)).not.toContain('COPY');
    expect(textsOf('COPY').filter((text) => text.includes('--chown'))).toEqual([]);
  });

  it('has a health check that ends by itself and asks the API on the port it has in the compose file', () => {
    const [check = ''] = textsOf('HEALTHCHECK');
    expect(check).toMatch(/--timeout=5s .*AbortSignal\.timeout\(3000\)/);
    expect(check).toContain(`http://127.0.0.1:${serviceOf(readComposeFile(), 'api').environment?.PORT}/healthz`);
  });

  it('starts Node itself, so that it gets the signals', () => {
    const sources = { api: 'src/server.ts', worker: 'src/worker.ts', migrate: 'src/migrate.ts' };
    const commands = Object.keys(sources).map((name) => serviceOf(readComposeFile(), name).command);
    expect(commands).toEqual(Object.values(sources).map((path) => ['node', '--enable-source-maps', compiled(path)]));
    expect(textsOf('CMD')).toEqual([JSON.stringify(commands[0]).replaceAll(',', ', ')]);
  });

  it('has what the sandbox needs that a slim Debian lacks', () => {
    expect(textsOf('RUN').join('\n')).toMatch(/apt-get install .*\bbubblewrap\b/);
  });

  it('is given nothing but what is named', () => {
    const [first, ...named] = readFileSync(`${PROJECT_DIR}.dockerignore`, 'utf8')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    expect(first).toBe('*');
    const copied = stages
      .flatMap(({ steps }) => steps)
      .filter(({ instruction, text }) => instruction === 'COPY' && !text.startsWith('--from='))
      .flatMap(({ text }) => text.split(/\s+/).slice(0, -1));
    const allowed = named.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
    expect([...new Set(copied)].sort()).toEqual(allowed.sort());
    for (const path of allowed) expect(existsSync(`${PROJECT_DIR}${path}`), path).toBe(true);
  });
});
