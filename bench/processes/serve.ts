type Question = Readonly<{ id: number; question: string; value: unknown }>;

/** What a process has used since it began. */
export type Usage = Readonly<{ cpuMs: number; rssBytes: number }>;

export const argument = <T>(): T => JSON.parse(process.argv[2] ?? 'null') as T;

/** `settled` collects garbage first, so that what is read is what is kept. */
export function usage(settled: boolean): Usage {
  if (settled) globalThis.gc?.();
  const { user, system } = process.cpuUsage();
  return { cpuMs: (user + system) / 1000, rssBytes: process.memoryUsage.rss() };
}

/** Tells the bench that this process is ready, and answers it until it goes away; then closes and ends. */
export function serve(
  ready: unknown,
  answers: Readonly<Record<string, (value: unknown) => unknown>>,
  close: () => Promise<unknown>,
): void {
  const send = (answer: object): void => {
    if (process.connected) process.send?.(answer);
  };
  process.on('message', ({ id, question, value }: Question) => {
    Promise.resolve()
      .then(() => answers[question]?.(value))
      .then(
        (given) => send({ id, value: given }),
        (error: unknown) => send({ id, error: String(error) }),
      );
  });
  process.once('disconnect', () => {
    void close().finally(() => process.exit());
  });
  send({ id: 0, value: ready });
}
