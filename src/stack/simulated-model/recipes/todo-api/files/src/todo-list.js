/** A wrong value in a request; its message is for the caller. */
export class InvalidTodo extends Error {}

/** A todo list in memory. Ids count up from 1 and are never used twice. */
export class TodoList {
  #todos = new Map();
  #lastId = 0;

  all() {
    return [...this.#todos.values()];
  }

  add({ title }) {
    checkTitle(title);
    this.#lastId += 1;
    const todo = { id: this.#lastId, title: title.trim(), done: false };
    this.#todos.set(todo.id, todo);
    return todo;
  }

  get(id) {
    return this.#todos.get(id);
  }

  /** Changes what is given; undefined when there is no such todo. */
  change(id, { title, done }) {
    const todo = this.#todos.get(id);
    if (!todo) return undefined;
    if (title !== undefined) checkTitle(title);
    if (done !== undefined && typeof done !== 'boolean') throw new InvalidTodo('done must be true or false');
    const changed = { ...todo, title: title?.trim() ?? todo.title, done: done ?? todo.done };
    this.#todos.set(id, changed);
    return changed;
  }

  /** True when there was such a todo. */
  remove(id) {
    return this.#todos.delete(id);
  }
}

function checkTitle(title) {
  if (typeof title !== 'string' || title.trim() === '') throw new InvalidTodo('title must be a text that is not empty');
}
