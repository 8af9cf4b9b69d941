import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { PROJECT_DIR, readComposeFile, serviceOf } from '../../deploy/compose-file.ts';
import { readDockerfile } from '../../deploy/dockerfile.ts';
import { callerOf } from '../fixtures/api.ts';
import { type Image, makeImage } from '../fixtures/image.ts';
import { startProcess, type TestProcess } from '../fixtures/process.ts';

/** Nobody listens there. */
const NOWHERE = { DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/none', TEMPORAL_ADDRESS: '127.0.0.1:1' };
const MAKING_DEADLINE_MS = 10 * 60_000;

let folder: string;
let image: Image;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'q-orchestrator-image-'));
  image = await makeImage(folder);
}, MAKING_DEADLINE_MS);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Starts a service of the compose file in the image, with the image's environment and servers that are away. */
function start(service: string): TestProcess {
  const [entry = ''] = (serviceOf(readComposeFile(), service).command ?? []).slice(-1);
  const { PATH = '' } = process.env;
  const own = { PATH, HOME: '/nonexistent', PORT: '0', ...NOWHERE };
  const started = startProcess(entry, { ...image.env, ...own }, [], image.workdir);
  onTestFinished(() => started.kill());
  return started;
}

const inImage = (path: string): string => join(image.workdir, path);
const bundles = (): string[] => readdirSync(inImage('cache/q-orchestrator/bundles'));

describe('the image', () => {
  it('is made by the steps of the Dockerfile, but those that need the rights of a container', () => {
    expect(image.skipped.map((step) => step.split(' ')[0])).toEqual(['apt-get', 'install']);
  });

  it('has what production needs, and neither development dependencies, tests nor the history', () => {
    const lock = JSON.parse(readFileSync(`${PROJECT_DIR}package-lock.json`, 'utf8'));
    const { dependencies, devDependencies } = JSON.parse(readFileSync(`${PROJECT_DIR}package.json`, 'utf8'));
    const isThere = (name: string): boolean => existsSync(inImage(`node_modules/${name}`));
    expect(Object.keys(dependencies).filter((name) => !isThere(name))).toEqual([]);
    // Some of both kinds are also needed by what production needs.
    const unwanted = Object.keys(devDependencies).filter((name) => {
      const { dev = false, devOptional = false } = lock.packages[`node_modules/${name}`];
      return dev || devOptional;
    });
    expect(unwanted.length).toBeGreaterThan(8);
    expect(unwanted.filter(isThere)).toEqual([]);
    const expected = [
      '.npmrc',
      'cache',
      'dist',
      'node_modules',
      'package-lock.json',
      'package.json',
      'prisma',
      'scripts',
      'src',
    ];
    expect(readdirSync(image.workdir).sort()).toEqual(expected);
  });

  it('can be read by a user who owns nothing of it', () => {
    const entries = readdirSync(image.workdir, { recursive: true, withFileTypes: true });
    expect(entries.length).toBeGreaterThan(1000);
    const closed = entries
      .filter((entry) => !entry.isSymbolicLink())
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((path) => {
        const stat = statSync(path);
        const needed = stat.isDirectory() ? 0o005 : 0o004;
        return (stat.mode & needed) !== needed;
      });
    expect(closed).toEqual([]);
  });

  it('starts an API that says it is alive, and not ready, where nothing answers; its health check sees that', async () => {
    const api = start('api');
    await api.says('The API is up on http');
    const [, url = ''] = /The API is up on (\S+)/.exec(api.output()) ?? [];
    expect(await callerOf(url).get('/healthz')).toMatchObject({ status: 200 });
    expect(await callerOf(url).get('/readyz')).toMatchObject({ status: 503 });
    expect(await healthCheck(url)).toBe(0);
    expect(await api.stop('SIGTERM')).toBe(143);
    expect(await healthCheck(url)).toBe(1);
  });

  it('starts a worker without bundling', async () => {
    const before = bundles();
    expect(before).toEqual([expect.stringMatching(/^[0-9a-f]{32}\.js$/)]);
    expect(readdirSync(inImage('cache'))).toEqual(['q-orchestrator']);
    const worker = start('worker');
    await worker.says('Temporal does not answer yet');
    expect(bundles()).toEqual(before);
    expect(await worker.stop('SIGTERM')).toBe(143);
  });

  it('starts a migration, which ends by itself and says what is wrong', async () => {
    const migrate = start('migrate');
    expect(await migrate.ended).toBe(1);
    expect(migrate.output()).toContain('PostgreSQL at 127.0.0.1:1/none cannot be used: ECONNREFUSED');
  });
});

/** The exit code of the image's HEALTHCHECK, asked of an API on another port. */
async function healthCheck(url: string): Promise<number> {
  const steps = readDockerfile().at(-1)?.steps ?? [];
  const { text = '' } = steps.find(({ instruction }) => instruction === 'HEALTHCHECK') ?? {};
  const [, ...args] = JSON.parse(text.slice(text.indexOf('['))) as string[];
  const asked = args.map((word) => word.replace('http://127.0.0.1:3000', url));
  return await promisify(execFile)(process.execPath, asked).then(
    () => 0,
    ({ code }: { code: number }) => code,
  );
}
