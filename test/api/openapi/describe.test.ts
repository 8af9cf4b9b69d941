import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { PUBLIC_CODES } from '../../../src/api/error-guide.ts';
import { describeApi } from '../../../src/api/openapi/describe.ts';
import { pathTemplate } from '../../../src/api/openapi/operation.ts';
import type { MediaType, Operation, Parameter, Schema } from '../../../src/api/openapi/types.ts';
import { type AnyRoute, defineRoute } from '../../../src/api/route.ts';
import { ROUTES } from '../../../src/api/routes.ts';
import { ERROR_STATUS } from '../../../src/errors.ts';
import { DOCUMENT as document } from '../../openapi/document.ts';
import { createAjv, createSchemaCheck } from '../../openapi/schema-check.ts';
import { serve } from '../serve.ts';

/**
 * The OpenAPI Initiative's own schema of OpenAPI 3.1 (https://spec.openapis.org/oas/3.1/schema/2026-08-03, Apache-2.0),
 * as the npm package @seriousme/openapi-schema-validator 2.11.0 has it: with `$ref` for the one `$dynamicRef`.
 */
const META_SCHEMA = JSON.parse(
  readFileSync(new URL('../../openapi/oas-3.1.schema.json', import.meta.url), 'utf8'),
) as object;

type Node = Readonly<{ at: string; key: string; value: unknown }>;

/** Every value of the document with its place. */
function nodesOf(value: unknown, at = '#', key = ''): Node[] {
  const own = { at, key, value };
  if (typeof value !== 'object' || value === null) return [own];
  return [own, ...Object.entries(value).flatMap(([name, child]) => nodesOf(child, `${at}/${name}`, name))];
}

const nodes = nodesOf(document);

function resolve(ref: string): unknown {
  return ref
    .slice(2)
    .split('/')
    .reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], document);
}

type Described = Readonly<{ route: AnyRoute; operation: Operation }>;

const operations: readonly Described[] = ROUTES.flatMap((route) => {
  const operation = document.paths[pathTemplate(route.path)]?.[route.method];
  return operation ? [{ route, operation }] : [];
});

const mediaTypes = nodes.flatMap(({ at, value }) =>
  typeof value === 'object' && value !== null && 'schema' in value ? [{ at, media: value as MediaType }] : [],
);

const check = createSchemaCheck(document);

describe('the description of the API', () => {
  it('is valid OpenAPI 3.1 by the schema of the OpenAPI Initiative', () => {
    const validate = createAjv({ strict: false }).compile(META_SCHEMA);
    validate(document);
    expect(validate.errors ?? []).toEqual([]);
    expect(document.openapi).toMatch(/^3\.1\./);
  });

  it('has every call of the table, and no other', () => {
    expect(operations.map(({ route, operation }) => [route.operationId, operation.summary])).toEqual(
      ROUTES.map(({ operationId, summary }) => [operationId, summary]),
    );
    const described = Object.values(document.paths).flatMap((item) => Object.values(item));
    expect(described).toHaveLength(ROUTES.length);
  });

  it('names every operation once, and puts each in a group that it describes', () => {
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    const tags = document.tags.map(({ name }) => name);
    for (const { operation } of operations) expect(tags).toEqual(expect.arrayContaining([...operation.tags]));
  });

  it('has no reference to what is not there', () => {
    const references = nodes.filter(({ key }) => key === '$ref').map(({ value }) => String(value));
    expect(references.length).toBeGreaterThan(100);
    expect(references.filter((ref) => !ref.startsWith('#/') || resolve(ref) === undefined)).toEqual([]);
  });

  it('has only schemas that a validator takes, without keywords that it does not know', () => {
    expect(mediaTypes.length).toBeGreaterThan(30);
    for (const { at, media } of mediaTypes) expect(() => check(media.schema), at).not.toThrow();
    for (const [name, schema] of Object.entries(document.components.schemas)) {
      expect(() => check(schema), name).not.toThrow();
    }
  });

  it('has only examples that fit their schemas', () => {
    const schemas = [...mediaTypes.map(({ media }) => media.schema), ...Object.values(document.components.schemas)];
    const withExamples = schemas
      .flatMap((schema) => nodesOf(schema).map(({ value }) => value as Schema))
      .filter((schema) => Array.isArray(schema?.examples));
    const bad = withExamples.flatMap((schema) => (schema.examples ?? []).flatMap((one) => check(schema)(one)));
    expect(bad).toEqual([]);
    const whole = mediaTypes.filter(({ media }) => media.example !== undefined);
    expect(whole.length).toBeGreaterThan(10);
    for (const { at, media } of whole) expect(check(media.schema)(media.example), at).toEqual([]);
  });

  it('declares every name of a path, and only those', () => {
    for (const [path, item] of Object.entries(document.paths)) {
      const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      for (const operation of Object.values(item)) {
        const declared = (operation.parameters ?? []).filter(
          (parameter): parameter is Parameter => 'in' in parameter && parameter.in === 'path',
        );
        expect(declared.map(({ name }) => name)).toEqual(names);
      }
    }
  });

  it('says of every field and parameter what it is', () => {
    const told = ({ value }: Node): boolean => {
      const { description, $ref, const: only } = value as Schema;
      const named = $ref === undefined ? undefined : (resolve($ref) as Schema | undefined);
      return description !== undefined || only !== undefined || named?.description !== undefined;
    };
    const fields = nodes.filter(
      // Under an answer or a condition they narrow what is told elsewhere.
      ({ at }) => /\/properties\/[^/]+$/.test(at) && !/\/(responses|if|then)\//.test(at),
    );
    expect(fields.length).toBeGreaterThan(50);
    expect(fields.filter((field) => !told(field)).map(({ at }) => at)).toEqual([]);
    const parameters = operations.flatMap(({ operation }) => operation.parameters ?? []);
    expect(parameters.filter((one) => !('$ref' in one) && !told({ at: '', key: '', value: one }))).toEqual([]);
  });

  it('mentions no host', () => {
    const text = JSON.stringify({ ...document, jsonSchemaDialect: '' });
    expect(text.match(/.{20}https?:\/\/.{20}/g) ?? []).toEqual([]);
    expect(document.servers.map(({ url }) => url)).toEqual(['/']);
  });
});

describe('the errors that it describes', () => {
  const codesOf = (operation: Operation, status: string): unknown => {
    const response = operation.responses[status];
    const whole = response && '$ref' in response ? resolve(response.$ref) : response;
    return JSON.stringify(whole);
  };

  it.each(operations.map((described) => [described.route.operationId, described] as const))(
    'by %s are those of its route, each under its status as problem+json',
    (_id, { route, operation }) => {
      for (const code of route.errors) expect(codesOf(operation, String(ERROR_STATUS[code]))).toContain(`"${code}"`);
      expect(codesOf(operation, '500')).toContain('"internal"');
      if (route.open !== true) expect(codesOf(operation, '401')).toContain('"unauthorized"');
      if (route.body) expect(codesOf(operation, '415')).toContain('"unsupported_media_type"');
    },
  );

  it('are every code that a caller can read, each with a meaning and a remedy', () => {
    const { oneOf = [] } = document.components.schemas.ErrorCode ?? {};
    expect(oneOf.map((one) => one.const)).toEqual(PUBLIC_CODES);
    for (const { description, title } of oneOf) {
      expect(description?.length).toBeGreaterThan(30);
      expect(Number(title)).toBeGreaterThanOrEqual(400);
    }
    const raised = Object.entries(ERROR_STATUS).filter(([, status]) => status !== 500);
    const startOnly = ['postgres_unreachable'];
    expect(raised.map(([code]) => code).filter((code) => !startOnly.includes(code))).toEqual(
      PUBLIC_CODES.filter((code) => code !== 'internal'),
    );
  });
});

describe('a table of routes', () => {
  const route = (path: string, reply: z.ZodType) =>
    defineRoute({
      method: 'get',
      path,
      operationId: path,
      summary: 's',
      reply,
      errors: [],
      handle: async () => ({}),
    });

  it('with two different schemas of one name is refused, because one of them would not be told', () => {
    const reply = z.strictObject({
      a: z.string().meta({ id: 'Twice' }),
      b: z.strictObject({ a: z.int().meta({ id: 'Once' }) }),
    });
    const other = z.strictObject({ c: z.int() });
    z.globalRegistry.add(other, { id: 'Once' });
    expect(() => describeApi([route('/a', reply), route('/b', other)])).toThrow('Once');
  });

  it('gives one description for two calls of one address', () => {
    const both = [route('/a', z.strictObject({})), { ...route('/a', z.strictObject({})), method: 'post' as const }];
    expect(Object.keys(describeApi(both).paths['/a'] ?? {})).toEqual(['get', 'post']);
  });
});

describe('GET /openapi.json', () => {
  it('answers with the description to anyone, with and without keys', async () => {
    const api = await serve();
    const reply = await api.get('/openapi.json');
    expect(reply.status).toBe(200);
    expect(reply.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(reply.body).toEqual(JSON.parse(JSON.stringify(document)));
  });
});
