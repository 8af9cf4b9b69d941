import fc from 'fast-check';
import type { OpenApiDocument, Schema } from '../../src/api/openapi/types.ts';
import { anyJson, anyText } from './json-arbitraries.ts';
import { createSchemaCheck } from './schema-check.ts';

/** Values for fields of these names, wherever the schema lets them stand. */
export type Pinned = Readonly<Record<string, fc.Arbitrary<unknown>>>;

/** Makes values that fit a schema. */
export type ArbitraryOf = (schema: Schema, pinned?: Pinned) => fc.Arbitrary<unknown>;

const DATE_TIMES = fc.date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true });

function textOf({ pattern, format, minLength = 0, maxLength = 60 }: Schema): fc.Arbitrary<string> {
  if (format === 'date-time') return DATE_TIMES.map((date) => date.toISOString());
  const fits = (text: string): boolean => {
    const { length } = [...text];
    // Characters beyond the BMP count twice for the API.
    return length >= minLength && text.length <= maxLength && (!pattern || new RegExp(pattern, 'u').test(text));
  };
  // What looks ahead can only be tried; all else is generated as it is asked for.
  if (pattern && !pattern.includes('(?')) return fc.stringMatching(new RegExp(pattern)).filter(fits);
  const long = fc.integer({ min: 1, max: Math.min(maxLength, 300) }).map((length) => 'l'.repeat(length));
  return fc.oneof({ weight: 9, arbitrary: anyText }, { weight: 1, arbitrary: long }).filter(fits);
}

function numberOf({ type, minimum, maximum }: Schema): fc.Arbitrary<number> {
  const bounds = {
    ...(minimum === undefined ? {} : { min: minimum }),
    ...(maximum === undefined ? {} : { max: maximum }),
  };
  if (type === 'integer') return fc.integer(bounds);
  return fc.oneof(fc.integer(bounds), fc.double({ ...bounds, noNaN: true, noDefaultInfinity: true }));
}

export function createArbitraryOf(document: OpenApiDocument): ArbitraryOf {
  const { schemas } = document.components;
  const checkOf = createSchemaCheck(document);
  const fits = (schema: Schema, value: unknown): boolean => checkOf(schema)(value).length === 0;

  function objectOf(schema: Schema, pinned: Pinned): fc.Arbitrary<unknown> {
    const { properties = {}, required = [], additionalProperties, minProperties = 0 } = schema;
    const fields = Object.entries(properties).map(([name, property]) => {
      const own = arbitraryOf(property);
      const pin = pinned[name]?.filter((value) => fits(property, value));
      return [name, pin ? fc.oneof({ weight: 4, arbitrary: pin }, { weight: 1, arbitrary: own }) : own] as const;
    });
    const known = fc.record(Object.fromEntries(fields), { requiredKeys: [...required], noNullPrototype: true });
    if (additionalProperties === false) return known;
    const more = fc.dictionary(anyText, anyJson, {
      maxKeys: 3,
      minKeys: Object.keys(properties).length > 0 ? 0 : minProperties,
    });
    return fc.tuple(more, known).map(([extra, own]) => ({ ...extra, ...own }));
  }

  function typeOf(schema: Schema, type: string, pinned: Pinned): fc.Arbitrary<unknown> {
    switch (type) {
      case 'string':
        return textOf(schema);
      case 'integer':
      case 'number':
        return numberOf({ ...schema, type });
      case 'boolean':
        return fc.boolean();
      case 'null':
        return fc.constant(null);
      case 'array':
        return fc.array(schema.items ? arbitraryOf(schema.items) : anyJson, {
          minLength: schema.minItems ?? 0,
          maxLength: 4,
        });
      default:
        return objectOf(schema, pinned);
    }
  }

  /** Of conditions of the form "when this, then these fields are of that kind" the fields are made anew. */
  function conditioned(schema: Schema, base: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
    return base.chain((value) => {
      const rules = (schema.allOf ?? []).filter((rule) => rule.if && fits(rule.if, value));
      const fields = rules.flatMap(({ then }) => Object.entries(then?.properties ?? {}));
      const made = fields.map(([name, field]) => [name, arbitraryOf(field)] as const);
      return fc.record(Object.fromEntries(made)).map((forced) => ({ ...(value as object), ...forced }));
    });
  }

  function shapeOf(schema: Schema, pinned: Pinned): fc.Arbitrary<unknown> {
    const { $ref, enum: values, anyOf, oneOf, type } = schema;
    if ($ref !== undefined) return arbitraryOf(schemas[$ref.split('/').at(-1) ?? ''] ?? {}, pinned);
    if (schema.const !== undefined) return fc.constant(schema.const);
    if (values) return fc.constantFrom(...values);
    const choices = anyOf ?? oneOf;
    if (choices) return fc.oneof(...choices.map((choice) => arbitraryOf(choice, pinned)));
    if (type === undefined) return anyJson;
    const types = typeof type === 'string' ? [type] : type;
    const shapes = fc.oneof(...types.map((one) => typeOf(schema, one, pinned)));
    return schema.allOf ? conditioned(schema, shapes) : shapes;
  }

  const made = new Map<Schema, fc.Arbitrary<unknown>>();
  const arbitraryOf: ArbitraryOf = (schema, pinned = {}) => {
    const isPinned = Object.keys(pinned).length > 0;
    const known = isPinned ? undefined : made.get(schema);
    // Examples say what values are usual, and they are what is tried least by chance.
    const examples = (schema.examples ?? []).map((example) => ({
      weight: 1,
      arbitrary: fc.constant<unknown>(example),
    }));
    const arbitrary = known ?? fc.oneof({ weight: 3, arbitrary: shapeOf(schema, pinned) }, ...examples);
    if (!isPinned) made.set(schema, arbitrary);
    return arbitrary;
  };
  // Keywords that only narrow (`not`) are not followed but checked.
  return (schema, pinned) => arbitraryOf(schema, pinned).filter((value) => fits(schema, value));
}
