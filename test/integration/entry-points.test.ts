import { existsSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { ROLES } from '../../src/machine/states.ts';
import { choosePort } from '../../src/stack/ports.ts';
import { isAlive } from '../../src/stack/process-identity.mjs';
import { startFakeModel } from '../fakes/model.ts';
import { tempFolder } from '../stack/temp-folder.ts';
import { type Caller, callerOf } from './fixtures/api.ts';
import { CLAIMS, startBuild, until } from './fixtures/builds.ts';
import { startProcess, type TestProcess } from './fixtures/process.ts';
import { sandboxEnvironment } from './fixtures/sandbox.ts';
import { createSharedDatabase } from './fixtures/shared-servers.ts';
import { startTestStack, type TestStack } from './fixtures/stack.ts';
import { serversOf, sql, usedDataDir } from './stack/probes.ts';

const EXTERNAL = { external_roles: ROLES };
/** 10 s are promised from the command to its end: so a server is given less, and the answer says how much. */
const GIVEN_SECONDS = /within [1-8] s/;

const processes: TestProcess[] = [];
afterEach(async () => {
  for (const one of processes.splice(0)) await one.kill();
});

/** An environment as a new user has it, with a data directory of its own and the caches of this machine. */
function environment(more: Record<string, string> = {}): Record<string, string> {
  const { PATH = '', HOME = '', XDG_CACHE_HOME, TEMPORAL_CLI } = process.env;
  const cache = { ...(XDG_CACHE_HOME ? { XDG_CACHE_HOME } : {}), ...(TEMPORAL_CLI ? { TEMPORAL_CLI } : {}) };
  return { PATH, HOME, ...cache, DATA_DIR: tempFolder(), PORT: '0', LOG_LEVEL: 'warn', ...more };
}

/** The same of a user who has started it before. */
async function laterEnvironment(more: Record<string, string> = {}): Promise<Record<string, string>> {
  return environment({ DATA_DIR: await usedDataDir(), ...more });
}

function run(entry: string, env: Record<string, string>, args: readonly string[] = []): TestProcess {
  const started = startProcess(entry, env, args);
  processes.push(started);
  return started;
}

async function apiOf(process_: TestProcess): Promise<Caller> {
  await process_.says('The API is up on http');
  return callerOf(/The API is up on (\S+)/.exec(process_.output())?.[1] ?? '');
}

function expectNothingLeft(dataDir: string, servers: readonly number[]): void {
  expect(servers.filter(isAlive)).toEqual([]);
  expect(serversOf(dataDir).filter(isAlive)).toEqual([]);
  expect(existsSync(join(dataDir, 'stack.lock'))).toBe(false);
}

async function listening(server: Server, port = 0): Promise<number> {
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => sockets.add(socket));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** Takes connections and never says a word: the slowest way not to answer. */
const silentPort = (): Promise<number> => listening(createServer((socket) => socket.on('error', () => undefined)));

/** Where a configured server does not answer, and how a test finds such a port. */
const DEAD_PORTS: readonly [string, () => Promise<number>][] = [
  ['refuses', async () => 1],
  ['takes connections and says nothing', silentPort],
];

/** A server that appears on a port: what comes there goes to another address. */
const forward = (port: number, target: string): Promise<number> =>
  listening(
    createServer((near) => {
      const { hostname, port: to } = new URL(`tcp://${target}`);
      const far = connect(Number(to), hostname);
      near.on('error', () => far.destroy()).pipe(far);
      far.on('error', () => near.destroy()).pipe(near);
    }),
    port,
  );

/** It must end by itself, with exit code 1 and without a stack trace. */
async function refusalOf(started: TestProcess): Promise<string> {
  expect(await started.ended, started.output()).toBe(1);
  expect(started.output()).not.toMatch(/^\s+at .*:\d+:\d+/m);
  return started.output();
}

const databaseAt = (port: number): string => `postgresql://someone:s3cret%21@127.0.0.1:${port}/mirror`;

describe('npm start', () => {
  it('starts what it needs, serves, builds, and leaves no process behind after Ctrl-C', async () => {
    const env = environment();
    const main = run('scripts/run.mjs', env, ['src/main.ts']);
    const api = await apiOf(main);
    const servers = serversOf(env.DATA_DIR ?? '');
    expect(servers.filter(isAlive)).toHaveLength(4);
    await main.says('builds are played by the simulated model');
    // A server that is slow to answer on a busy machine counts as away.
    const ready = await until('readiness', async () => {
      const { status, body } = await api.get('/readyz');
      return status === 200 && body;
    });
    expect(ready).toEqual({ status: 'ready', temporal: true, mirror: true });
    const id = await api.start({ requirements: 'a function that slugifies titles' });
    expect(await api.untilState(id, 'complete')).toMatchObject({ status: 'complete', simulated: true });
    expect(await main.stop('SIGINT')).toBe(130);
    expectNothingLeft(env.DATA_DIR ?? '', servers);
  });

  it('whose command was killed with kill -9 does not run on by itself: it stops in order', async () => {
    const env = await laterEnvironment();
    const main = run('scripts/run.mjs', env, ['src/main.ts']);
    await apiOf(main);
    const servers = serversOf(env.DATA_DIR ?? '');
    process.kill(main.pid, 'SIGKILL');
    await main.ended;
    expectNothingLeft(env.DATA_DIR ?? '', servers);
  });

  it('killed and started again, has the builds that were not finished, and they can be', async () => {
    const env = await laterEnvironment();
    const first = run('src/main.ts', env);
    const before = await apiOf(first);
    const id = await before.start(EXTERNAL);
    expect(await before.claim(id, 'discovery')).toMatchObject({ status: 200 });
    const servers = serversOf(env.DATA_DIR ?? '');
    await first.kill();
    const second = run('src/main.ts', env);
    const api = await apiOf(second);
    expect(servers.filter(isAlive)).toEqual([]);
    expect(await api.untilState(id, 'planning')).toMatchObject({ completed_phases: ['discovery'] });
    for (const phase of Object.keys(CLAIMS).slice(1)) expect(await api.claim(id, phase)).toMatchObject({ status: 200 });
    await api.untilOver(id);
    const { events } = (await api.read(`/api/workflows/${id}/history`)).body;
    expect((events as { seq: number }[]).map(({ seq }) => seq)).toEqual(Array.from({ length: 18 }, (_, i) => i + 1));
    expect(await second.stop('SIGTERM')).toBe(143);
    expectNothingLeft(env.DATA_DIR ?? '', servers);
  });

  it('on a port that is taken says so, and stops what it had started', async () => {
    const port = String(await listening(createServer()));
    const env = await laterEnvironment({ PORT: port });
    const main = run('src/main.ts', env);
    await main.says('Temporal is up');
    const servers = serversOf(env.DATA_DIR ?? '');
    expect(await refusalOf(main)).toMatch(new RegExp(`PORT.*${port}|${port}.*PORT`));
    expectNothingLeft(env.DATA_DIR ?? '', servers);
  });

  it.each(DEAD_PORTS)(
    'with a DATABASE_URL that %s ends soon with the remedy and without the password',
    async (_, place) => {
      const env = await laterEnvironment({ DATABASE_URL: databaseAt(await place()) });
      const told = await refusalOf(run('src/main.ts', env));
      expect(told).toMatch(/DATABASE_URL|PostgreSQL/);
      expect(told).toMatch(GIVEN_SECONDS);
      expect(told).toContain('someone@127.0.0.1');
      expect(told).not.toContain('s3cret');
      expectNothingLeft(env.DATA_DIR ?? '', []);
    },
  );

  it.each(DEAD_PORTS)('with a TEMPORAL_ADDRESS that %s ends soon with the remedy', async (_, place) => {
    const TEMPORAL_ADDRESS = `127.0.0.1:${await place()}`;
    const env = await laterEnvironment({ TEMPORAL_ADDRESS });
    const told = await refusalOf(run('src/main.ts', env));
    expect(told).toContain(`TEMPORAL_ADDRESS=${TEMPORAL_ADDRESS}`);
    expect(told).toContain('unset TEMPORAL_ADDRESS');
    expect(told).toMatch(GIVEN_SECONDS);
    expectNothingLeft(env.DATA_DIR ?? '', []);
  });

  it('with a bad configuration lists every fault at once, repeats no secret and starts nothing', async () => {
    const env = environment({
      PORT: '99999',
      HOST: '0.0.0.0',
      ANTHROPIC_BASE_URL: 'someone:s3cret@nowhere',
      DATABASE_URL: 'mysql://someone:s3cret@db/x',
      TEMPORAL_ADDRESS: 'nowhere',
      TEMPORAL_TLS_CERT: 'client.pem',
      WORKFLOW_TIMEOUT: '0',
      COVERAGE_MIN: 'all',
      LOG_LEVEL: 'loud',
    });
    const told = await refusalOf(run('src/main.ts', env));
    for (const name of [
      'PORT',
      'HOST',
      'ANTHROPIC_BASE_URL',
      'DATABASE_URL',
      'TEMPORAL_ADDRESS',
      'TEMPORAL_TLS_CERT',
      'WORKFLOW_TIMEOUT',
      'COVERAGE_MIN',
      'LOG_LEVEL',
    ]) {
      expect(told).toMatch(new RegExp(`^  ${name} `, 'm'));
    }
    expect(told).not.toContain('s3cret');
    expect(serversOf(env.DATA_DIR ?? '')).toEqual([]);
  });

  it('with a DATA_DIR that cannot be written says so with the remedy', async () => {
    const file = join(tempFolder(), 'file');
    writeFileSync(file, '');
    const told = await refusalOf(run('src/main.ts', environment({ DATA_DIR: join(file, 'data') })));
    expect(told).toContain(`DATA_DIR=${join(file, 'data')}`);
    expect(told).toContain('set DATA_DIR to a folder');
  });
});

describe('an argument', () => {
  it.each(['src/main.ts', 'src/migrate.ts'])('is refused by %s, which starts nothing', async (entry) => {
    const env = environment();
    const started = run(entry, env, ['--dry-run']);
    expect(await started.ended, started.output()).toBe(2);
    expect(started.output()).toBe(
      '"--dry-run" is not known: this command takes no arguments. Settings are environment variables.\n',
    );
    expectNothingLeft(env.DATA_DIR ?? '', []);
  });
});

describe('against servers that are configured', () => {
  let test: TestStack;
  beforeAll(async () => {
    test = await startTestStack();
  });
  afterAll(() => test?.stop());

  it('npm start where no Temporal can be had names all that was tried and the remedies', async () => {
    // Nothing on PATH, nothing in the cache, and a proxy that keeps downloads from everywhere.
    const [nothing, nowhere] = [tempFolder(), 'http://127.0.0.1:1'];
    const cut = {
      PATH: nothing,
      XDG_CACHE_HOME: nothing,
      HTTPS_PROXY: nowhere,
      https_proxy: nowhere,
      ALL_PROXY: nowhere,
    };
    const { TEMPORAL_CLI: _, ...env } = environment({ DATABASE_URL: test.databaseUrl, ...cut });
    const main = run('src/main.ts', env);
    expect(await main.ended, main.output()).toBe(1);
    for (const part of ['temporal on PATH', 'the cache', 'SDK', 'go build', 'TEMPORAL_CLI', 'TEMPORAL_ADDRESS']) {
      expect(main.output()).toContain(part);
    }
    expect(main.output()).not.toMatch(/^\s+at .*:\d+:\d+/m);
  });

  it.each(['src/server.ts', 'src/worker.ts'])('%s without them names both variables', async (entry) => {
    const told = await refusalOf(run(entry, environment()));
    expect(told).toMatch(/^ {2}DATABASE_URL .*\n {2}TEMPORAL_ADDRESS /m);
    expect(told).toContain('npm start');
  });

  it('API and worker alone wait for servers that are away, and go on, migration included, when they appear', async () => {
    const fresh = await createSharedDatabase('empty');
    onTestFinished(fresh.drop);
    const [postgresPort, temporalPort] = [await choosePort(18_001), await choosePort(18_501)];
    const { TEMPORAL_NAMESPACE = '' } = test.env;
    const url = new URL(fresh.url);
    const target = url.host;
    url.port = String(postgresPort);
    const env = environment({
      DATABASE_URL: url.href,
      TEMPORAL_ADDRESS: `127.0.0.1:${temporalPort}`,
      TEMPORAL_NAMESPACE,
    });
    const [server, worker] = [run('src/server.ts', env), run('src/worker.ts', env)];
    const api = await apiOf(server);
    expect(await api.get('/readyz')).toMatchObject({ status: 503, body: { temporal: false, mirror: false } });
    expect(await api.get('/healthz')).toMatchObject({ status: 200 });
    await worker.says('Temporal does not answer yet');
    await Promise.all([server, worker].map((one) => one.says('the mirror is not ready yet')));
    await Promise.all([forward(postgresPort, target), forward(temporalPort, test.temporalAddress)]);
    await worker.says('The worker is up');
    await until('readiness', async () => (await api.get('/readyz')).status === 200);
    const id = await api.start();
    await api.untilOver(id);
    expect((await api.read(`/api/workflows/${id}/history`)).body).toMatchObject({ next_cursor: null });
    expect(await Promise.all([server.stop('SIGTERM'), worker.stop('SIGINT')])).toEqual([143, 130]);
  });

  it('a worker that waits for Temporal can be stopped', async () => {
    const env = environment({ DATABASE_URL: test.databaseUrl, TEMPORAL_ADDRESS: '127.0.0.1:1' });
    const worker = run('src/worker.ts', env);
    await worker.says('Temporal does not answer yet');
    expect(await worker.stop('SIGINT')).toBe(130);
    expect(worker.output()).not.toContain('The worker is up');
  });

  it('two workers share the builds', async () => {
    const model = await startFakeModel();
    onTestFinished(() => model.stop());
    const env = {
      ...(await sandboxEnvironment()),
      ...test.env,
      LOCAL_MODEL_BASE_URL: model.baseUrl,
      MODEL: 'local/model',
      LOG_LEVEL: 'warn',
    };
    const workers = [run('src/worker.ts', env), run('src/worker.ts', env)];
    await Promise.all(workers.map((one) => one.says('The worker is up')));
    const seen = new Set<number>();
    await until('work of both', async () => {
      const handles = await Promise.all(Array.from({ length: 6 }, () => startBuild(test)));
      for (const handle of handles) {
        expect(await handle.result()).toMatchObject({ status: 'complete' });
        for (const { activityTaskStartedEventAttributes: began } of (await handle.fetchHistory()).events ?? []) {
          if (began?.identity) seen.add(Number.parseInt(began.identity, 10));
        }
      }
      return workers.every(({ pid }) => seen.has(pid));
    });
    expect([...seen].sort()).toEqual(workers.map(({ pid }) => pid).sort());
  });

  it('npm run migrate brings an empty database up to date, and does nothing the second time', async () => {
    const { url, drop } = await createSharedDatabase('empty');
    onTestFinished(drop);
    for (const _ of [1, 2]) {
      const migrate = run('src/migrate.ts', environment({ DATABASE_URL: url }));
      expect(await migrate.ended, migrate.output()).toBe(0);
      expect(migrate.output()).toContain('The schema is up to date.');
    }
    expect(await sql(url, 'select count(*)::int from build_workflows')).toEqual([[0]]);
  });
});

describe('npm run migrate', () => {
  it('twice on the embedded database succeeds twice and leaves nothing that runs', async () => {
    const env = environment();
    for (const _ of [1, 2]) {
      const migrate = run('src/migrate.ts', env);
      expect(await migrate.ended, migrate.output()).toBe(0);
      expect(migrate.output()).toContain('The schema is up to date.');
      expectNothingLeft(env.DATA_DIR ?? '', []);
    }
  });

  it.each(DEAD_PORTS)('on a URL that %s ends soon with the remedy and without the password', async (_, place) => {
    const DATABASE_URL = databaseAt(await place());
    const told = await refusalOf(run('src/migrate.ts', environment({ DATABASE_URL })));
    expect(told).toContain('127.0.0.1');
    expect(told).not.toContain('s3cret');
  });
});
