import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { OpenApiDocument, Schema } from '../../src/api/openapi/types.ts';

const COMPONENTS = '#/components/schemas/';
const BASE = 'components.json';

/** Lists what does not fit; empty when all does. */
export type Check = (value: unknown) => string[];

export function createAjv(options: ConstructorParameters<typeof Ajv2020>[0] = {}): Ajv2020 {
  const ajv = new Ajv2020({
    strict: true,
    strictTypes: false,
    strictRequired: false,
    allowUnionTypes: true,
    ...options,
  });
  addFormats.default(ajv);
  ajv.addFormat('media-range', /^[^/\s]+\/[^/\s]+$/);
  return ajv;
}

/** The same schema with its references to components as references to one schema that holds them all. */
function based<T>(schema: T): T {
  return JSON.parse(JSON.stringify(schema).replaceAll(`"${COMPONENTS}`, `"${BASE}#/$defs/`)) as T;
}

/**
 * Makes checks of values from the schemas of a document, as any reader of the document would: with a JSON Schema
 * validator, and without the code that the schemas were derived from. An unknown keyword is an error.
 */
export function createSchemaCheck({ components }: Pick<OpenApiDocument, 'components'>): (schema: Schema) => Check {
  const known = checksOf.get(components) ?? checksIn(components);
  checksOf.set(components, known);
  return known;
}

/** To compile a schema takes longer than a hundred checks by it, and all who read one document check by the same schemas. */
const checksOf = new WeakMap<OpenApiDocument['components'], (schema: Schema) => Check>();

function checksIn(components: OpenApiDocument['components']): (schema: Schema) => Check {
  const ajv = createAjv();
  ajv.addSchema({ $id: BASE, $defs: based(components.schemas) });
  const made = new Map<Schema, Check>();
  return (schema) => {
    const known = made.get(schema);
    if (known) return known;
    const validate = ajv.compile(based(schema));
    const check: Check = (value) => {
      if (validate(value)) return [];
      return (validate.errors ?? []).map(({ instancePath, message, params }) =>
        `${instancePath || 'the value'} ${message} ${JSON.stringify(params)}`.trim(),
      );
    };
    made.set(schema, check);
    return check;
  };
}
