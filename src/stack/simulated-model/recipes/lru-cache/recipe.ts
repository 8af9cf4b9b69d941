import type { Recipe } from '../../recipe.ts';

export const lruCache: Recipe = {
  name: 'lru-cache',
  title: 'a cache that forgets the least recently used entry (Python)',
  keywords: [/\blru\b|\bleast[- ]recently[- ]used\b/i, /\bcach/i],
  requirements: [
    'The cache keeps up to a given number of entries',
    'The entry that was not read or written for the longest time is forgotten first',
    'Hits, misses and evictions are counted',
  ],
  criteria: [
    {
      criterion: 'The cache never holds more than its capacity',
      file: 'lru_cache/cache.py',
      test: 'test_holds_as_many_entries_as_its_capacity',
    },
    {
      criterion: 'Reading an entry counts as use',
      file: 'lru_cache/cache.py',
      test: 'test_reading_an_entry_keeps_it',
    },
    {
      criterion: 'Hits, misses and evictions are counted',
      file: 'lru_cache/cache.py',
      test: 'test_counts_hits_misses_and_evictions',
    },
  ],
  openQuestions: ['Must the cache be safe to use from several threads? Assumed: no.'],
  plan: 'The package lru_cache with one class, LruCache in cache.py, over an ordered dictionary.',
  testingStrategy: 'unittest over capacity, order of use, counters and wrong capacities.',
  testCases: [
    { name: 'reading keeps', input: 'put a, put b, get a, put c; capacity 2', expected_output: 'a and c are left' },
    { name: 'oldest goes', input: 'put a, put b, put c; capacity 2', expected_output: 'b and c are left' },
    { name: 'wrong capacity', input: 'LruCache(0)', expected_output: 'ValueError' },
  ],
  mistake: {
    path: 'lru_cache/cache.py',
    right: '        self.hits += 1\n        self._entries.move_to_end(key)\n',
    wrong: '        self.hits += 1\n',
    correction: 'Reading an entry now counts as use; entries that were only read were forgotten too early.',
  },
};
