import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import { AppError } from '../errors.ts';
import type { Fault } from '../machine/json.ts';
import { migrate } from '../stack/migrations.ts';

/** Where a part that runs alone finds the two servers, which it does not start. */
export type Addresses = Readonly<{ databaseUrl: string; temporalAddress: string }>;

/** @throws AppError `config_invalid` naming both variables that are missing */
export function requireAddresses(config: Config): Addresses {
  const { databaseUrl } = config;
  const temporalAddress = config.temporal.address;
  if (databaseUrl !== null && temporalAddress !== null) return { databaseUrl, temporalAddress };
  const why = 'must be set where the API or a worker runs alone; `npm start` brings embedded servers';
  const faults: Fault[] = [
    ...(databaseUrl === null ? [{ at: 'DATABASE_URL', fault: why }] : []),
    ...(temporalAddress === null ? [{ at: 'TEMPORAL_ADDRESS', fault: why }] : []),
  ];
  const listed = faults.map(({ at, fault }) => `  ${at} ${fault}`).join('\n');
  throw new AppError('config_invalid', `The configuration cannot be used:\n${listed}`, { faults });
}

/** A configured database that does not answer is told within ten seconds. */
export const DATABASE_ANSWER_TIMEOUT_MS = 10_000;
const AGAIN_AFTER_MS = 2000;

/** Migrates as soon as Postgres answers, however long that takes; `stop` ends the waiting. */
export function migrateWhenReady(databaseUrl: string, log: Logger): { stop(): void } {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  const attempt = async (): Promise<void> => {
    try {
      await migrate(databaseUrl, { timeoutMs: DATABASE_ANSWER_TIMEOUT_MS, log: (line) => log.info(line) });
    } catch (error) {
      log.warn({ error: error instanceof Error ? error.message : String(error) }, 'the mirror is not ready yet');
      if (!stopped) timer = setTimeout(() => void attempt(), AGAIN_AFTER_MS);
    }
  };
  void attempt();
  return {
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
