import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { readConfig, VARIABLE_NAMES } from '../../src/config.ts';
import { TOOL_VARIABLES } from '../../src/release-settings.ts';
import { SEARCH_ATTRIBUTES } from '../../src/workflows/messages.ts';
import { tempFolder } from '../stack/temp-folder.ts';
import { PROJECT_DIR, readComposeFile, type Service, serviceOf } from './compose-file.ts';
import { imageEnvironment } from './dockerfile.ts';

const file = readComposeFile();
const services = Object.entries(file.services);
const PRODUCT = ['api', 'worker', 'migrate'];
const SECRETS = 'given by file';

/** What src/config.ts reads and no container is given, and why. */
const LEFT_OUT: Readonly<Record<string, string>> = {
  API_KEYS: SECRETS,
  DATABASE_URL: SECRETS,
  OPENAI_API_KEY: SECRETS,
  ANTHROPIC_API_KEY: SECRETS,
  TEMPORAL_API_KEY: 'this Temporal knows no keys: it is reached from the inner network alone',
  TEMPORAL_API_KEY_FILE: 'as TEMPORAL_API_KEY',
  TEMPORAL_TLS_CA: 'the inner network needs no TLS',
  TEMPORAL_TLS_CERT: 'as TEMPORAL_TLS_CA',
  TEMPORAL_TLS_KEY: 'as TEMPORAL_TLS_CA',
  TEMPORAL_TLS_SERVER_NAME: 'as TEMPORAL_TLS_CA',
  TEMPORAL_CLI: 'no server is embedded',
  SANDBOX_DEPENDENCIES: 'a folder of the host: a file of its own mounts it and names it',
  PUBLISH_GIT_TOKEN: SECRETS,
  PUBLISH_DIR: 'as ARTIFACTS_DIR',
  NOTIFY_WEBHOOK_SECRET: SECRETS,
  NOTIFY_WEBHOOK_URL_FILE: 'given as it is',
  ...Object.fromEntries(TOOL_VARIABLES.map((name) => [name, "the container's own"])),
  ARTIFACTS_DIR: 'the default, a folder of DATA_DIR, is on the shared volume',
};

/** The engine's profiles forbid what an unprivileged user namespace is for; they give no right. */
const FOR_THE_SANDBOX = ['seccomp=unconfined', 'apparmor=unconfined', 'systempaths=unconfined'];

const environmentOf = (name: string): Record<string, string> => ({
  ...imageEnvironment(),
  ...serviceOf(file, name).environment,
});

const check = (() => {
  const schema = JSON.parse(readFileSync(`${PROJECT_DIR}test/deploy/compose-spec/compose-spec.schema.json`, 'utf8'));
  return new Ajv2020({ strict: false, allErrors: true }).compile(schema);
})();

describe('docker-compose.yml', () => {
  it('is a Compose file by the schema of the specification', () => {
    check(file);
    expect(check.errors ?? []).toEqual([]);
  });

  it.each([
    ['a key that does not exist', { healtcheck: {} }],
    ['a text where a list belongs', { cap_drop: 'ALL' }],
    ['a condition that does not exist', { depends_on: { api: { condition: 'service_ready' } } }],
  ])('would not be one with %s', (_, more) => {
    const worker = { ...serviceOf(file, 'worker'), ...more };
    expect(check({ ...file, services: { ...file.services, worker } })).toBe(false);
  });

  it('gives the product every variable that it reads, and none that it does not', () => {
    // NODE_ENV is for libraries.
    const { NODE_ENV: _, ...set } = Object.assign({}, ...PRODUCT.map(environmentOf)) as Record<string, string>;
    expect(Object.keys(set).sort()).toEqual(VARIABLE_NAMES.filter((name) => !(name in LEFT_OUT)).sort());
    expect(Object.keys(LEFT_OUT).filter((name) => !VARIABLE_NAMES.includes(name))).toEqual([]);
  });

  it('lets the host set each of them that it leaves open, under the same name', () => {
    const marked = readComposeFile(Object.fromEntries(VARIABLE_NAMES.map((name) => [name, `host's ${name}`])));
    const own = PRODUCT.map((name) => serviceOf(file, name).environment ?? {});
    for (const [i, name] of PRODUCT.entries()) {
      const open = Object.entries(own[i] ?? {}).filter(([, value]) => value === '');
      const given = serviceOf(marked, name).environment ?? {};
      for (const [variable] of open) {
        const secret = variable.endsWith('_FILE') ? `/run/secrets/${variable.slice(0, -5).toLowerCase()}` : null;
        expect(given[variable]).toBe(secret ?? `host's ${variable}`);
      }
    }
    expect(marked.secrets.openai_api_key).toEqual({ file: "host's OPENAI_API_KEY_FILE" });
    expect(marked.secrets.anthropic_api_key).toEqual({ file: "host's ANTHROPIC_API_KEY_FILE" });
  });

  it.each(['api', 'worker'])('is, with nothing set on the host, a configuration that the product takes: %s', (name) => {
    const folder = tempFolder();
    writeFileSync(join(folder, 'database_url'), 'postgresql://q_orchestrator:s3cret@postgres:5432/q_orchestrator\n');
    writeFileSync(join(folder, 'api_keys'), 'ops:secret-of-ops\n');
    const entries = Object.entries(environmentOf(name)).map(([key, value]) => [
      key,
      value.replace('/run/secrets', folder),
    ]);
    const config = readConfig(Object.fromEntries(entries));
    expect(config).toMatchObject({
      databaseUrl: 'postgresql://q_orchestrator:s3cret@postgres:5432/q_orchestrator',
      temporal: { ...readConfig({}).temporal, address: 'temporal:7233' },
      models: readConfig({}).models,
      dataDir: '/data',
    });
  });

  it('finds every secret that it needs where the README’s commands have put it', () => {
    const readme = readFileSync(`${PROJECT_DIR}README.md`, 'utf8');
    const [, commands = ''] = /^## Production$[\s\S]*?^```sh\n([\s\S]*?)^```$/m.exec(readme) ?? [];
    const own = commands.split('\n').filter((line) => !line.startsWith('docker '));
    const folder = tempFolder();
    execFileSync('sh', ['-euc', own.join('\n')], { cwd: folder });
    const needed = Object.values(file.secrets).filter((secret) => secret.file !== '/dev/null');
    const contents = needed.map((secret) => readFileSync(join(folder, secret.file), 'utf8').trim());
    expect(contents).toHaveLength(3);
    const [password = '', databaseUrl = '', apiKeys = ''] = contents;
    const { databaseUrl: url, api } = readConfig({ DATABASE_URL: databaseUrl, API_KEYS: apiKeys });
    const { POSTGRES_USER: user, POSTGRES_DB: database } = serviceOf(file, 'postgres').environment ?? {};
    expect(url).toBe(`postgresql://${user}:${password}@postgres:5432/${database}`);
    expect(password).toMatch(/^[0-9a-f]{48}$/);
    expect(api.keys).toMatchObject([{ name: 'ops', projects: null, readOnly: false }]);
  });

  it('registers the search attributes of the workflow, with their types', () => {
    const [, , script = ''] = serviceOf(file, 'temporal-setup').command ?? [];
    const found = [...script.matchAll(/--name (\w+) --type (\w+)/g)].map(([, name, type]) => [name, type]);
    expect(Object.fromEntries(found)).toEqual(SEARCH_ATTRIBUTES);
    const [, query = ''] = /--query "(.*)"/.exec(script) ?? [];
    expect(query.split(' AND ').map((term) => term.split(' ')[0])).toEqual(Object.keys(SEARCH_ATTRIBUTES));
  });

  it('names nothing that it does not define, and defines nothing that it does not name', () => {
    const named = (pick: (service: Service) => readonly string[]) =>
      [...new Set(services.flatMap(([, service]) => pick(service)))].sort();
    expect(named(({ secrets = [] }) => secrets)).toEqual(Object.keys(file.secrets).sort());
    expect(named(({ networks }) => networks)).toEqual(Object.keys(file.networks).sort());
    expect(named(({ configs = [] }) => configs.map(({ source }) => source))).toEqual(Object.keys(file.configs));
    const volumes = named(({ volumes: mounts = [] }) => mounts.map((mount) => mount.split(':')[0] ?? ''));
    expect(volumes).toEqual(Object.keys(file.volumes).sort());
    const awaited = named(({ depends_on = {} }) => Object.keys(depends_on));
    expect(awaited.filter((name) => !(name in file.services))).toEqual([]);
  });

  it('waits for the health of what has a health check, and for the end of what ends', () => {
    const conditions = services.flatMap(([, { depends_on = {} }]) => Object.entries(depends_on));
    expect(conditions.length).toBeGreaterThan(5);
    for (const [name, { condition }] of conditions) {
      const { restart, healthcheck } = serviceOf(file, name);
      const once = restart.startsWith('on-failure');
      expect([name, condition]).toEqual([name, once ? 'service_completed_successfully' : 'service_healthy']);
      if (!once) expect(healthcheck, name).toHaveProperty('test');
    }
  });

  it('reads a secret only where it is mounted, and has none in a variable', () => {
    for (const [name, service] of services) {
      const { environment = {}, command = [], secrets = [] } = service;
      const text = [...Object.values(environment), ...command].join('\n');
      const paths = [...text.matchAll(/\/run\/secrets\/(\w+)/g)].map(([, secret = '']) => secret);
      expect(
        paths.filter((secret) => !secrets.includes(secret)),
        name,
      ).toEqual([]);
      const bare = Object.keys(environment).filter((key) => /(PASSWORD|PWD|SECRET|API_KEYS?|DATABASE_URL)$/.test(key));
      expect(bare, name).toEqual([]);
    }
  });

  it('publishes the API and the Web UI alone, to this machine alone', () => {
    const published = services.filter(([, { ports = [] }]) => ports.length > 0);
    expect(published.map(([name]) => name).sort()).toEqual(['api', 'temporal-ui']);
    for (const port of published.flatMap(([, { ports = [] }]) => ports)) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
    expect(file.networks.inside).toEqual({ internal: true });
  });

  it('has workers that may be many', () => {
    const { container_name, ports, restart } = serviceOf(file, 'worker');
    expect({ container_name, ports, restart }).toEqual({ restart: 'unless-stopped' });
  });

  it('gives a stop more time than the product takes for one', () => {
    const [, deadlineMs = ''] =
      /STOP_DEADLINE_MS = ([\d_]+)/.exec(readFileSync(`${PROJECT_DIR}src/compose/run.ts`, 'utf8')) ?? [];
    for (const name of ['api', 'worker']) {
      const graceS = Number.parseInt(serviceOf(file, name).stop_grace_period ?? '', 10);
      expect(graceS * 1000).toBeGreaterThan(Number(deadlineMs.replaceAll('_', '')));
    }
  });

  it('takes every right from every service, but for PostgreSQL’s change of user, and lets workers alone make namespaces', () => {
    for (const [name, { cap_drop, security_opt, read_only }] of services) {
      expect({ name, cap_drop, security_opt, read_only }).toEqual({
        name,
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true', ...(name === 'worker' ? FOR_THE_SANDBOX : [])],
        read_only: name === 'postgres' ? undefined : true,
      });
    }
  });

  it('pins every image to a version, the server and its tools to that of the tests', () => {
    const images = services.map(([, { image }]) => image);
    for (const image of images) expect(image).toMatch(/^[\w/-]+:\d+\.\d+(\.\d+)?(-\w+)?$/);
    const module_ = readFileSync(`${PROJECT_DIR}test/integration/fixtures/temporal-cluster/go.mod`, 'utf8');
    const [, version] = /go\.temporal\.io\/server v(\S+)/.exec(module_) ?? [];
    const temporal = images.filter((image) => /^temporalio\/(server|admin-tools):/.test(image));
    expect(new Set(temporal.map((image) => image.split(':')[1]))).toEqual(new Set([version]));
  });

  it('ends every look at a service’s health by itself', () => {
    for (const [name, { healthcheck }] of services) {
      if (healthcheck === undefined || 'disable' in healthcheck) continue;
      expect(healthcheck.test.join(' '), name).toMatch(/(-T|--timeout) 3\b/);
      expect(healthcheck.timeout, name).toBe('5s');
    }
  });
});
