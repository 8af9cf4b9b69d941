import { readFileSync } from 'node:fs';
import type { NativeConnectionOptions } from '@temporalio/worker';
import type { Config } from '../config.ts';
import { AppError } from '../errors.ts';
import { RETRIES } from './client-retries.ts';

type Access = Pick<Config['temporal'], 'apiKey' | 'tls'>;

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

/** Connection options of a client. */
export const clientConnectionOptions = (temporal: Config['temporal'], address: string) => ({
  ...connectionOptions(temporal, address),
  channelArgs: CHANNEL_ARGS,
  interceptors: RETRIES,
});

/**
 * Connection options of a worker. The SDK's default, gzip, costs processor time on both ends (measured: about a tenth); it pays
 * on a long way only, where there is TLS.
 */
export const workerConnectionOptions = (temporal: Access, address: string): NativeConnectionOptions => {
  const options = connectionOptions(temporal, address);
  return 'tls' in options ? options : { ...options, grpcCompression: { codec: 'none' } };
};

type Tls = {
  serverNameOverride?: string;
  serverRootCACertificate?: Buffer;
  clientCertPair?: { crt: Buffer; key: Buffer };
};

/** How anything reaches Temporal. @throws AppError `config_invalid` when a TLS file cannot be read */
export function connectionOptions({ apiKey, tls }: Access, address: string) {
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
