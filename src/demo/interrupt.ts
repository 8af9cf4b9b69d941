const CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
/** One Ctrl-C may arrive twice: from the terminal, and from the process that started this one. */
const SAME_MS = 1000;

export type Interrupt = Readonly<{
  /** Aborted by the first signal. */
  signal: AbortSignal;
  /** What the process then exits with, as shells report it. */
  exitCode(): number;
}>;

/** Turns Ctrl-C and its like into an abort; a second one ends the process at once, and the embedded servers with it. */
export function listenForInterrupt(): Interrupt {
  const controller = new AbortController();
  let firstAtMs = 0;
  let exitCode: number = CODES.SIGINT;
  for (const [name, code] of Object.entries(CODES)) {
    process.on(name, () => {
      if (controller.signal.aborted && performance.now() - firstAtMs > SAME_MS) process.exit(code);
      if (controller.signal.aborted) return;
      firstAtMs = performance.now();
      exitCode = code;
      controller.abort();
    });
  }
  return { signal: controller.signal, exitCode: () => exitCode };
}
