import assert from 'node:assert/strict';
import { test } from 'node:test';
import { outline, requirements } from '../src/requirements.js';

test('records the requirements', () => {
  assert.equal(typeof requirements, 'string');
});

test('keeps a text that fits, on one line', () => {
  assert.equal(outline(11, ' hello\n world '), 'hello world');
});

test('shortens a longer text to the given length', () => {
  assert.equal(outline(10, 'hello world'), 'hello wor…');
  assert.equal(outline(1, 'hello'), '…');
});

test('outlines the recorded requirements', () => {
  assert.ok([...outline(20)].length <= 20);
});

test('refuses a length that holds nothing', () => {
  assert.throws(() => outline(0), RangeError);
});
