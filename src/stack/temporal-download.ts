import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './run-command.ts';
import type { BinaryRequest } from './temporal-cache.ts';

const SCRIPT = fileURLToPath(new URL('./temporal-download.mjs', import.meta.url));
const DOWNLOAD_DEADLINE_MS = 90_000;

/** The binaries the SDK downloaded earlier; empty when there are none. */
export function listDownloads(cacheDir: string): readonly string[] {
  const folder = downloadDir(cacheDir);
  try {
    return readdirSync(folder)
      .filter((name) => name.startsWith('temporal') && !name.includes('download'))
      .map((name) => join(folder, name));
  } catch {
    return [];
  }
}

/**
 * Lets the Temporal SDK download its dev server. In a process of its own: the SDK's native runtime can be set up once
 * per process only, and a process can be ended at its deadline.
 */
export async function downloadWithSdk(
  { cacheDir, log, signal }: BinaryRequest,
  deadlineMs = DOWNLOAD_DEADLINE_MS,
): Promise<{ paths: readonly string[] } | { absent: string }> {
  const folder = downloadDir(cacheDir);
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    return { absent: `the cache cannot be written (${error instanceof Error ? error.message : String(error)})` };
  }
  log('downloading the Temporal dev server');
  const result = await run(process.execPath, [SCRIPT, folder], { deadlineMs, signal });
  const paths = listDownloads(cacheDir);
  if (paths.length > 0) return { paths };
  return { absent: result.timedOut ? `not done after ${deadlineMs / 1000} s` : firstLine(result.output) };
}

function downloadDir(cacheDir: string): string {
  return join(cacheDir, 'sdk-download');
}

function firstLine(text: string): string {
  return text.trim().split('\n')[0]?.slice(0, 300) || 'failed without a message';
}
