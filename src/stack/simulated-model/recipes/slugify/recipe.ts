import type { Recipe } from '../../recipe.ts';

export const slugify: Recipe = {
  name: 'slugify',
  title: 'a function that turns titles into slugs (Node.js)',
  keywords: [/\bslug/i, /\btitles?\b/i],
  requirements: [
    'slugify(title) gives lower case words of a to z and 0 to 9, joined by single hyphens',
    'Accents are stripped, letters such as ß and ø are written out',
    'A longest length can be given; words stay whole',
    'uniqueSlug(title, taken) numbers a slug that is taken',
  ],
  criteria: [
    {
      criterion: 'A slug holds only a to z, 0 to 9 and single hyphens between words',
      file: 'src/slugify.js',
      test: 'leaves no hyphen at the ends and no two in a row',
    },
    { criterion: 'Accented letters become their base letters', file: 'src/slugify.js', test: 'strips accents' },
    {
      criterion: 'A slug is never longer than the given length',
      file: 'src/slugify.js',
      test: 'keeps whole words within the longest length',
    },
    { criterion: 'No slug is given out twice', file: 'src/slugify.js', test: 'numbers a slug that is taken' },
  ],
  openQuestions: ['Should scripts other than Latin be transliterated? Assumed: no, they are dropped.'],
  plan: 'One ES module without dependencies, src/slugify.js, with two pure functions: slugify and uniqueSlug.',
  testingStrategy: 'Unit tests with node:test over typical titles, accents, punctuation, lengths and wrong input.',
  testCases: [
    { name: 'plain title', input: 'Hello, World', expected_output: 'hello-world' },
    { name: 'accents', input: 'Crème brûlée', expected_output: 'creme-brulee' },
    { name: 'taken slug', input: 'News, with news and news-2 taken', expected_output: 'news-3' },
  ],
  mistake: {
    path: 'src/slugify.js',
    right: "    .replace(/\\p{M}/gu, '')\n",
    wrong: '',
    correction: 'Accents are now stripped after Unicode decomposition; they used to split words.',
  },
};
