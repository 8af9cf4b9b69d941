import type { Json } from '../../machine/json.ts';
import { refName } from './schemas.ts';
import type { Schema } from './types.ts';

type Components = Readonly<Record<string, Schema>>;

function exampleObject({ properties = {}, required = [] }: Schema, components: Components): Json {
  const shown = Object.entries(properties).filter(([name, { examples }]) => required.includes(name) || examples);
  return Object.fromEntries(shown.map(([name, property]) => [name, exampleOf(property, components)]));
}

/** A value that fits a schema: its own example, else one made of its parts' examples. Optional fields need their own. */
export function exampleOf(schema: Schema, components: Components): Json {
  const [given] = schema.examples ?? [];
  if (given !== undefined) return given;
  if (schema.default !== undefined) return schema.default;
  if (schema.const !== undefined) return schema.const;
  const name = refName(schema);
  if (name !== null) return exampleOf(components[name] ?? {}, components);
  const [choice] = schema.enum ?? [];
  if (choice !== undefined) return choice;
  const [alternative] = schema.anyOf ?? schema.oneOf ?? [];
  if (alternative !== undefined) return exampleOf(alternative, components);
  switch (schema.type) {
    case 'object':
      return exampleObject(schema, components);
    case 'array':
      return schema.items ? [exampleOf(schema.items, components)] : [];
    case 'boolean':
      return true;
    case 'integer':
    case 'number':
      return schema.minimum ?? 0;
    case 'string':
      return 'text';
    default:
      return null;
  }
}
