import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromRoman, toRoman } from '../src/roman.js';

test('writes numerals that only add', () => {
  assert.equal(toRoman(1), 'I');
  assert.equal(toRoman(8), 'VIII');
  assert.equal(toRoman(2023), 'MMXXIII');
});

test('writes numerals that take away', () => {
  assert.equal(toRoman(4), 'IV');
  assert.equal(toRoman(9), 'IX');
  assert.equal(toRoman(1994), 'MCMXCIV');
});

test('writes the smallest and the largest number', () => {
  assert.equal(toRoman(1), 'I');
  assert.equal(toRoman(3999), 'MMMCMXCIX');
});

test('reads numerals in either case', () => {
  assert.equal(fromRoman('XIV'), 14);
  assert.equal(fromRoman('mcmxciv'), 1994);
});

test('reads back every number it writes', () => {
  for (let number = 1; number <= 3999; number += 1) assert.equal(fromRoman(toRoman(number)), number);
});

test('refuses numbers that have no numeral', () => {
  for (const number of [0, -1, 4000, 1.5, Number.NaN]) assert.throws(() => toRoman(number), RangeError);
});

test('refuses text that is no numeral', () => {
  for (const text of ['', 'IIII', 'VX', 'IC', 'ABC', 'MMMM']) assert.throws(() => fromRoman(text), SyntaxError);
});
