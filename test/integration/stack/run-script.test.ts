import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { isAlive } from '../../../src/stack/process-identity.mjs';
import { eventually } from '../../eventually.ts';
import { tempFolder } from '../../stack/temp-folder.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const COPIED = [
  'scripts/run.mjs',
  'scripts/compile.mjs',
  'scripts/package-modules.mjs',
  'scripts/end-with-parent.mjs',
  'scripts/generate-prisma-client.mjs',
  'src/stack/file-lock.mjs',
  'src/stack/process-identity.mjs',
];
const children: ChildProcess[] = [];
/** A project in which the first command has installed; made once. */
let installed = '';

/** A project with the real scripts, one dependency that lies in its own folder, and a count of its installs. */
function fakeProject(): string {
  const project = tempFolder();
  for (const path of COPIED) cpSync(join(ROOT, path), join(project, path));
  const write = (path: string, content: unknown): void => {
    mkdirSync(dirname(join(project, path)), { recursive: true });
    writeFileSync(join(project, path), typeof content === 'string' ? content : JSON.stringify(content));
  };
  const dependencies = { tsx: 'file:fake-tsx' };
  const postinstall = `node -e "require('fs').appendFileSync('installs', 'x')"`;
  write('package.json', {
    name: 'fake',
    version: '1.0.0',
    scripts: { postinstall, say: 'node say.mjs' },
    dependencies,
  });
  write('package-lock.json', {
    ...{ name: 'fake', version: '1.0.0', lockfileVersion: 3, requires: true },
    packages: {
      '': { name: 'fake', version: '1.0.0', hasInstallScript: true, dependencies },
      'fake-tsx': { name: 'tsx', version: '1.0.0' },
      'node_modules/tsx': { resolved: 'fake-tsx', link: true },
    },
  });
  write('fake-tsx/package.json', { name: 'tsx', version: '1.0.0', type: 'module', main: 'dist/loader.mjs' });
  write('fake-tsx/dist/loader.mjs', '');
  write('say.mjs', 'console.log(JSON.stringify(process.argv.slice(2))); process.exitCode = 7;');
  write(
    'wait.mjs',
    `let heard = 0;
     process.on('SIGINT', () => { heard += 1; if (heard === 1) setTimeout(() => { console.log('heard', heard); process.exit(5); }, 300); });
     process.on('SIGTERM', () => process.exit(6));
     setInterval(() => {}, 1000);
     console.log('up');`,
  );
  return project;
}

/** The same project after its first command. */
function installedProject(): string {
  const project = tempFolder();
  cpSync(installed, project, { recursive: true, verbatimSymlinks: true });
  return project;
}

function start(project: string, ...args: string[]): ChildProcess {
  const child = spawn(process.execPath, ['scripts/run.mjs', ...args], {
    cwd: project,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  return child;
}

async function run(project: string, ...args: string[]) {
  const child = start(project, ...args);
  let [out, err] = ['', ''];
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    out += chunk;
  });
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    err += chunk;
  });
  const [code] = await once(child, 'close');
  return { code, out, err };
}

/** Puts programs into the project that say a word which a module they share has, and what compiles them. */
function writePrograms(project: string, word: string): void {
  for (const folder of ['src/stack', 'prisma/client']) mkdirSync(join(project, folder), { recursive: true });
  for (const name of ['bundle', 'cli', 'demo', 'main', 'migrate', 'server', 'worker', 'workflow-thread']) {
    const text = `import { WORD } from './word.ts';\nconsole.log('${name}', WORD as string, import.meta.url);\n`;
    writeFileSync(join(project, 'src', `${name}.ts`), text);
  }
  writeFileSync(join(project, 'src', 'word.ts'), `export const WORD: string = '${word}';\n`);
  for (const name of ['esbuild', '@esbuild']) {
    const link = join(project, 'node_modules', name);
    if (!existsSync(link)) symlinkSync(join(ROOT, 'node_modules', name), link);
  }
}

const installs = (project: string): number => readFileSync(join(project, 'installs'), 'utf8').length;

beforeAll(async () => {
  installed = fakeProject();
  await run(installed, 'say.mjs');
});
afterEach(() => {
  for (const child of children.splice(0)) if (child.exitCode === null) child.kill('SIGKILL');
});

describe('scripts/run.mjs', () => {
  it('installs on a fresh clone, then runs the entry with its arguments and exits with its code', async () => {
    const project = fakeProject();
    const { code, out, err } = await run(project, 'say.mjs', '--requirements', 'two words');
    expect({ code, out }).toEqual({ code: 7, out: '["--requirements","two words"]\n' });
    expect(err).toContain('Installing the dependencies');
    expect(installs(project)).toBe(1);
    expect(existsSync(join(project, '.install.lock'))).toBe(false);
  });

  it('installs again only when the lockfile changed or node_modules is gone', async () => {
    const project = installedProject();
    const second = await run(project, 'say.mjs');
    expect(second).toEqual({ code: 7, out: '[]\n', err: '' });
    expect(installs(project)).toBe(1);
    for (const name of ['package.json', 'package-lock.json']) {
      writeFileSync(join(project, name), `${readFileSync(join(project, name), 'utf8')}\n`);
      await run(project, 'say.mjs');
      expect(installs(project), name).toBe(name === 'package.json' ? 1 : 2);
    }
    rmSync(join(project, 'node_modules'), { recursive: true });
    await run(project, 'say.mjs');
    expect(installs(project)).toBe(3);
  });

  it('installs once when two start at the same time', async () => {
    const project = fakeProject();
    const both = await Promise.all([run(project, 'say.mjs'), run(project, 'say.mjs')]);
    expect(both.map(({ code }) => code)).toEqual([7, 7]);
    expect(installs(project)).toBe(1);
  });

  it('says what to do when the install fails, and tries again the next time', async () => {
    const project = fakeProject();
    const lockfile = readFileSync(join(project, 'package-lock.json'), 'utf8');
    writeFileSync(join(project, 'package-lock.json'), '{"lockfileVersion": 3}');
    const { code, out, err } = await run(project, 'say.mjs');
    expect(code).not.toBe(0);
    expect(out).toBe('');
    expect(err).toContain('npm ci failed; see above. Check the network');
    writeFileSync(join(project, 'package-lock.json'), lockfile);
    expect(await run(project, 'say.mjs')).toMatchObject({ code: 7 });
  });

  it('compiles the programs before it runs one, and again only when a source changed', async () => {
    const project = installedProject();
    writePrograms(project, 'first');
    const said = (name: string, word: string) =>
      `${name} ${word} ${pathToFileURL(join(project, 'src', `${name}.ts`)).href}\n`;
    expect(await run(project, 'src/main.ts')).toEqual({ code: 0, out: said('main', 'first'), err: '' });
    const madeAt = () => statSync(join(project, 'dist', '.sources')).mtimeMs;
    const first = madeAt();
    expect(await run(project, 'src/worker.ts')).toMatchObject({ code: 0, out: said('worker', 'first') });
    expect(madeAt()).toBe(first);
    writePrograms(project, 'second');
    expect(await run(project, '--here', 'src/cli.ts')).toMatchObject({ code: 0, out: said('cli', 'second') });
    expect(madeAt()).toBeGreaterThan(first);
  });

  it('says what is wrong with a source that cannot be compiled, and goes on with none that is older', async () => {
    const project = installedProject();
    writePrograms(project, 'first');
    await run(project, 'src/main.ts');
    writeFileSync(join(project, 'src', 'word.ts'), 'export const WORD = ;');
    const { code, out, err } = await run(project, 'src/main.ts');
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toMatch(/src\/word\.ts:1:20[\s\S]*Compiling failed; see above\./);
  });

  it('runs an npm script with its arguments and exits with its code', async () => {
    const project = installedProject();
    expect(await run(project, '--npm', 'say', '--flag')).toMatchObject({ code: 7, out: '["--flag"]\n' });
  });

  it('passes a signal on exactly once, also when it arrives twice, and exits with what the command made of it', async () => {
    const project = installedProject();
    const child = start(project, 'wait.mjs');
    let out = '';
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      out += chunk;
      if (chunk.includes('up')) for (const _ of [1, 2]) child.kill('SIGINT');
    });
    expect((await once(child, 'close'))[0]).toBe(5);
    expect(out).toBe('up\nheard 1\n');
  });

  it('killed with kill -9 leaves no command behind: that is told to hang up, and may end in order', async () => {
    const project = installedProject();
    const [pidFile, heard] = [join(project, 'pid'), join(project, 'heard')];
    writeFileSync(
      join(project, 'stay.mjs'),
      `import { renameSync, writeFileSync } from 'node:fs';
       process.on('SIGHUP', () => { writeFileSync('heard', 'SIGHUP'); process.exit(); });
       setInterval(() => {}, 1000);
       writeFileSync('pid.new', String(process.pid));
       renameSync('pid.new', 'pid');`,
    );
    const script = start(project, 'stay.mjs');
    const pid = await eventually(() => Number(readFileSync(pidFile, 'utf8')));
    script.kill('SIGKILL');
    await eventually(() => expect(isAlive(pid)).toBe(false));
    expect(readFileSync(heard, 'utf8')).toBe('SIGHUP');
  });

  it('does not keep a command alive that has nothing left to do', async () => {
    const project = installedProject();
    writeFileSync(join(project, 'done.mjs'), "console.log('done', process.connected);");
    expect(await run(project, 'done.mjs')).toMatchObject({ code: 0, out: 'done true\n' });
  });

  it('reports a command that a signal ended as shells do', async () => {
    const project = installedProject();
    writeFileSync(join(project, 'die.mjs'), "process.kill(process.pid, 'SIGKILL'); setInterval(() => {}, 1000);");
    expect(await run(project, 'die.mjs')).toMatchObject({ code: 137 });
  });

  it('refuses a Node that is too old', async () => {
    const project = fakeProject();
    const script = join(project, 'scripts/run.mjs');
    writeFileSync(script, readFileSync(script, 'utf8').replace('[20, 19]', '[99, 1]'));
    const { code, err } = await run(project, 'say.mjs');
    expect(code).toBe(1);
    expect(err).toContain(`Node ${process.versions.node} is too old: this needs 99.1 or newer`);
    expect(existsSync(join(project, 'node_modules'))).toBe(false);
  });
});
