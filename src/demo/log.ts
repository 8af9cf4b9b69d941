import { type Logger, pino } from 'pino';
import { isJsonObject, type Json } from '../machine/json.ts';
import { clean, cut } from './text.ts';

const LIMIT = 400;

/** A log that tells a person what goes wrong, one short line each; all else would drown what is shown. */
export function createDemoLog(warn: (text: string) => void): Logger {
  return pino({ level: 'warn', base: null }, { write: (entry: string) => warn(warningOf(JSON.parse(entry) as Json)) });
}

function warningOf(entry: Json): string {
  if (!isJsonObject(entry)) return '';
  const { msg, error, err } = entry;
  const cause = error ?? (isJsonObject(err) ? err.message : undefined);
  const told = [msg, cause].filter((part) => typeof part === 'string' && part !== '');
  return cut(clean(`warning: ${told.join(': ')}`), LIMIT);
}
