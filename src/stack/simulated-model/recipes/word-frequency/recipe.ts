import type { Recipe } from '../../recipe.ts';

export const wordFrequency: Recipe = {
  name: 'word-frequency',
  title: 'a word-frequency command line tool (Python)',
  keywords: [/\bword[- ]?(frequenc\w*|counts?|counter)\b|\b(count\w*|frequenc\w*)\b.{0,40}\bwords?\b/i],
  requirements: [
    'Words are counted without regard to case, from a file or standard input',
    'The most frequent words are printed first, equal ones in alphabetical order',
    '--top and --min-length choose what is shown',
  ],
  criteria: [
    {
      criterion: 'The, the and THE are one word',
      file: 'word_frequency/counter.py',
      test: 'test_counts_without_regard_to_case',
    },
    {
      criterion: 'The order of the output is always the same',
      file: 'word_frequency/counter.py',
      test: 'test_puts_equal_counts_in_alphabetical_order',
    },
    {
      criterion: 'The tool reads files and standard input',
      file: 'word_frequency/cli.py',
      test: 'test_reads_standard_input',
    },
  ],
  openQuestions: ['Are words with a hyphen one word or two? Assumed: one.'],
  plan: 'The package word_frequency: counter.py splits and counts, cli.py reads, prints and parses the options.',
  testingStrategy: 'unittest over splitting, counting, order and the command line, called in the same process.',
  testCases: [
    { name: 'case', input: 'The cat and the dog and THE bird', expected_output: 'the: 3' },
    { name: 'top', input: '--top 2, "the cat and the dog"', expected_output: '2  the, 1  and' },
    { name: 'empty', input: '', expected_output: '' },
  ],
  mistake: {
    path: 'word_frequency/counter.py',
    right: '[word.casefold() for word in WORD.findall(text)]',
    wrong: 'WORD.findall(text)',
    correction: 'Words are now folded to one case before they are counted; The and the were two words.',
  },
};
