import {
  type AnyNode,
  type ArrowFunctionExpression,
  type FunctionDeclaration,
  type FunctionExpression,
  parse,
  type Token,
} from 'acorn';

/**
 * What a function gives whose body was taken out: a test that expects the one does not expect the other. With `object`,
 * constructors do nothing either and exported values are such objects too, where that leaves code that can be loaded.
 */
export type Hollow = 'undefined' | 'object';

const GIVES = {
  undefined: { block: '{}', expression: 'undefined' },
  object: { block: '{ return {}; }', expression: '({})' },
} as const satisfies Record<Hollow, Readonly<{ block: string; expression: string }>>;

type Cut = Readonly<{ start: number; end: number; by: 'block' | 'expression' }>;

/**
 * JavaScript with the body of every function taken out; of a file without functions the values of exported variables. Null
 * when it cannot be parsed, or has nothing of these.
 */
export function hollowedCode(text: string, gives: Hollow): Readonly<{ text: string; functions: number }> | null {
  const program = parsed(text);
  if (program === null) return null;
  const bodies = bodiesIn(program, gives, []);
  const cuts = bodies.length > 0 ? bodies : exportedValues(program);
  if (cuts.length === 0) return null;
  let hollow = '';
  let from = 0;
  for (const { start, end, by } of cuts) {
    hollow += text.slice(from, start) + GIVES[gives][by];
    from = end;
  }
  return { text: hollow + text.slice(from), functions: cuts.length };
}

/** Lines with code on them: neither blank, nor comment. Null when the text is no JavaScript that can be read. */
export function codeLines(text: string): ReadonlySet<number> | null {
  const tokens: Token[] = [];
  if (parsed(text, tokens) === null) return null;
  const lines = new Set<number>();
  for (const { loc, type } of tokens) {
    if (type.label === 'eof' || !loc) continue;
    for (let line = loc.start.line; line <= loc.end.line; line += 1) lines.add(line);
  }
  return lines;
}

function parsed(text: string, onToken: Token[] = []): AnyNode | null {
  const options = { ecmaVersion: 'latest', allowHashBang: true, locations: true, onToken } as const;
  for (const sourceType of ['module', 'script'] as const) {
    try {
      onToken.length = 0;
      return parse(text, { ...options, sourceType, allowReturnOutsideFunction: sourceType === 'script' });
    } catch {
      // Not of this kind; or code so deep that it exhausts the stack.
    }
  }
  return null;
}

/** In the order of the text; a function within a taken body goes with it. */
function bodiesIn(node: AnyNode, gives: Hollow, cuts: Cut[]): Cut[] {
  if (isFunction(node)) {
    const { start, end, type } = node.body;
    cuts.push({ start, end, by: type === 'BlockStatement' ? 'block' : 'expression' });
    return cuts;
  }
  if (node.type === 'ClassDeclaration' || node.type === 'ClassExpression') {
    // What is derived must call the constructor above it, so it is left as it is.
    const keepsConstructor = gives === 'undefined' || Boolean(node.superClass);
    const isKept = (member: AnyNode): boolean =>
      keepsConstructor && member.type === 'MethodDefinition' && member.kind === 'constructor';
    for (const member of node.body.body) if (!isKept(member)) bodiesIn(member, gives, cuts);
    return cuts;
  }
  const values = gives === 'object' ? exportedIn(node) : [];
  if (values.length > 0) {
    cuts.push(...values);
    return cuts;
  }
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) bodiesIn(child, gives, cuts);
  }
  return cuts;
}

const isFunction = (node: AnyNode): node is FunctionDeclaration | FunctionExpression | ArrowFunctionExpression =>
  node.type === 'FunctionDeclaration' || node.type === 'FunctionExpression' || node.type === 'ArrowFunctionExpression';

/** The values of an export's variables that are neither functions nor classes. */
function exportedIn(node: AnyNode): Cut[] {
  if (node.type !== 'ExportNamedDeclaration' || node.declaration?.type !== 'VariableDeclaration') return [];
  return node.declaration.declarations.flatMap(({ init, id }) =>
    init && id.type === 'Identifier' && !isFunction(init) && init.type !== 'ClassExpression'
      ? [{ start: init.start, end: init.end, by: 'expression' } as const]
      : [],
  );
}

const exportedValues = (program: AnyNode): Cut[] =>
  program.type === 'Program' ? program.body.flatMap((statement) => exportedIn(statement)) : [];

function isNode(value: unknown): value is AnyNode {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}
