import { Unreachable } from './temporal-call.ts';

type Waiting = Readonly<{ begin: () => void; giveUp: (error: unknown) => void }>;

/** Does the work when its turn has come. */
export type InTurn = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * Lets no more than so many calls to Temporal be under way at once; the others begin in the order in which they came.
 * One that fails because the server is away ends the waiting of all: they would wait to learn the same.
 * @returns what does the work; it rejects with Unreachable, and the work has not begun, when its turn does not come in time
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
      const timer = setTimeout(() => one.giveUp(new Unreachable('too many calls were before it')), waitMs);
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
