import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PRISMA_FOLDER = fileURLToPath(new URL('../../prisma/', import.meta.url));

/** `checksum` is the one that Prisma keeps in `_prisma_migrations`: SHA-256 of the script, in hex. */
type Migration = Readonly<{ name: string; sql: string; checksum: string }>;

/** The database that this version of the product works with. */
export type SchemaFiles = Readonly<{
  folder: string;
  schema: string;
  lockfile: string;
  migrations: readonly Migration[];
}>;

/** Reads schema.prisma and the migrations, oldest first. */
export function readSchemaFiles(prismaFolder = PRISMA_FOLDER): SchemaFiles {
  const folder = join(prismaFolder, 'migrations');
  const names = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
  const migrations = names.sort().map((name) => {
    const sql = readFileSync(join(folder, name, 'migration.sql'), 'utf8');
    return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
  });
  const lockfile = readFileSync(join(folder, 'migration_lock.toml'), 'utf8');
  return { folder, schema: readFileSync(join(prismaFolder, 'schema.prisma'), 'utf8'), lockfile, migrations };
}

const BLOCK = /^(?:model|view) (\w+) \{\n([\s\S]*?)^\}/gm;
const FIELD = /^ {2}(\w+) +(\w+)\S*(.*)$/gm;
const MAPPED = /[^@]@map\("(\w+)"\)/;
const TABLE = /@@map\("(\w+)"\)/;

/** Every table and view of a Prisma schema with its columns, as `table.column`. */
export function columnsOf(schema: string): string[] {
  const blocks = [...schema.matchAll(BLOCK)].map(([, name = '', body = '']) => ({ name, body }));
  const models = new Set(blocks.map(({ name }) => name));
  return blocks.flatMap(({ name, body }) => {
    const table = TABLE.exec(body)?.[1] ?? name;
    return [...body.matchAll(FIELD)].flatMap(([, field = '', type = '', attributes = '']) =>
      models.has(type) ? [] : [`${table}.${MAPPED.exec(attributes)?.[1] ?? field}`],
    );
  });
}
