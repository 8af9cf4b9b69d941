import { refName } from '../openapi/schemas.ts';
import type { Schema } from '../openapi/types.ts';
import { type Html, html, join } from './html.ts';

/** Where a named schema is told of on the page. */
export const schemaAnchor = (name: string): string => `schema-${name}`;

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'whole number',
  number: 'number',
  boolean: 'true or false',
  object: 'object',
  array: 'list',
  null: 'null',
};

const range = (from: number | undefined, to: number | undefined, unit: string): string => {
  if (from !== undefined && to !== undefined) return `, ${from} to ${to}${unit}`;
  if (from !== undefined) return `, at least ${from}${unit}`;
  return to === undefined ? '' : `, at most ${to}${unit}`;
};

function plainText(schema: Schema, type: string): string {
  const { format, minLength, maxLength, minimum, maximum, minItems } = schema;
  const name = format ?? TYPE_NAMES[type] ?? type;
  if (type === 'string') return `${name}${range(minLength, maxLength, ' characters')}`;
  if (type === 'array') return `${name}${range(minItems, undefined, ' entries')}`;
  return `${name}${range(minimum, maximum, '')}`;
}

/** Where either case is taken, upper case says nothing more. */
const isRepeated = (value: unknown, list: readonly unknown[]): boolean =>
  typeof value === 'string' && value !== value.toLowerCase() && list.includes(value.toLowerCase());

const values = (list: readonly unknown[]): Html =>
  join(
    list.filter((value) => !isRepeated(value, list)).map((value) => html`<code>${JSON.stringify(value)}</code>`),
    ' | ',
  );

/** What a value may be, in words, with links to named schemas. */
export function typeText(schema: Schema): Html {
  const name = refName(schema);
  if (name !== null) return html`<a href="#${schemaAnchor(name)}">${name}</a>`;
  if (schema.const !== undefined) return values([schema.const]);
  if (schema.enum) return values(schema.enum);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return join(choices.map(typeText), ' or ');
  if (schema.type === 'array' && schema.items) return html`list of ${typeText(schema.items)}`;
  if (schema.type === undefined) return html`any JSON`;
  const types = typeof schema.type === 'string' ? [schema.type] : schema.type;
  return html`${types.map((type) => plainText(schema, type)).join(' or ')}`;
}
