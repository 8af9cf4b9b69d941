import assert from 'node:assert/strict';
import { once } from 'node:events';
import { afterEach, beforeEach, test } from 'node:test';
import { createTodoServer } from '../src/server.js';

let server;

beforeEach(async () => {
  server = createTodoServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterEach(() => {
  server.close();
  server.closeAllConnections();
});

async function call(method, path, body) {
  const text = typeof body === 'object' ? JSON.stringify(body) : body;
  const response = await fetch(`http://127.0.0.1:${server.address().port}${path}`, { method, body: text });
  const reply = await response.text();
  return { status: response.status, body: reply === '' ? undefined : JSON.parse(reply) };
}

test('adds todos and lists them in order', async () => {
  const added = await call('POST', '/todos', { title: ' buy milk ' });
  assert.deepEqual(added, { status: 201, body: { id: 1, title: 'buy milk', done: false } });
  await call('POST', '/todos', { title: 'call home' });
  const { body } = await call('GET', '/todos');
  assert.deepEqual(
    body.map((todo) => todo.title),
    ['buy milk', 'call home'],
  );
});

test('gives one todo', async () => {
  await call('POST', '/todos', { title: 'buy milk' });
  const { status, body } = await call('GET', '/todos/1');
  assert.equal(status, 200);
  assert.equal(body.title, 'buy milk');
});

test('marks a todo as done without touching its title', async () => {
  await call('POST', '/todos', { title: 'buy milk' });
  await call('PATCH', '/todos/1', { done: true });
  assert.deepEqual((await call('GET', '/todos/1')).body, { id: 1, title: 'buy milk', done: true });
});

test('marks a done todo as open again and renames it', async () => {
  await call('POST', '/todos', { title: 'buy milk' });
  await call('PATCH', '/todos/1', { done: true });
  const { body } = await call('PATCH', '/todos/1', { done: false, title: 'buy bread' });
  assert.deepEqual(body, { id: 1, title: 'buy bread', done: false });
});

test('deletes a todo', async () => {
  await call('POST', '/todos', { title: 'buy milk' });
  assert.deepEqual(await call('DELETE', '/todos/1'), { status: 204, body: undefined });
  assert.equal((await call('GET', '/todos/1')).status, 404);
});

test('never gives the id of a deleted todo to another one', async () => {
  await call('POST', '/todos', { title: 'first' });
  await call('POST', '/todos', { title: 'second' });
  await call('DELETE', '/todos/1');
  const { body } = await call('POST', '/todos', { title: 'third' });
  assert.equal(body.id, 3);
  assert.equal((await call('GET', '/todos/2')).body.title, 'second');
});

test('refuses wrong bodies with 400', async () => {
  for (const body of ['no JSON', 'null', { title: '' }, { title: 7 }]) {
    assert.equal((await call('POST', '/todos', body)).status, 400);
  }
  await call('POST', '/todos', { title: 'buy milk' });
  assert.equal((await call('PATCH', '/todos/1', { done: 'yes' })).status, 400);
  assert.equal((await call('PATCH', '/todos/1', { title: ' ' })).status, 400);
});

test('answers 404 for unknown todos and paths, 405 for other methods', async () => {
  assert.equal((await call('GET', '/todos/9')).status, 404);
  assert.equal((await call('PATCH', '/todos/9', { done: true })).status, 404);
  assert.equal((await call('DELETE', '/todos/9')).status, 404);
  assert.equal((await call('GET', '/other')).status, 404);
  assert.equal((await call('PUT', '/todos', {})).status, 405);
  assert.equal((await call('PUT', '/todos/1', {})).status, 405);
});
