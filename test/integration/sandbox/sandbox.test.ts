import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findCgroups } from '../../../src/activities/sandbox/cgroups.ts';
import { realSandbox } from '../fixtures/sandbox.ts';
import { ENVIRONMENT, layOut, type Program, runIn } from './lay-out.ts';

const sandbox = await realSandbox();

const node = (code: string): Program => ({ language: 'node', code });

describe.skipIf(sandbox.kind === 'none')('a program in the sandbox', () => {
  it('starts in its project, finds its files, and answers with its exit code and the end of its output', async () => {
    const at = await layOut({ 'deep/data.txt': 'forty-two' });
    const code =
      "import { readFileSync } from 'node:fs'; console.log(process.cwd(), readFileSync('deep/data.txt', 'utf8')); process.exit(3);";
    const end = await runIn(sandbox, at, node(code));
    expect(end).toMatchObject({ kind: 'exited', exitCode: 3, text: `${at.projectDir} forty-two\n` });
  });

  it('hands back what it wrote to its two folders, regular files alone', async () => {
    const at = await layOut({ 'source.js': 'before', 'untouched.js': 'as it was' });
    await writeFile(join(at.runDir, 'plan.json'), '{}');
    const code = `
      import { execFileSync } from 'node:child_process';
      import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
      const run = process.argv[2];
      mkdirSync(run + '/deep');
      writeFileSync(run + '/deep/report.json', readFileSync(run + '/plan.json') + ' report');
      writeFileSync('source.js', 'after');
      symlinkSync('/etc/passwd', run + '/link');
      execFileSync('mkfifo', [run + '/pipe']);`;
    const end = await runIn(sandbox, at, { ...node(code), args: [at.runDir] });
    expect(end).toMatchObject({ kind: 'exited', exitCode: 0, text: '' });
    expect(await readFile(join(at.runDir, 'deep/report.json'), 'utf8')).toBe('{} report');
    expect((await readdir(at.runDir)).sort()).toEqual(['deep', 'plan.json']);
    expect(await readFile(join(at.projectDir, 'source.js'), 'utf8')).toBe('after');
    expect(await readFile(join(at.projectDir, 'untouched.js'), 'utf8')).toBe('as it was');
  });

  it('hands back what it had written when its time was over', async () => {
    const at = await layOut();
    const code =
      "import { writeFileSync } from 'node:fs'; writeFileSync(process.argv[2] + '/report', 'half'); for (;;) {}";
    const end = await runIn(sandbox, at, { ...node(code), args: [at.runDir] }, { timeoutMs: 1500 });
    expect(end.kind).toBe('deadline');
    expect(await readFile(join(at.runDir, 'report'), 'utf8')).toBe('half');
  });

  it('reads what it is let read, and cannot change it', async () => {
    const at = await layOut();
    await writeFile(join(at.outsideDir, 'reporter.mjs'), 'the reporter');
    const path = join(at.outsideDir, 'reporter.mjs');
    const code = `
      import { readFileSync, writeFileSync } from 'node:fs';
      console.log(readFileSync(process.argv[2], 'utf8'));
      try { writeFileSync(process.argv[2], 'x'); } catch (error) { console.log(error.code); }`;
    const readOnly = [path, join(at.outsideDir, 'missing')];
    const { text } = await runIn(sandbox, at, { ...node(code), args: [path] }, { readOnly });
    expect(text).toMatch(/^the reporter\n(EROFS|EACCES)\n$/);
  });

  it('has no environment but the one it is given, its first process included', async () => {
    const code = `
      import { readFileSync } from 'node:fs';
      console.log(JSON.stringify([Object.keys(process.env), readFileSync('/proc/1/environ', 'utf8').split('\\0')]));`;
    const { text } = await runIn(sandbox, await layOut(), node(code));
    const [own, first] = JSON.parse(text) as [string[], string[]];
    expect(own.filter((name) => name !== 'PWD').sort()).toEqual(Object.keys(ENVIRONMENT).sort());
    expect(first.filter((line) => !/^(PATH|LANG|PWD)=/.test(line))).toEqual(['']);
  });

  it('is a plain user without rights, in a machine of its own in which it sees itself alone', async () => {
    const code = `
      import { readdirSync, readFileSync } from 'node:fs';
      import { hostname, networkInterfaces, userInfo } from 'node:os';
      const status = readFileSync('/proc/self/status', 'utf8');
      console.log(JSON.stringify({
        rights: /CapEff:\\s*(\\w+)/.exec(status)[1], bound: /CapBnd:\\s*(\\w+)/.exec(status)[1],
        user: userInfo().username, host: hostname(), networks: Object.keys(networkInterfaces()),
        root: readdirSync('/').filter((name) => !/^(bin|sbin|lib.*|usr|etc|proc|dev|tmp)$/.test(name)),
        processes: readdirSync('/proc').filter((name) => /^\\d+$/.test(name)).length < 8,
      }));`;
    const { text } = await runIn(sandbox, await layOut(), node(code));
    const rights = '0000000000000000';
    const networks = ['lo'];
    const own = { user: 'build', host: 'sandbox', root: [], processes: true };
    expect(JSON.parse(text)).toEqual({ rights, bound: rights, networks, ...own });
  });

  it('talks to itself over the loopback by name, as tests of servers do', async () => {
    const code = `
      import { createServer } from 'node:http';
      const server = createServer((_, response) => response.end('served')).listen(0, 'localhost', async () => {
        console.log(await (await fetch('http://localhost:' + server.address().port)).text());
        server.close();
      });`;
    expect(await runIn(sandbox, await layOut(), node(code))).toMatchObject({ exitCode: 0, text: 'served\n' });
  });

  it('writes to its two folders and two for temporary files, and to no other', async () => {
    const at = await layOut();
    const code = `
      import { readdirSync, writeFileSync, rmSync } from 'node:fs';
      const found = [];
      const walk = (folder, depth) => {
        try { writeFileSync(folder + '/.probe', ''); rmSync(folder + '/.probe'); found.push(folder); } catch {}
        if (depth === 0 || folder === '/proc') return;
        let entries = [];
        try { entries = readdirSync(folder, { withFileTypes: true }); } catch {}
        for (const one of entries) if (one.isDirectory()) walk((folder === '/' ? '' : folder) + '/' + one.name, depth - 1);
      };
      walk('/', 4);
      console.log(JSON.stringify(found));`;
    const { text } = await runIn(sandbox, at, node(code));
    const root = join(at.projectDir, '..');
    const expected = ['/dev/shm', '/tmp', at.projectDir, at.runDir];
    expect((JSON.parse(text) as string[]).filter((folder) => folder !== root).sort()).toEqual(expected.sort());
  });

  it('is told to be missing as it is without a sandbox', async () => {
    const run = runIn(sandbox, await layOut(), node(''), { file: 'no-such-program' });
    await expect(run).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('leaves no control group behind', async () => {
    const cgroups = await findCgroups();
    const groups = async (): Promise<string[]> => {
      const one = await cgroups?.open({ memoryBytes: 1e9, processes: 10 });
      const folders = (one?.joinFiles ?? []).map((file) => join(file, '../..'));
      await one?.close();
      const names = await Promise.all(folders.map((folder) => readdir(folder)));
      return names.flat().filter((name) => name.startsWith(`q-sandbox-${process.pid}-`));
    };
    await runIn(
      sandbox,
      await layOut(),
      node(
        "import { spawn } from 'node:child_process'; spawn('sleep', ['100'], { detached: true, stdio: 'ignore' }).unref();",
      ),
    );
    expect(await groups()).toEqual([]);
  });
});
