import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createHorizon } from '../../../src/api/live/horizon.ts';

type Writer = { name: string; ids: number[]; state: 'writing' | 'committed' | 'rolled back' };

/** What PostgreSQL does: ids rise, are given out under the table's lock, and are seen once their writer has committed. */
function createTable() {
  const writers: Writer[] = [];
  let lastId = 0;
  const open = (): Writer[] => writers.filter(({ state }) => state === 'writing');
  const endOne = (pick: number, state: 'committed' | 'rolled back'): void => {
    const writer = open()[pick % Math.max(1, open().length)];
    if (writer) writer.state = state;
  };
  return {
    visible: () => writers.filter(({ state }) => state === 'committed').flatMap(({ ids }) => ids),
    /** Ids that may yet become visible. */
    pending: () => open().flatMap(({ ids }) => ids),
    names: () => open().map(({ name }) => name),
    does: {
      begin: () => void writers.push({ name: `t${writers.length}`, ids: [], state: 'writing' }),
      insert: (pick: number) => {
        lastId += 1;
        open()[pick % Math.max(1, open().length)]?.ids.push(lastId);
      },
      commit: (pick: number) => endOne(pick, 'committed'),
      rollBack: (pick: number) => endOne(pick, 'rolled back'),
    },
  };
}

const step = fc.record({
  does: fc.constantFrom('begin', 'insert', 'insert', 'insert', 'commit', 'commit', 'rollBack', 'read end', 'look'),
  pick: fc.nat({ max: 5 }),
} as const);

describe('the horizon', () => {
  it('is never beyond an id that may yet become visible, however looks and writers mingle', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const table = createTable();
        const horizon = createHorizon();
        let end = 0;
        let settled = 0;
        for (const { does, pick } of steps) {
          if (does === 'read end') end = Math.max(0, ...table.visible());
          else if (does === 'look') {
            settled = Math.max(settled, horizon.look(end, table.names()) ?? 0);
          } else table.does[does](pick);
          expect(table.pending().filter((id) => id <= settled)).toEqual([]);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('reaches the end at once while nobody writes', () => {
    expect(createHorizon().look(7, [])).toBe(7);
  });

  it('is not known before a first list of writers is done', () => {
    const horizon = createHorizon();
    expect(horizon.look(7, ['a', 'b'])).toBeNull();
    expect(horizon.look(9, ['b', 'c'])).toBeNull();
    expect(horizon.look(12, ['c'])).toBe(7);
    expect(horizon.look(12, ['d'])).toBe(12);
  });

  it('goes on under writers that never pause, one list after the other', () => {
    const horizon = createHorizon();
    const seen = [1, 2, 3, 4, 5].map((look) => horizon.look(look * 10, [`w${look}`]));
    expect(seen).toEqual([null, 10, 20, 30, 40]);
  });
});
