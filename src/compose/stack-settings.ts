import type { Config } from '../config.ts';
import type { StackSettings } from '../stack/stack.ts';
import { SEARCH_ATTRIBUTES } from '../workflows/messages.ts';
import { connectionOptions } from './temporal.ts';

/** What the stack needs of the configuration: which parts are configured, and where the rest may live. */
export function stackSettings(config: Config, log: (line: string) => void): StackSettings {
  const { address, namespace, cli } = config.temporal;
  const base = { dataDir: config.dataDir, cacheDir: config.cacheDir, searchAttributes: SEARCH_ATTRIBUTES, log };
  const database = config.databaseUrl === null ? {} : { databaseUrl: config.databaseUrl };
  const binary = cli === null ? {} : { temporalCli: cli };
  if (address === null) return { ...base, ...database, ...binary };
  const { address: temporalAddress, ...access } = connectionOptions(config.temporal, address);
  return { ...base, ...database, temporalAddress, temporalAccess: { ...access, namespace } };
}
