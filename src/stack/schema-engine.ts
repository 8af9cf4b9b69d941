import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { PrismaPg } from '@prisma/adapter-pg';
import {
  bindMigrationAwareSqlAdapterFactory,
  type SqlDriverAdapter,
  type SqlMigrationAwareDriverAdapterFactory,
} from '@prisma/driver-adapter-utils';
import * as engineModule from '@prisma/schema-engine-wasm/schema_engine_bg';
import { Pool } from 'pg';

export type SchemaEngine = engineModule.SchemaEngine;

const CONNECT_TIMEOUT_MS = 5_000;
/** A statement may take hours; that the server behind it is gone is to be seen within minutes. */
export const KEPT_ALIVE = { keepAlive: true, keepAliveInitialDelayMillis: 30_000 } as const;

let loaded: Promise<void> | undefined;

/** The package is made for bundlers; in plain Node its WebAssembly is instantiated by hand, once per process. */
async function load(): Promise<void> {
  const file = createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm/schema_engine_bg');
  const bytes = await readFile(file.replace(/\.js$/, '.wasm'));
  // Node 20 has these globals, its types only with the DOM's.
  const { WebAssembly } = globalThis as unknown as { WebAssembly: WasmApi };
  const { instance } = await WebAssembly.instantiate(bytes, { './schema_engine_bg.js': engineModule });
  engineModule.__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start();
}

type WasmApi = {
  instantiate: (
    bytes: Uint8Array,
    imports: Record<string, unknown>,
  ) => Promise<{ instance: { exports: { __wbindgen_start: () => void } } }>;
};

/**
 * The adapter's own executeScript cuts a script at every semicolon and commits each piece, so that a process killed in
 * between leaves half a schema. Sent whole and without arguments, PostgreSQL runs it as one transaction.
 */
function inOneTransaction(adapter: SqlDriverAdapter): SqlDriverAdapter {
  return Object.assign(adapter, {
    executeScript: async (sql: string): Promise<void> => {
      await adapter.executeRaw({ sql, args: [], argTypes: [] });
    },
  });
}

function adapterFactory(pool: Pool): SqlMigrationAwareDriverAdapterFactory {
  const factory = new PrismaPg(pool);
  return {
    provider: factory.provider,
    adapterName: factory.adapterName,
    connect: async () => inOneTransaction(await factory.connect()),
    // With a connection string the adapter's own shadow database would be the database itself.
    connectToShadowDb: () => Promise.reject(new Error('there is no shadow database')),
  };
}

/** Runs work with Prisma's schema engine on a database. The engine logs to nobody: its failures come as errors. */
export async function withSchemaEngine<T>(
  databaseUrl: string,
  schema: string,
  work: (engine: SchemaEngine) => Promise<T>,
): Promise<T> {
  loaded ??= load();
  await loaded;
  const pool = new Pool({ connectionString: databaseUrl, connectionTimeoutMillis: CONNECT_TIMEOUT_MS, ...KEPT_ALIVE });
  const factory = bindMigrationAwareSqlAdapterFactory(adapterFactory(pool));
  const datamodels: [string, string][] = [['schema.prisma', schema]];
  try {
    const engine = await engineModule.SchemaEngine.new({ datamodels }, () => undefined, factory);
    try {
      return await work(engine);
    } finally {
      engine.free();
    }
  } finally {
    await pool.end();
  }
}
