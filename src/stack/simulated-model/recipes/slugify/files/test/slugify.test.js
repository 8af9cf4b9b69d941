import assert from 'node:assert/strict';
import { test } from 'node:test';
import { slugify, uniqueSlug } from '../src/slugify.js';

test('joins the words of a title with hyphens, in lower case', () => {
  assert.equal(slugify('Hello, World'), 'hello-world');
  assert.equal(slugify('Ten tips for 2024'), 'ten-tips-for-2024');
});

test('leaves no hyphen at the ends and no two in a row', () => {
  assert.equal(slugify('  --What?  Really -- yes!  '), 'what-really-yes');
});

test('strips accents', () => {
  assert.equal(slugify('Crème brûlée'), 'creme-brulee');
  assert.equal(slugify('Žluťoučký kůň'), 'zlutoucky-kun');
});

test('writes out letters that have no base letter', () => {
  assert.equal(slugify('Straße'), 'strasse');
  assert.equal(slugify('Łapka, smørrebrød, œuvre'), 'lapka-smorrebrod-oeuvre');
});

test('drops apostrophes without splitting the word', () => {
  assert.equal(slugify("Don't panic, it’s fine"), 'dont-panic-its-fine');
});

test('gives an empty slug for a title without letters or digits', () => {
  assert.equal(slugify(''), '');
  assert.equal(slugify('?!'), '');
});

test('keeps whole words within the longest length', () => {
  assert.equal(slugify('a very long title', { maxLength: 8 }), 'a-very');
  assert.equal(slugify('a very long title', { maxLength: 11 }), 'a-very-long');
  assert.equal(slugify('incomprehensible', { maxLength: 5 }), 'incom');
});

test('numbers a slug that is taken', () => {
  assert.equal(uniqueSlug('News', new Set()), 'news');
  assert.equal(uniqueSlug('News', new Set(['news', 'news-2'])), 'news-3');
});

test('refuses what is no string', () => {
  assert.throws(() => slugify(42), /must be a string, not number/);
});
