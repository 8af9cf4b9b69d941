import { PrismaPg } from '@prisma/adapter-pg';
import { AppError } from '../errors.ts';
import { within } from '../within.ts';

/**
 * Proves that a PostgreSQL server answers a query there, with this user, password and database.
 * @throws AppError `postgres_unreachable` within the timeout; its message does not hold the password
 */
export async function checkPostgres(url: string, timeoutMs: number): Promise<void> {
  try {
    await within(query(url, timeoutMs), timeoutMs);
  } catch (error) {
    throw new AppError(
      'postgres_unreachable',
      `DATABASE_URL=${withoutPassword(url)}: no PostgreSQL answered there within ${timeoutMs / 1000} s ` +
        `(${reasonOf(error, url)}). Start it, correct DATABASE_URL, or unset it to have an embedded one.`,
    );
  }
}

/** The address for people and logs: user, host, port and database, never the password. */
export function withoutPassword(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed === null) return '(not a URL)';
  return `${parsed.protocol}//${parsed.username === '' ? '' : `${parsed.username}@`}${parsed.host}${parsed.pathname}`;
}

async function query(url: string, timeoutMs: number): Promise<void> {
  const config = { connectionString: url, connectionTimeoutMillis: timeoutMs, query_timeout: timeoutMs, max: 1 };
  // Without a listener a connection that dies between two calls would end the process.
  const ignore = { onPoolError: () => undefined, onConnectionError: () => undefined };
  const adapter = await new PrismaPg(config, ignore).connect();
  try {
    await adapter.queryRaw({ sql: 'select 1', args: [], argTypes: [] });
  } finally {
    await adapter.dispose();
  }
}

function reasonOf(error: unknown, url: string): string {
  const cause = error instanceof Error && 'cause' in error ? error.cause : null;
  const told = typeof cause === 'object' && cause !== null && 'originalMessage' in cause ? cause.originalMessage : null;
  const reason = String(told ?? (error instanceof Error ? error.message : 'unknown reason')).slice(0, 200);
  const password = URL.canParse(url) ? new URL(url).password : '';
  return password === '' ? reason : reason.replaceAll(password, '***').replaceAll(decodeURIComponent(password), '***');
}
