import { createSocket } from 'node:dgram';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type ListenOptions } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { LIMITS } from '../../../src/activities/sandbox/bubblewrap.ts';
import { SIZES } from '../../../src/activities/sandbox/bubblewrap-arguments.ts';
import type { LaidOut, Program } from './lay-out.ts';
import { startVictim } from './victim.ts';

/** What a hostile program tries. It has worked when `worked` says so after the run, from what was printed or is to be seen. */
export type Attack = Readonly<{
  program: Program;
  worked: (text: string) => boolean | Promise<boolean>;
}>;

/** Makes what the attack is aimed at. */
type Prepare = (at: LaidOut) => Promise<Attack>;

const SECRET = 'the-secret-of-this-machine';
const readsSecret = (program: Program): Attack => ({ program, worked: (text) => text.includes(SECRET) });

const READ = (path: string): Program => ({
  language: 'node',
  code: "import { readFileSync } from 'node:fs'; console.log(readFileSync(process.argv[2], 'utf8'));",
  args: [path],
});
const READ_IN_PYTHON = (path: string): Program => ({
  language: 'python',
  code: 'import sys; print(open(sys.argv[1]).read())',
  args: [path],
});

async function secretIn(folder: string): Promise<string> {
  const own = await mkdtemp(join(folder, '.q-hostile-'));
  onTestFinished(() => rm(own, { recursive: true, force: true }));
  await writeFile(join(own, 'id_rsa'), SECRET);
  return join(own, 'id_rsa');
}

/** A server of this machine that says hello; its port or path. */
async function greeter(options: ListenOptions): Promise<number> {
  const server = createServer((socket) => socket.end('hello from the host'));
  await new Promise<void>((resolve) => server.listen(options, resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  return address !== null && typeof address === 'object' ? address.port : 0;
}

const isGreeted = (program: Program): Attack => ({ program, worked: (text) => text.includes('hello from the host') });

const CONNECT = `
import { connect } from 'node:net';
const [, , where] = process.argv;
connect(where.startsWith('/') ? { path: where } : { host: '127.0.0.1', port: Number(where) })
  .on('data', (data) => console.log(String(data)))
  .on('error', (error) => console.log(error.code));
`;
const CONNECT_IN_PYTHON = `
import socket, sys
print(socket.create_connection(('127.0.0.1', int(sys.argv[1])), 5).recv(100).decode())
`;

/** A name server of this machine: a question that reaches it has carried something out. */
async function nameServer(): Promise<Readonly<{ port: number; asked: () => boolean }>> {
  let questions = 0;
  const server = createSocket('udp4', () => {
    questions += 1;
  });
  await new Promise<void>((resolve) => server.bind(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { port: server.address().port, asked: () => questions > 0 };
}

const ASK = `
import { Resolver } from 'node:dns';
const resolver = new Resolver({ timeout: 500, tries: 1 });
resolver.setServers(['127.0.0.1:' + process.argv[2]]);
resolver.resolve4('secret.example', () => console.log('asked'));
`;

const KILL = "process.kill(Number(process.argv[2]), 'SIGKILL'); console.log('killed');";
const KILL_IN_PYTHON = "import os, sys; os.kill(int(sys.argv[1]), 9); print('killed')";

const READ_ALL_ENVIRONMENTS = `
import { readdirSync, readFileSync } from 'node:fs';
for (const pid of readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name))) {
  try { console.log(readFileSync('/proc/' + pid + '/environ', 'utf8')); } catch {}
}
`;

const WRITE_MUCH = `
import { openSync, writeSync } from 'node:fs';
const block = Buffer.alloc(16 * 1024 * 1024, 1);
for (let n = 0; n * 16 < Number(process.argv[2]); n += 1) writeSync(openSync('block-' + n, 'w'), block);
console.log('all written');
`;
const MIB = 1024 * 1024;

const ALLOCATE = `
import { fork } from 'node:child_process';
const [, , mebibytes, processes] = process.argv.map(Number);
if (processes > 1) {
  const children = Array.from({ length: processes }, () => fork(process.argv[1], [mebibytes, 1]));
  let full = 0;
  for (const child of children) {
    // They are held at the same time: nobody lets go before all have them.
    child.on('message', () => {
      full += 1;
      if (full === processes) for (const one of children) one.send('all');
    });
    child.on('exit', () => full < processes && children.forEach((one) => one.kill()));
  }
} else {
  const held = [];
  for (let n = 0; n < mebibytes; n += 100) held.push(Buffer.alloc(100 * 1024 * 1024, 1));
  const tell = () => {
    console.log('held ' + held.length);
    process.disconnect?.();
  };
  if (process.send) process.once('message', tell).send('full');
  else tell();
}
`;
const countOf = (text: string, part: string): number => text.split(part).length - 1;

const FORK = `
import os, sys, time
for n in range(int(sys.argv[1])):
    if os.fork() == 0:
        time.sleep(20)
        os._exit(0)
print('forked all', flush=True)
`;

const NEW_NAMESPACE = `
import ctypes
print('new namespace', ctypes.CDLL(None).unshare(0x10000000))
`;

export const ATTACKS: Readonly<Record<string, Prepare>> = {
  'connects to a server of this machine': async () =>
    isGreeted({ language: 'node', code: CONNECT, args: [String(await greeter({ host: '127.0.0.1', port: 0 }))] }),
  'connects to a server of this machine, in Python': async () =>
    isGreeted({
      language: 'python',
      code: CONNECT_IN_PYTHON,
      args: [String(await greeter({ host: '127.0.0.1', port: 0 }))],
    }),
  'connects to a socket in a folder, as that of a container engine': async ({ outsideDir }) => {
    const path = join(outsideDir, 'engine.sock');
    await greeter({ path });
    return isGreeted({ language: 'node', code: CONNECT, args: [path] });
  },
  'carries something out in a question to a name server': async () => {
    const { port, asked } = await nameServer();
    return { program: { language: 'node', code: ASK, args: [String(port)] }, worked: asked };
  },
  'writes outside of its folders': async ({ outsideDir }) => {
    const path = join(outsideDir, 'written');
    const code = "import { writeFileSync } from 'node:fs'; writeFileSync(process.argv[2], 'x');";
    return { program: { language: 'node', code, args: [path] }, worked: () => existsSync(path) };
  },
  'writes outside of its folders, in Python': async ({ outsideDir }) => {
    const path = join(outsideDir, 'written');
    const code = "import sys; open(sys.argv[1], 'w').write('x')";
    return { program: { language: 'python', code, args: [path] }, worked: () => existsSync(path) };
  },
  'reads a file beside its folders': async ({ outsideDir }) => readsSecret(READ(await secretIn(outsideDir))),
  'reads a file beside its folders, in Python': async ({ outsideDir }) =>
    readsSecret(READ_IN_PYTHON(await secretIn(outsideDir))),
  "reads a key in the user's home": async () => readsSecret(READ(await secretIn(homedir()))),
  'reads who may log in to this machine': async () => ({
    program: READ('/etc/group'),
    worked: (text) => text.includes('root:'),
  }),
  "reads the orchestrator's own code": async () => ({
    program: READ(join(import.meta.dirname, '../../../package.json')),
    worked: (text) => text.includes('q-orchestrator'),
  }),
  'reads through a link of the project': async ({ projectDir, outsideDir }) => {
    await symlink(await secretIn(outsideDir), join(projectDir, 'link'));
    return readsSecret(READ('link'));
  },
  'writes through a link of the project': async ({ projectDir, outsideDir }) => {
    await symlink(outsideDir, join(projectDir, 'link'));
    const code = "import { writeFileSync } from 'node:fs'; writeFileSync('link/written', 'x');";
    return { program: { language: 'node', code }, worked: () => existsSync(join(outsideDir, 'written')) };
  },
  'has its report read through a link': async ({ runDir, outsideDir }) => {
    const report = join(runDir, 'report');
    const code = "import { symlinkSync } from 'node:fs'; symlinkSync(process.argv[2], process.argv[3]);";
    const args = [await secretIn(outsideDir), report];
    return { program: { language: 'node', code, args }, worked: () => existsSync(report) };
  },
  'makes a file of 10 GB': async () => ({
    program: {
      language: 'node',
      code: "import { truncateSync, writeFileSync } from 'node:fs'; writeFileSync('big', ''); truncateSync('big', 10e9); console.log('made');",
    },
    worked: (text) => text.includes('made'),
  }),
  'fills the disk with files of a usual size': async () => ({
    program: { language: 'node', code: WRITE_MUCH, args: [String(SIZES.project / MIB + 64)] },
    worked: (text) => text.includes('all written'),
  }),
  'makes many files': async ({ projectDir }) => ({
    program: {
      language: 'node',
      code: `import { writeFileSync } from 'node:fs'; for (let n = 0; n < ${3 * LIMITS.back.files}; n += 1) writeFileSync('file-' + n, '');`,
    },
    worked: async () => (await readdir(projectDir)).length > 2 * LIMITS.back.files,
  }),
  'holds 2 GB of buffers': async () => ({
    program: { language: 'node', code: ALLOCATE, args: ['2048', '1'] },
    worked: (text) => text.includes('held 21'),
  }),
  'holds 2 GB of buffers in several processes': async () => ({
    program: { language: 'node', code: ALLOCATE, args: ['700', '3'] },
    worked: (text) => countOf(text, 'held 7') === 3,
  }),
  'starts processes without end': async () => ({
    program: { language: 'python', code: FORK, args: [String(LIMITS.processes + 50)] },
    worked: (text) => text.includes('forked all'),
  }),
  'makes namespaces of its own': async () => ({
    program: { language: 'python', code: NEW_NAMESPACE },
    worked: (text) => text.includes('new namespace 0'),
  }),
  'reads the environment of other processes': async () => {
    const token = `token-${process.hrtime.bigint()}`;
    await startVictim({ TOKEN: token });
    return { program: { language: 'node', code: READ_ALL_ENVIRONMENTS }, worked: (text) => text.includes(token) };
  },
  'kills another process': async () => {
    const victim = await startVictim({});
    const args = [String(victim.pid)];
    return {
      program: { language: 'node', code: KILL, args },
      worked: (text) => /^killed$/m.test(text) && victim.ended,
    };
  },
  'kills another process, in Python': async () => {
    const victim = await startVictim({});
    const args = [String(victim.pid)];
    return {
      program: { language: 'python', code: KILL_IN_PYTHON, args },
      worked: (text) => /^killed$/m.test(text) && victim.ended,
    };
  },
};
