import type { Recipe } from '../../recipe.ts';

export const romanNumerals: Recipe = {
  name: 'roman-numerals',
  title: 'Roman numerals, both ways (Node.js)',
  keywords: [/\broman\b/i, /\bnumerals?\b/i],
  requirements: [
    'toRoman(number) writes whole numbers from 1 to 3999',
    'fromRoman(text) reads numerals in either case',
    'Everything else is refused with an error that names the value',
  ],
  criteria: [
    {
      criterion: 'Numerals take away where it is usual: 4 is IV, 1994 is MCMXCIV',
      file: 'src/roman.js',
      test: 'writes numerals that take away',
    },
    {
      criterion: 'Every number from 1 to 3999 is read back as it was written',
      file: 'src/roman.js',
      test: 'reads back every number it writes',
    },
    {
      criterion: 'Wrong numbers and wrong numerals are refused',
      file: 'src/roman.js',
      test: 'refuses text that is no numeral',
    },
  ],
  openQuestions: ['Are numbers over 3999 (overlined letters) wanted? Assumed: no.'],
  plan: 'One ES module without dependencies, src/roman.js, with toRoman and fromRoman; one table of symbols.',
  testingStrategy:
    'Unit tests with node:test: known numerals, both limits, the round trip of every number, wrong input.',
  testCases: [
    { name: 'adds', input: '2023', expected_output: 'MMXXIII' },
    { name: 'takes away', input: '4', expected_output: 'IV' },
    { name: 'reads', input: 'mcmxciv', expected_output: '1994' },
  ],
  mistake: {
    path: 'src/roman.js',
    right: "  [4, 'IV'],\n",
    wrong: '',
    correction: '4 is now written IV; its entry was missing in the table, which gave IIII.',
  },
};
