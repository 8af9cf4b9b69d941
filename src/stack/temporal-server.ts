import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '../errors.ts';
import { type GuardedProcess, startGuarded } from './guarded-process.ts';
import { type Leftover, readRecord, stopLeftover } from './leftover.ts';
import { followLog, lastLines } from './log-file.ts';
import { choosePort } from './ports.ts';
import { setRetention } from './temporal-check.ts';
import { waitUntil } from './wait-until.ts';

export type SearchAttributeType = 'Keyword' | 'Bool' | 'Text' | 'Int' | 'Double' | 'Datetime' | 'KeywordList';

export type TemporalServer = Readonly<{
  address: string;
  uiUrl: string;
  namespace: string;
  /** The process id now: a server that died by itself is started again on the same ports and state. */
  pid: () => number;
  stop: () => Promise<void>;
}>;

export type TemporalSettings = Readonly<{
  dataDir: string;
  /** The command found by findTemporalBinary. */
  binary: string;
  searchAttributes: Readonly<Record<string, SearchAttributeType>>;
}>;

const HOST = '127.0.0.1';
const PREFERRED_PORT = 7233;
const PREFERRED_UI_PORT = 8233;
const NAMESPACE = 'default';
const RETENTION_DAYS = 30;
const START_DEADLINE_MS = 30_000;
const STOP_DEADLINE_MS = 5_000;
/** A port that was free may be taken before the server listens on it. */
const PORT_TRIES = 4;
const MAX_RESTARTS = 5;

/**
 * Starts a Temporal dev server whose state is kept under `dataDir`/temporal. A server left there by a killed process is
 * stopped first. The ports of the last run are preferred, then 7233 and 8233, then any.
 * @throws AppError `temporal_unreachable` when it does not come up
 */
export async function startTemporalServer(settings: TemporalSettings): Promise<TemporalServer> {
  const folder = join(settings.dataDir, 'temporal');
  mkdirSync(folder, { recursive: true });
  const leftover = leftoverOf(folder);
  let ports = readRecord(leftover.recordFile);
  await stopLeftover(leftover);
  for (let i = 0; i < PORT_TRIES; i++) {
    const port = await choosePort(ports?.port ?? PREFERRED_PORT, HOST);
    const uiPort = await choosePort(ports?.uiPort ?? PREFERRED_UI_PORT, HOST);
    const started = await tryStart(settings, folder, port, uiPort);
    if (started !== 'port taken') return await describe(started, port, uiPort);
    ports = null;
  }
  throw new AppError('temporal_unreachable', `The embedded Temporal server found no free port in ${PORT_TRIES} tries.`);
}

function leftoverOf(folder: string): Leftover {
  return {
    recordFile: join(folder, 'server.json'),
    mark: stateFile(folder),
    stopSignal: 'SIGTERM',
    stopDeadlineMs: STOP_DEADLINE_MS,
  };
}

async function tryStart(
  settings: TemporalSettings,
  folder: string,
  port: number,
  uiPort: number,
): Promise<GuardedProcess | 'port taken'> {
  const logFile = join(folder, 'server.log');
  const readLog = followLog(logFile);
  const { recordFile, stopSignal, stopDeadlineMs } = leftoverOf(folder);
  const server = await startGuarded({
    command: settings.binary,
    args: serverArguments(settings, folder, port, uiPort),
    cwd: folder,
    logFile,
    recordFile,
    record: { port, uiPort },
    stopSignal,
    stopDeadlineMs,
    maxRestarts: MAX_RESTARTS,
  });
  // Its own words, not an answer on the port: there another process may answer.
  const isUp = (): boolean => /^Temporal Server:/m.test(readLog());
  await waitUntil(() => server.hasExited() || isUp(), START_DEADLINE_MS);
  if (isUp() && !server.hasExited()) return server;
  await server.stop();
  if (/address already in use|can't set .* port/i.test(readLog())) return 'port taken';
  throw new AppError(
    'temporal_unreachable',
    `The embedded Temporal server did not start: ${lastLines(readLog())}. Its log is ${logFile}; ` +
      'or set TEMPORAL_ADDRESS to a running Temporal server.',
  );
}

async function describe(server: GuardedProcess, port: number, uiPort: number): Promise<TemporalServer> {
  const address = `${HOST}:${port}`;
  try {
    await setRetention(address, NAMESPACE, RETENTION_DAYS, START_DEADLINE_MS);
  } catch (error) {
    await server.stop();
    throw error;
  }
  server.markReady();
  return { address, uiUrl: `http://${HOST}:${uiPort}`, namespace: NAMESPACE, pid: server.pid, stop: server.stop };
}

function stateFile(folder: string): string {
  return join(folder, 'state.db');
}

// The stock server looks for new tasks 20 times a second: a build of six activities then waits for half a second in all.
function serverArguments(settings: TemporalSettings, folder: string, port: number, uiPort: number): string[] {
  const attributes = Object.entries(settings.searchAttributes).map(([name, type]) => `${name}=${type}`);
  return [
    ...['server', 'start-dev', '--ip', HOST, '--port', String(port), '--ui-port', String(uiPort)],
    ...['--db-filename', stateFile(folder), '--log-level', 'error'],
    ...['--sqlite-pragma', 'journal_mode=wal', '--sqlite-pragma', 'synchronous=normal'],
    ...['--dynamic-config-value', 'history.transferProcessorMaxPollRPS=1000'],
    ...['--dynamic-config-value', 'system.enableActivityEagerExecution=true'],
    // While a build handles a message one query may wait by default; the next is refused, and the client's retry takes 1.7 s.
    ...['--dynamic-config-value', 'history.MaxBufferedQueryCount=100'],
    // Lists lag by up to a second; in turn what a run says of itself is not written to the index once the run has closed,
    // and each such write costs milliseconds in the embedded store.
    ...['--dynamic-config-value', 'history.visibilityProcessorMaxPollRPS=1'],
    ...['--dynamic-config-value', 'history.visibilityTaskBatchSize=1000'],
    ...attributes.flatMap((attribute) => ['--search-attribute', attribute]),
  ];
}
