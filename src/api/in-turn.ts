import { AppError } from '../errors.ts';
import { RETRY_AFTER_S, Unreachable } from './temporal-call.ts';

type Waiting = Readonly<{ begin: () => void; giveUp: (error: unknown) => void }>;

const tooBusy = (atOnce: number, waitMs: number): AppError =>
  new AppError(
    'too_busy',
    `Its turn did not come within ${waitMs / 1000} s: Temporal is slow, and has no more than ${atOnce} of these calls at once. It was not begun; make it again.`,
    { retryAfterS: RETRY_AFTER_S },
  );

/** Does the work when its turn has come. */
export type InTurn = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * Lets no more than so many calls to Temporal be under way at once; the others begin in the order in which they came.
 * One that fails because the server is away ends the waiting of all: they would wait to learn the same.
 * @returns what does the work; where its turn does not come in time, it rejects with AppError `too_busy` and has not begun it
 */
export function inTurn({ atOnce, waitMs }: Readonly<{ atOnce: number; waitMs: number }>): InTurn {
  const waiting = new Set<Waiting>();
  let underWay = 0;

  const turn = (): Promise<void> => {
    if (underWay < atOnce) {
      underWay += 1;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        clearTimeout(timer);
        waiting.delete(one);
      };
      const one: Waiting = {
        begin: () => {
          leave();
          resolve();
        },
        giveUp: (error) => {
          leave();
          reject(error);
        },
      };
      const timer = setTimeout(() => one.giveUp(tooBusy(atOnce, waitMs)), waitMs);
      waiting.add(one);
    });
  };

  // Whoever is next takes the place over, so that nobody who comes in this moment is before him.
  const leavePlace = (): void => {
    const [next] = waiting;
    if (next) next.begin();
    else underWay -= 1;
  };

  return async (work) => {
    await turn();
    try {
      return await work();
    } catch (error) {
      if (error instanceof Unreachable) for (const one of [...waiting]) one.giveUp(error);
      throw error;
    } finally {
      leavePlace();
    }
  };
}
