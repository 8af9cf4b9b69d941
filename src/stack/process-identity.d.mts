/** True while a process of this id exists; a zombie counts as gone, because it holds neither ports nor files. */
export function isAlive(pid: number): boolean;

/**
 * A text that differs between two processes that had the same id one after the other; null when the process is gone or
 * the platform does not tell.
 */
export function startMark(pid: number): string | null;

/** The arguments a process runs with, as one text with spaces between them; null when gone or not told. */
export function commandLine(pid: number): string | null;
