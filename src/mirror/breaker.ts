type BreakerState = Readonly<{ kind: 'closed' } | { kind: 'open'; untilMs: number } | { kind: 'probing' }>;

export type Breaker = Readonly<{
  /** False: do not even try. True: try, and report how it went with `succeeded` or `failed`. */
  mayTry: () => boolean;
  succeeded: () => void;
  failed: () => void;
}>;

/**
 * After a failure nobody tries for `openMs`; then one does, and the others still wait for what it finds. So a server
 * that hangs costs one deadline per `openMs`, however many builds there are.
 */
export function createBreaker(openMs: number, nowMs: () => number): Breaker {
  let state: BreakerState = { kind: 'closed' };
  return {
    mayTry: () => {
      if (state.kind === 'closed') return true;
      if (state.kind === 'probing' || nowMs() < state.untilMs) return false;
      state = { kind: 'probing' };
      return true;
    },
    succeeded: () => {
      state = { kind: 'closed' };
    },
    failed: () => {
      state = { kind: 'open', untilMs: nowMs() + openMs };
    },
  };
}
