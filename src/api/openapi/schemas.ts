import { z } from 'zod';
import type { Schema } from './types.ts';

/** Keywords by which a schema's metadata says the whole of what is on the wire, where zod cannot know it. */
const WHOLE_KEYWORDS = ['type', 'enum', 'anyOf'] as const;

const PREFIX = '#/components/schemas/';
export const schemaRef = (name: string): Schema => ({ $ref: `${PREFIX}${name}` });
/** The name of the component that a reference is to; null for a schema that is no reference. */
export const refName = ({ $ref }: Schema): string | null =>
  $ref?.startsWith(PREFIX) ? $ref.slice(PREFIX.length) : null;

type Draft = Record<string, unknown>;

/** What is said beside a reference; all else stands where it leads. */
const BESIDE_REFERENCE: readonly string[] = ['$ref', 'description', 'examples', 'default'];

/** Metadata that names a whole keyword stands for what was derived; limits of JavaScript's numbers are nobody's rule. */
function correct(zodSchema: z.core.$ZodTypes, draft: Draft): void {
  const meta = z.globalRegistry.get(zodSchema);
  if (draft.$ref !== undefined) {
    for (const key of Object.keys(draft)) if (!BESIDE_REFERENCE.includes(key)) delete draft[key];
  } else if (meta && WHOLE_KEYWORDS.some((keyword) => keyword in meta)) {
    for (const key of Object.keys(draft)) delete draft[key];
    const { id: _name, ...said } = meta;
    Object.assign(draft, said);
  }
  if (draft.minimum === Number.MIN_SAFE_INTEGER) delete draft.minimum;
  if (draft.maximum === Number.MAX_SAFE_INTEGER) delete draft.maximum;
}

/** References of a schema that stands alone, to those of a document. */
function moveReferences(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(moveReferences);
  if (typeof value !== 'object' || value === null) return value;
  const moved = Object.entries(value).map(([key, child]) => [
    key,
    key === '$ref' && typeof child === 'string' ? child.replace('#/$defs/', PREFIX) : moveReferences(child),
  ]);
  return Object.fromEntries(moved);
}

export type SchemaCollector = Readonly<{
  /** What callers send (`input`) or are answered (`output`) under a schema. */
  of(schema: z.ZodType, io: 'input' | 'output'): Schema;
  /** Schemas with an `id`, by it: all that have been met so far. */
  components: Readonly<Record<string, Schema>>;
}>;

/**
 * Turns zod schemas into JSON Schema, and gathers those with an `id` as components.
 * @throws Error when two different schemas have one id
 */
export function collectSchemas(known: Readonly<Record<string, Schema>>): SchemaCollector {
  const components: Record<string, Schema> = { ...known };
  const keep = (name: string, schema: Schema): void => {
    const other = components[name];
    if (other !== undefined && JSON.stringify(other) !== JSON.stringify(schema)) {
      throw new Error(`two different schemas have the id ${name}`);
    }
    components[name] = schema;
  };
  const derive = (schema: z.ZodType, io: 'input' | 'output'): Schema => {
    const override = ({ zodSchema, jsonSchema }: { zodSchema: z.core.$ZodTypes; jsonSchema: Draft }): void =>
      correct(zodSchema, jsonSchema);
    const { $schema: _dialect, $defs: definitions = {}, ...whole } = z.toJSONSchema(schema, { io, override });
    for (const [name, definition] of Object.entries(definitions)) keep(name, moveReferences(definition) as Schema);
    return moveReferences(whole) as Schema;
  };
  const derived = { input: new Map<z.ZodType, Schema>(), output: new Map<z.ZodType, Schema>() };
  return {
    components,
    of: (schema, io) => {
      // Most schemas are asked for again and again: that of problems for every answer of every call.
      const known = derived[io].get(schema) ?? derive(schema, io);
      derived[io].set(schema, known);
      return known;
    },
  };
}
