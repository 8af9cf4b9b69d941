import { expect, test } from 'vitest';
import type { Json } from '../../src/machine/json.ts';
import { handedOnFiles } from '../../src/prompts/handed-on-files.ts';

const file = (path: string, content: string) => ({ path, content });
const turn = (...files: Json[]) => ({ content: { files } });

test('each answer replaces the files that it gives, and leaves the others', () => {
  const conversation = [
    { content: { plan: 'two files' } },
    turn(file('a.js', '1'), file('b.js', '1')),
    turn(file('a.js', '2')),
    turn(file('test/a.test.js', '1')),
  ];
  expect(handedOnFiles(conversation)).toEqual([file('a.js', '2'), file('b.js', '1'), file('test/a.test.js', '1')]);
});

test('an answer may delete files, and give them again later', () => {
  const deleting = (path: string, ...files: Json[]) => ({ content: { files, deleted_files: [path] } });
  const first = turn(file('a.js', '1'), file('b.js', '1'));
  expect(handedOnFiles([first, deleting('a.js')])).toEqual([file('b.js', '1')]);
  expect(handedOnFiles([first, deleting('a.js'), turn(file('a.js', '2'))])).toEqual([
    file('b.js', '1'),
    file('a.js', '2'),
  ]);
  expect(handedOnFiles([turn(file('a.js', '1')), deleting('a.js')])).toBeNull();
});

test('there are none where none were given', () => {
  expect(handedOnFiles([])).toBeNull();
  expect(handedOnFiles([{ content: 'a text' }, { content: { files: 'none' } }, turn('odd', { path: 1 })])).toBeNull();
});
