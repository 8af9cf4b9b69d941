/**
 * Generates the Prisma client from prisma/schema.prisma, and remembers from which schema. Runs after every npm install
 * and, through run.mjs, when the schema changed. Does nothing where there is no schema.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const GENERATE_DEADLINE_MS = 120_000;

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const schema = join(root, 'prisma', 'schema.prisma');
const client = join(root, 'prisma', 'client');
const record = join(root, 'node_modules', '.q-orchestrator-prisma');

/** Whether the client is missing or was made from another schema. */
export function isClientStale() {
  if (!existsSync(schema)) return false;
  if (!existsSync(client) || !existsSync(record)) return true;
  return readFileSync(record, 'utf8') !== schemaHash();
}

function generate() {
  if (!existsSync(schema)) return 0;
  const prisma = join(root, 'node_modules', 'prisma', 'build', 'index.js');
  if (!existsSync(prisma)) {
    console.error(
      'The Prisma client was not generated: the package "prisma" is not installed. Run "npm ci --include=dev".',
    );
    return 0;
  }
  // Prisma downloads an engine before it generates, although generating needs none. Any program that exists will do.
  const env = { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, PRISMA_HIDE_UPDATE_MESSAGE: '1' };
  const options = { cwd: root, env, encoding: 'utf8', timeout: GENERATE_DEADLINE_MS };
  const result = spawnSync(process.execPath, [prisma, 'generate', '--schema', schema], options);
  if (result.status === 0) {
    writeFileSync(record, schemaHash());
    return 0;
  }
  console.error(`${result.stdout ?? ''}${result.stderr ?? ''}`);
  console.error('The Prisma client could not be generated from prisma/schema.prisma; see above.');
  return 1;
}

function schemaHash() {
  return createHash('sha256').update(readFileSync(schema)).digest('hex');
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) process.exitCode = generate();
