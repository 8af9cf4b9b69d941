import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '../errors.ts';
import { lastLines } from './log-file.ts';
import type { PostgresBinaries } from './postgres-binaries.ts';
import type { PostgresUser } from './postgres-user.ts';
import { run } from './run-command.ts';

export const POSTGRES_DATABASE = 'q_orchestrator';
export const POSTGRES_ROLE = 'postgres';
const DEADLINE_MS = 120_000;
const DRAFT = '.draft';

export type Cluster = Readonly<{ dataFolder: string; password: string }>;

/**
 * The cluster in `folder`, made when it is missing: data files, a random password in a file of its own, the database.
 * It is made aside and renamed at the end, so that one that exists is whole.
 * @throws AppError `postgres_unreachable` with what initdb said
 */
export async function ensureCluster(folder: string, binaries: PostgresBinaries, user: PostgresUser): Promise<Cluster> {
  const dataFolder = join(folder, 'data');
  const passwordFile = join(folder, 'password');
  if (existsSync(dataFolder) && existsSync(passwordFile)) {
    return { dataFolder, password: readFileSync(passwordFile, 'utf8').trim() };
  }
  if (existsSync(dataFolder)) throw lostPassword(passwordFile, dataFolder);
  const password = randomBytes(24).toString('base64url');
  // A name of its own: the initdb of a process that was killed may still be writing.
  for (const name of readdirSync(folder)) if (name.endsWith(DRAFT)) rmSync(join(folder, name), { recursive: true });
  const draft = join(folder, `data.${process.pid}${DRAFT}`);
  mkdirSync(draft, { mode: 0o700 });
  user.own(draft);
  writeFileSync(passwordFile, password, { mode: 0o600 });
  user.own(passwordFile);
  await initialise(draft, passwordFile, binaries, user);
  renameSync(draft, dataFolder);
  return { dataFolder, password };
}

async function initialise(draft: string, passwordFile: string, binaries: PostgresBinaries, user: PostgresUser) {
  const options = ['--locale-provider=builtin', '--locale=C.UTF-8', '--encoding=UTF8', '--auth=scram-sha-256'];
  const init = [`--pgdata=${draft}`, `--username=${POSTGRES_ROLE}`, `--pwfile=${passwordFile}`, ...options];
  await must(binaries.initdb, init, user, '');
  // The single-user mode needs neither a port nor a connection.
  await must(binaries.postgres, ['--single', '-D', draft, 'postgres'], user, `create database ${POSTGRES_DATABASE}\n`);
}

async function must(program: string, programArgs: readonly string[], user: PostgresUser, input: string) {
  const { command, args } = user.command(program, programArgs);
  const result = await run(command, args, { deadlineMs: DEADLINE_MS, cwd: '/', input, ...user.ids });
  if (result.code === 0 && !/^.*\b(ERROR|FATAL|PANIC): /m.test(result.output)) return;
  throw new AppError(
    'postgres_unreachable',
    `The embedded PostgreSQL could not make its data folder: ${lastLines(result.output)}. ` +
      'Free disk space or choose another DATA_DIR, or set DATABASE_URL to a running PostgreSQL.',
  );
}

function lostPassword(passwordFile: string, dataFolder: string): AppError {
  return new AppError(
    'postgres_unreachable',
    `${passwordFile} is missing: it holds the password of the database in ${dataFolder}. Put it back, or move that ` +
      'folder away to start with an empty database.',
  );
}
