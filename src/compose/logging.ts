import { type Logger, pino } from 'pino';
import type { Config } from '../config.ts';

/** Names under which a secret could be logged; nothing logs one on purpose. */
const SECRETS = ['*.apiKey', '*.secret', '*.password', '*.authorization', 'req.headers.authorization'];

/** Logs go to stderr, so that stdout is the command's own. */
export function createLog(level: Config['logLevel']): Logger {
  return pino({ level, redact: SECRETS, base: null }, pino.destination({ fd: 2, sync: true }));
}
