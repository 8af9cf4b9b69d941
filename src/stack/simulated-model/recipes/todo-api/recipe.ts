import type { Recipe } from '../../recipe.ts';

export const todoApi: Recipe = {
  name: 'todo-api',
  title: 'a todo-list HTTP API (Node.js)',
  keywords: [/\bto-?do\b|\btodos\b|\btask list\b/i, /\bapi\b|\bhttp\b|\brest\b|\bserver\b/i],
  requirements: [
    'Todos can be listed, added, read, changed, marked as done and deleted over HTTP with JSON',
    'Ids count up from 1 and are never used twice',
    'Wrong bodies are 400, unknown todos and paths 404, other methods 405',
  ],
  criteria: [
    { criterion: 'Todos can be added and listed', file: 'src/server.js', test: 'adds todos and lists them in order' },
    {
      criterion: 'A todo can be marked as done',
      file: 'src/todo-list.js',
      test: 'marks a todo as done without touching its title',
    },
    {
      criterion: 'An id stays with its todo for ever',
      file: 'src/todo-list.js',
      test: 'never gives the id of a deleted todo to another one',
    },
    { criterion: 'Wrong input is refused with 400', file: 'src/server.js', test: 'refuses wrong bodies with 400' },
  ],
  openQuestions: ['Must todos outlive a restart? Assumed: no, they are kept in memory.'],
  plan: 'src/todo-list.js keeps the todos, src/server.js answers HTTP with node:http; no dependencies.',
  testingStrategy: 'Tests with node:test call a real server on a free port: every call, wrong bodies, unknown todos.',
  testCases: [
    { name: 'add', input: 'POST /todos {"title":"buy milk"}', expected_output: '201, id 1, not done' },
    { name: 'mark as done', input: 'PATCH /todos/1 {"done":true}', expected_output: '200, done, same title' },
    { name: 'wrong body', input: 'POST /todos {"title":""}', expected_output: '400' },
  ],
  mistake: {
    path: 'src/todo-list.js',
    right: '    this.#lastId += 1;\n',
    wrong: '    this.#lastId = this.#todos.size + 1;\n',
    correction:
      'Ids now count up; they were taken from the number of todos, so a new todo replaced another after a delete.',
  },
};
