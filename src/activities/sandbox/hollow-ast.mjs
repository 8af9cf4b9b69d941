// What is taken out of a program, by its ESTree. It has no imports: it also works inside a sandbox, on the tree of another
// parser, where only the test runner knows how TypeScript becomes JavaScript.

const GIVES = {
  undefined: { block: '{}', expression: 'undefined' },
  object: { block: '{ return {}; }', expression: '({})' },
};

export function hollowedProgram(text, program, gives) {
  const bodies = bodiesIn(program, gives, []);
  const cuts = bodies.length > 0 ? bodies : program.body.flatMap(exportedIn);
  if (cuts.length === 0) return null;
  let hollow = '';
  let from = 0;
  for (const { start, end, by } of cuts) {
    hollow += text.slice(from, start) + GIVES[gives][by];
    from = end;
  }
  return { text: hollow + text.slice(from), functions: cuts.length };
}

/** In the order of the text; a function within a taken body goes with it. */
function bodiesIn(node, gives, cuts) {
  if (isFunction(node)) {
    if (node.body) cuts.push(cutOf(node.body, node.body.type === 'BlockStatement' ? 'block' : 'expression'));
    return cuts;
  }
  if (node.type === 'ClassDeclaration' || node.type === 'ClassExpression') {
    // What is derived must call the constructor above it, so it is left as it is.
    const keepsConstructor = gives === 'undefined' || Boolean(node.superClass);
    const members = node.body.body.filter(({ kind }) => !(keepsConstructor && kind === 'constructor'));
    for (const member of members) bodiesIn(member, gives, cuts);
    return cuts;
  }
  const values = gives === 'object' ? exportedIn(node) : [];
  if (values.length > 0) {
    cuts.push(...values);
    return cuts;
  }
  for (const child of Object.values(node).flat()) if (isNode(child)) bodiesIn(child, gives, cuts);
  return cuts;
}

/** The values of an export's variables that are neither functions nor classes. */
function exportedIn(node) {
  if (node.type !== 'ExportNamedDeclaration' || node.declaration?.type !== 'VariableDeclaration') return [];
  return node.declaration.declarations
    .filter(({ init, id }) => init && id.type === 'Identifier' && !isFunction(init) && init.type !== 'ClassExpression')
    .map(({ init }) => cutOf(init, 'expression'));
}

const cutOf = ({ start, end }, by) => ({ start, end, by });

const isFunction = ({ type }) =>
  type === 'FunctionDeclaration' || type === 'FunctionExpression' || type === 'ArrowFunctionExpression';

const isNode = (value) => typeof value === 'object' && value !== null && typeof value.type === 'string';
