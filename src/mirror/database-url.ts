/** Where a database is, for messages: host, port and name, never the user or the password. */
export function describeDatabase(databaseUrl: string): string {
  try {
    const { hostname, port, pathname } = new URL(databaseUrl);
    return `${hostname || 'localhost'}:${port || '5432'}${pathname}`;
  } catch {
    return 'the configured address';
  }
}

/**
 * What a driver's error says, fit for messages: PostgreSQL's own words with their SQLSTATE, or the system's code.
 * Nothing else of the error is used, because drivers put whole connection strings into some of theirs.
 */
export function postgresReason(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown reason';
  // Several addresses of one name (localhost): the first tells enough.
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  const code = sqlState(first);
  if (code === null)
    return first instanceof Error && SAFE_MESSAGE.test(first.message) ? first.message : 'no connection';
  return /^[0-9A-Z]{5}$/.test(code) && first instanceof Error ? `${first.message} (SQLSTATE ${code})` : code;
}

/** The SQLSTATE of PostgreSQL's own refusals, or the system's code like ECONNREFUSED; null when there is none. */
export function sqlState(error: unknown): string | null {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  return typeof code === 'string' ? code : null;
}

/** The server works but refuses these rows (SQLSTATE classes 22 and 23): one build's trouble, not an outage. */
export const isRefusedData = (error: unknown): boolean => /^2[23]/.test(sqlState(error) ?? '');

const SAFE_MESSAGE = /^(Connection terminated|timeout exceeded|no answer|The server does not support SSL)/;
