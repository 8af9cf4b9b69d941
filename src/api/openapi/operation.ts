import type { z } from 'zod';
import type { AnyRoute } from '../route.ts';
import { exampleOf } from './example.ts';
import { callHeader, lastEventId, RANGE_HEADERS } from './headers.ts';
import { responsesOf } from './responses.ts';
import type { SchemaCollector } from './schemas.ts';
import type { Operation, Parameter, Reference, Response } from './types.ts';

/** Express's `:name` as OpenAPI's `{name}`. */
export const pathTemplate = (path: string): string => path.replace(/:(\w+)/g, '{$1}');

function parametersIn(place: 'path' | 'query', schema: z.ZodType | undefined, schemas: SchemaCollector): Parameter[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = schemas.of(schema, 'input');
  return Object.entries(properties).map(([name, { description, ...rest }]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    ...(description === undefined ? {} : { description }),
    schema: rest,
  }));
}

function parametersOf(route: AnyRoute, schemas: SchemaCollector): (Parameter | Reference)[] {
  return [
    ...parametersIn('path', route.params, schemas),
    ...parametersIn('query', route.query, schemas),
    ...(route.changes ? [callHeader('IdempotencyKey')] : []),
    ...(route.kind === 'download' ? RANGE_HEADERS : []),
    ...(route.kind === 'stream' ? [lastEventId(schemas.of(route.eventId, 'input'))] : []),
  ];
}

function bodyOf(schema: z.ZodType, schemas: SchemaCollector): NonNullable<Operation['requestBody']> {
  const described = schemas.of(schema, 'input');
  const example = exampleOf(described, schemas.components);
  return { required: true, content: { 'application/json': { schema: described, example } } };
}

/** One call as OpenAPI describes it; schemas and answers that calls have in common go to the components. */
export function operationOf(
  route: AnyRoute,
  tag: string,
  schemas: SchemaCollector,
  shared: Record<string, Response>,
): Operation {
  const { operationId, summary, description, open, body } = route;
  const parameters = parametersOf(route, schemas);
  return {
    operationId,
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    ...(open ? { security: [] } : {}),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(body ? { requestBody: bodyOf(body, schemas) } : {}),
    responses: responsesOf(route, schemas, shared),
  };
}
