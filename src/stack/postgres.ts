import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '../errors.ts';
import { type GuardedProcess, startGuarded } from './guarded-process.ts';
import { type Leftover, runsOn, stopLeftover } from './leftover.ts';
import { followLog, lastLines } from './log-file.ts';
import { choosePort } from './ports.ts';
import { postgresBinaries } from './postgres-binaries.ts';
import { type Cluster, ensureCluster, POSTGRES_DATABASE, POSTGRES_ROLE } from './postgres-cluster.ts';
import { type PostgresUser, postgresUser } from './postgres-user.ts';
import { waitUntil } from './wait-until.ts';

export type EmbeddedPostgres = Readonly<{
  /** Holds the password: not for logs. */
  url: string;
  port: number;
  /** The process id now: a server that died by itself is started again on the same port. */
  pid: () => number;
  stop: () => Promise<void>;
}>;

const HOST = '127.0.0.1';
/** Not 5432: there a PostgreSQL of the machine's own often comes and goes. */
const PREFERRED_PORT = 54329;
/** After a kill it replays its log first. */
const START_DEADLINE_MS = 60_000;
const STOP_DEADLINE_MS = 10_000;
const PORT_TRIES = 4;
const MAX_RESTARTS = 5;
/** Above every id a system gives. */
const NO_PROCESS = 2_147_483_647;
/** How long the processes of a killed server may take to notice its end. */
const ENDING_TRIES = 30;
const ENDING_PAUSE_MS = 300;

/**
 * Starts PostgreSQL with its files under `dataDir`/postgres and a database `q_orchestrator`. A server left there by a
 * killed process is stopped first. The port of the last run is kept when it is free.
 * @throws AppError `postgres_unreachable` or `data_dir_unwritable`
 */
export async function startPostgres(dataDir: string): Promise<EmbeddedPostgres> {
  const folder = join(dataDir, 'postgres');
  mkdirSync(folder, { recursive: true });
  const binaries = postgresBinaries();
  const user = await postgresUser(folder, binaries);
  const leftover = leftoverOf(folder);
  await stopLeftover(leftover, postmasterPid(join(folder, 'data')));
  const cluster = await ensureCluster(folder, binaries, user);
  disownPidFile(cluster.dataFolder);
  const { server, port } = await startOnSomePort({ folder, cluster, user, program: binaries.postgres });
  server.markReady();
  writeFileSync(join(folder, 'port'), String(port));
  const url = `postgresql://${POSTGRES_ROLE}:${cluster.password}@${HOST}:${port}/${POSTGRES_DATABASE}`;
  return { url, port, pid: server.pid, stop: server.stop };
}

async function startOnSomePort(start: Omit<Start, 'port'>): Promise<{ server: GuardedProcess; port: number }> {
  let preferred = readPort(start.folder) ?? PREFERRED_PORT;
  let [portTries, endingTries] = [PORT_TRIES, ENDING_TRIES];
  while (portTries > 0 && endingTries > 0) {
    const port = await choosePort(preferred, HOST);
    const server = await tryStart({ ...start, port });
    if (server === 'port taken') {
      preferred = 0;
      portTries -= 1;
    } else if (server === 'still ending') {
      endingTries -= 1;
      await sleep(ENDING_PAUSE_MS);
    } else return { server, port };
  }
  const why = portTries === 0 ? 'found no free port' : 'still has processes of its last, killed run';
  throw new AppError(
    'postgres_unreachable',
    `The embedded PostgreSQL ${why} in ${start.folder}. Stop what holds it, or set DATABASE_URL to a running PostgreSQL.`,
  );
}

type Start = Readonly<{ folder: string; cluster: Cluster; user: PostgresUser; program: string; port: number }>;

async function tryStart({
  folder,
  cluster,
  user,
  program,
  port,
}: Start): Promise<GuardedProcess | 'port taken' | 'still ending'> {
  const logFile = join(folder, 'server.log');
  const readLog = followLog(logFile);
  const { recordFile, stopSignal, stopDeadlineMs } = leftoverOf(folder);
  const settings = [`listen_addresses=${HOST}`, 'unix_socket_directories=', 'logging_collector=off'];
  const server = await startGuarded({
    ...user.command(program, ['-D', cluster.dataFolder, '-p', String(port), ...settings.flatMap((s) => ['-c', s])]),
    ...user.ids,
    cwd: '/',
    logFile,
    recordFile,
    record: { port },
    stopSignal,
    stopDeadlineMs,
    maxRestarts: MAX_RESTARTS,
  });
  // Its own words, not an answer on the port: there another process may answer.
  const isUp = (): boolean => readLog().includes('ready to accept connections');
  await waitUntil(() => server.hasExited() || isUp(), START_DEADLINE_MS);
  if (isUp() && !server.hasExited()) return server;
  await server.stop();
  if (/could not bind|Address already in use/i.test(readLog())) return 'port taken';
  if (/shared memory block .* still in use/.test(readLog())) return 'still ending';
  throw new AppError(
    'postgres_unreachable',
    `The embedded PostgreSQL did not start: ${lastLines(readLog())}. Its log is ${logFile}; ` +
      'or set DATABASE_URL to a running PostgreSQL.',
  );
}

function leftoverOf(folder: string): Leftover {
  return {
    recordFile: join(folder, 'server.json'),
    mark: join(folder, 'data'),
    // A fast shutdown: it does not wait for clients to leave.
    stopSignal: 'SIGINT',
    stopDeadlineMs: STOP_DEADLINE_MS,
  };
}

function readPort(folder: string): number | null {
  return readNumber(join(folder, 'port'));
}

function postmasterPid(dataFolder: string): number | null {
  return readNumber(join(dataFolder, 'postmaster.pid'));
}

// PostgreSQL refuses to start while the process named in its old pid file exists: also when that is another program by
// now, or a zombie that a container without an init never buries. The rest of the file stays: by it PostgreSQL sees
// whether processes of the killed server still use its shared memory.
function disownPidFile(dataFolder: string): void {
  const file = join(dataFolder, 'postmaster.pid');
  const pid = postmasterPid(dataFolder);
  if (pid === null || runsOn(pid, dataFolder)) return;
  const [, ...rest] = readFileSync(file, 'utf8').split('\n');
  writeFileSync(file, [NO_PROCESS, ...rest].join('\n'));
}

function readNumber(file: string): number | null {
  try {
    const value = Number.parseInt(readFileSync(file, 'utf8'), 10);
    return value > 0 ? value : null;
  } catch {
    return null;
  }
}
