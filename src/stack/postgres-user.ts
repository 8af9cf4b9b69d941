import { chownSync } from 'node:fs';
import { dirname } from 'node:path';
import { AppError } from '../errors.ts';
import type { PostgresBinaries } from './postgres-binaries.ts';
import { run } from './run-command.ts';

/** PostgreSQL refuses to run as root. How its programs are run instead, and who owns their files. */
export type PostgresUser = Readonly<{
  command: (program: string, args: readonly string[]) => Readonly<{ command: string; args: readonly string[] }>;
  ids: Readonly<{ uid: number; gid: number }> | Readonly<Record<string, never>>;
  own: (path: string) => void;
}>;

const NAME = 'postgres';
const DEADLINE_MS = 10_000;

const OURSELVES: PostgresUser = { command: (command, args) => ({ command, args }), ids: {}, own: () => undefined };

/**
 * Who runs PostgreSQL: this user, or, as root, the system's user `postgres`, made when it is missing. That user must
 * reach the programs and the folder, which below root's home it may not: then it is lent the one right to pass folders.
 * @param folder exists; becomes the user's own
 * @throws AppError `data_dir_unwritable` when there is no way to let it in
 */
export async function postgresUser(folder: string, binaries: PostgresBinaries): Promise<PostgresUser> {
  if (process.getuid?.() !== 0) return OURSELVES;
  const ids = (await lookUp()) ?? (await create());
  chownSync(folder, ids.uid, ids.gid);
  for (const user of candidates(ids)) if (await reaches(user, folder, binaries)) return user;
  throw new AppError(
    'data_dir_unwritable',
    `As root, PostgreSQL runs as user "${NAME}", which cannot reach ${folder} or ${dirname(binaries.postgres)}. Run as an ` +
      'user, or put the project and DATA_DIR in a folder that all users may pass (chmod o+x), or set DATABASE_URL.',
  );
}

function candidates(ids: { uid: number; gid: number }): readonly PostgresUser[] {
  const own = (path: string): void => chownSync(path, ids.uid, ids.gid);
  const plain: PostgresUser = { command: (command, args) => ({ command, args }), ids, own };
  const lent = (right: string): PostgresUser => ({
    ids: {},
    own,
    command: (program, args) => ({
      command: 'setpriv',
      args: [
        ...[`--reuid=${ids.uid}`, `--regid=${ids.gid}`, '--clear-groups'],
        // Without this bit access(2), by which PostgreSQL checks its own programs, ignores the right that was lent.
        '--securebits=+no_setuid_fixup',
        ...[`--inh-caps=-all,+${right}`, `--ambient-caps=-all,+${right}`, '--', program, ...args],
      ],
    }),
  });
  // Containers usually lack the narrower right.
  return [plain, lent('dac_read_search'), lent('dac_override')];
}

async function reaches(user: PostgresUser, folder: string, { postgres }: PostgresBinaries): Promise<boolean> {
  const probe = ['-c', 'test -x "$1" && test -w "$2"', 'sh', postgres, folder];
  const { command, args } = user.command('/bin/sh', probe);
  return (await run(command, args, { deadlineMs: DEADLINE_MS, cwd: '/', ...user.ids })).code === 0;
}

async function lookUp(): Promise<{ uid: number; gid: number } | null> {
  const [uid, gid] = await Promise.all(
    ['-u', '-g'].map((flag) => run('id', [flag, NAME], { deadlineMs: DEADLINE_MS })),
  );
  if (uid?.code !== 0 || gid?.code !== 0) return null;
  return { uid: Number.parseInt(uid.output, 10), gid: Number.parseInt(gid.output, 10) };
}

async function create(): Promise<{ uid: number; gid: number }> {
  const options = { deadlineMs: DEADLINE_MS };
  await run('groupadd', ['--system', NAME], options);
  const made = await run('useradd', ['--system', '--no-create-home', '-g', NAME, NAME], options);
  // Alpine has its own commands.
  if (made.code !== 0) await run('adduser', ['-S', '-D', '-H', NAME], options);
  const ids = await lookUp();
  if (ids !== null) return ids;
  throw new AppError(
    'postgres_unreachable',
    `PostgreSQL does not run as root, and the user "${NAME}" could not be made (${made.output.trim().slice(0, 200)}). ` +
      'Run as an ordinary user, or set DATABASE_URL to a running PostgreSQL.',
  );
}
