import { readFileSync } from 'node:fs';
import type { Config } from '../config.ts';
import { AppError } from '../errors.ts';
import { RETRIES } from './client-retries.ts';

function readPem(variable: string, path: string | undefined): Buffer | undefined {
  if (path === undefined) return undefined;
  try {
    return readFileSync(path);
  } catch {
    throw new AppError(
      'config_invalid',
      `${variable} names "${path}", which cannot be read; give the path of a PEM file`,
    );
  }
}

/** Without these, gRPC waits up to two minutes between tries: a server that is back would go unnoticed for that long. */
const CHANNEL_ARGS = { 'grpc.initial_reconnect_backoff_ms': 200, 'grpc.max_reconnect_backoff_ms': 2000 };

/** Connection options of a client; a worker's native connection takes those of {@link connectionOptions}. */
export const clientConnectionOptions = (temporal: Config['temporal'], address: string) => ({
  ...connectionOptions(temporal, address),
  channelArgs: CHANNEL_ARGS,
  interceptors: RETRIES,
});

type Tls = {
  serverNameOverride?: string;
  serverRootCACertificate?: Buffer;
  clientCertPair?: { crt: Buffer; key: Buffer };
};

/** How workers (and, with more, clients) reach Temporal. @throws AppError `config_invalid` when a TLS file cannot be read */
export function connectionOptions({ apiKey, tls }: Config['temporal'], address: string) {
  const ca = readPem('TEMPORAL_TLS_CA', tls?.caFile);
  const crt = readPem('TEMPORAL_TLS_CERT', tls?.certFile);
  const key = readPem('TEMPORAL_TLS_KEY', tls?.keyFile);
  const options: Tls = {
    ...(tls?.serverName === undefined ? {} : { serverNameOverride: tls.serverName }),
    ...(ca ? { serverRootCACertificate: ca } : {}),
    ...(crt && key ? { clientCertPair: { crt, key } } : {}),
  };
  return { address, ...(tls ? { tls: options } : apiKey ? { tls: true } : {}), ...(apiKey ? { apiKey } : {}) };
}
