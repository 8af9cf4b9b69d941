import type { Recipe } from '../../recipe.ts';

export const csvToJson: Recipe = {
  name: 'csv-to-json',
  title: 'a converter from CSV to JSON (Python)',
  keywords: [/\bcsv\b[\s\S]*\bjson\b|\bjson\b[\s\S]*\bcsv\b/i, /\bconver/i],
  requirements: [
    'CSV with a header line becomes a JSON list with one object per line',
    'Numbers, true, false and empty cells become JSON values; numbers with leading zeros stay text',
    'Wrong input is refused with a message that names the line',
  ],
  criteria: [
    {
      criterion: 'Every line after the header becomes one object',
      file: 'csv_to_json/converter.py',
      test: 'test_gives_one_record_per_line',
    },
    {
      criterion: 'Zip codes such as 01234 keep their leading zero',
      file: 'csv_to_json/converter.py',
      test: 'test_keeps_numbers_with_leading_zeros_as_text',
    },
    {
      criterion: 'A wrong row is refused with its line number',
      file: 'csv_to_json/converter.py',
      test: 'test_names_the_line_of_a_wrong_row',
    },
  ],
  openQuestions: ['May the input be larger than memory? Assumed: no.'],
  plan: 'The package csv_to_json: converter.py reads and types the cells, cli.py reads, prints and parses the options.',
  testingStrategy: 'unittest over types, quoting, delimiters, wrong input and the command line, in the same process.',
  testCases: [
    { name: 'records', input: 'name,age / Ada,36', expected_output: '[{"name": "Ada", "age": 36}]' },
    { name: 'leading zeros', input: 'zip / 01234', expected_output: '[{"zip": "01234"}]' },
    { name: 'wrong row', input: 'a,b / 1,2 / 3', expected_output: 'line 3: 1 cells, but the header has 2' },
  ],
  mistake: {
    path: 'csv_to_json/converter.py',
    right: 'INTEGER = re.compile(r"-?(0|[1-9]\\d*)")',
    wrong: 'INTEGER = re.compile(r"-?\\d+")',
    correction: 'Whole numbers with leading zeros now stay text; 01234 had become 1234.',
  },
};
