import { createServer } from 'node:http';
import { InvalidTodo, TodoList } from './todo-list.js';

/** Creates the HTTP server of one todo list; the caller listens and closes. */
export function createTodoServer(todos = new TodoList()) {
  return createServer(async (request, response) => {
    const { status, body } = await answer(todos, request);
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

async function answer(todos, request) {
  const [, collection, id, ...more] = new URL(request.url, 'http://localhost').pathname.split('/');
  if (collection !== 'todos' || more.length > 0) return failure(404, 'no such path');
  try {
    return await (id === undefined ? answerForList(todos, request) : answerForOne(todos, Number(id), request));
  } catch (error) {
    if (error instanceof InvalidTodo) return failure(400, error.message);
    throw error;
  }
}

async function answerForList(todos, request) {
  if (request.method === 'GET') return { status: 200, body: todos.all() };
  if (request.method === 'POST') return { status: 201, body: todos.add(await readJson(request)) };
  return failure(405, 'use GET or POST');
}

async function answerForOne(todos, id, request) {
  const unknown = failure(404, 'no such todo');
  if (request.method === 'GET') return found(todos.get(id)) ?? unknown;
  if (request.method === 'PATCH') return found(todos.change(id, await readJson(request))) ?? unknown;
  if (request.method === 'DELETE') return todos.remove(id) ? { status: 204 } : unknown;
  return failure(405, 'use GET, PATCH or DELETE');
}

function found(todo) {
  return todo && { status: 200, body: todo };
}

function failure(status, error) {
  return { status, body: { error } };
}

async function readJson(request) {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += chunk;
  try {
    return Object(JSON.parse(text));
  } catch {
    throw new InvalidTodo('the body must be JSON');
  }
}
