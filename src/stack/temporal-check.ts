import { Connection, type ConnectionOptions } from '@temporalio/client';
import { AppError } from '../errors.ts';
import { within } from '../within.ts';

export type TemporalAccess = Readonly<Pick<ConnectionOptions, 'tls' | 'apiKey'> & { namespace?: string }>;

const NOT_FOUND = 5;

/**
 * Proves that a Temporal server answers there and, when a namespace is given, that it has it.
 * @throws AppError `temporal_unreachable` within the timeout
 */
export async function checkTemporal(address: string, timeoutMs: number, access: TemporalAccess = {}): Promise<void> {
  const { namespace, ...connection } = access;
  try {
    await withConnection(address, timeoutMs, connection, async ({ workflowService }) => {
      if (namespace !== undefined) await workflowService.describeNamespace({ namespace });
      else await workflowService.getSystemInfo({});
    });
  } catch (error) {
    if (namespace !== undefined && hasCode(error, NOT_FOUND)) throw noNamespace(address, namespace);
    throw new AppError(
      'temporal_unreachable',
      `TEMPORAL_ADDRESS=${address}: no Temporal server answered there within ${timeoutMs / 1000} s (${reasonOf(error)}). ` +
        'Start it, correct the address or the TLS settings, or unset TEMPORAL_ADDRESS to have an embedded one.',
    );
  }
}

/**
 * Sets how long closed workflows stay readable.
 * @throws AppError `temporal_unreachable` within the timeout
 */
export async function setRetention(address: string, namespace: string, days: number, timeoutMs: number): Promise<void> {
  const seconds = days * 24 * 3600;
  try {
    await withConnection(address, timeoutMs, {}, async ({ workflowService }) => {
      // A generated protobuf type wants its own 64-bit integer; a plain number is accepted on the wire side.
      const config = { workflowExecutionRetentionTtl: { seconds: seconds as unknown as null } };
      await workflowService.updateNamespace({ namespace, config });
    });
  } catch (error) {
    throw new AppError(
      'temporal_unreachable',
      `The embedded Temporal server on ${address} did not answer within ${timeoutMs / 1000} s (${reasonOf(error)}). ` +
        'Start again, or set TEMPORAL_ADDRESS to a running Temporal server.',
    );
  }
}

async function withConnection(
  address: string,
  timeoutMs: number,
  options: Pick<ConnectionOptions, 'tls' | 'apiKey'>,
  use: (connection: Connection) => Promise<void>,
): Promise<void> {
  const connection = Connection.lazy({ address, connectTimeout: timeoutMs, ...options });
  const work = async (): Promise<void> => {
    await connection.ensureConnected();
    await connection.withDeadline(Date.now() + timeoutMs, () => use(connection));
  };
  try {
    await within(work(), timeoutMs);
  } finally {
    await connection.close();
  }
}

function hasCode(error: unknown, code: number): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === code;
}

function noNamespace(address: string, namespace: string): AppError {
  return new AppError(
    'temporal_unreachable',
    `TEMPORAL_NAMESPACE=${namespace}: the Temporal server on ${address} has no such namespace. Create it with ` +
      `"temporal operator namespace create -n ${namespace} --address ${address}", or correct TEMPORAL_NAMESPACE.`,
  );
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message.slice(0, 200) : 'unknown reason';
}
