import { AppError } from '../errors.ts';

/** A longer timer would fire at once. */
const TIMER_LIMIT_MS = 2 ** 31 - 1;

/** How long to wait for the first item and for each further one, in ms. */
export type Patience = Readonly<{ firstMs: number; nextMs: number }>;

/**
 * The items of a source, as long as they keep coming: a build whose engine fails again and again never says so itself.
 * @throws AppError `no_worker` when the next item is too long in coming
 */
export async function* withPatience<T>(source: AsyncGenerator<T, void>, patience: Patience): AsyncGenerator<T, void> {
  let waitMs = patience.firstMs;
  for (;;) {
    const next = source.next();
    const silent = Symbol('silent');
    const item = await Promise.race([next, quietFor(waitMs, next).then(() => silent)]);
    if (typeof item === 'symbol') {
      throw new AppError(
        'no_worker',
        `The build has done nothing for ${Math.round(waitMs / 1000)} s. The warnings above say why; it goes on with ` +
          '"npm start" once that is mended.',
      );
    }
    if (item.done) return;
    yield item.value;
    waitMs = patience.nextMs;
  }
}

/** Resolves when the work has not settled within the time; stays open when it has. */
function quietFor(waitMs: number, work: Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, Math.min(waitMs, TIMER_LIMIT_MS));
    const settled = (): void => clearTimeout(timer);
    work.then(settled, settled);
  });
}
