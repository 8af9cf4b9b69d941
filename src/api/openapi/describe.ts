import type { AnyRoute } from '../route.ts';
import { GROUPS, groupOf } from './groups.ts';
import { ANSWER_HEADERS, CALL_HEADERS } from './headers.ts';
import { operationOf, pathTemplate } from './operation.ts';
import { PHASE_RESULT_SCHEMAS } from './phase-results.ts';
import { collectSchemas, type SchemaCollector } from './schemas.ts';
import type { OpenApiDocument, PathItem, Response } from './types.ts';

/** The version of the contract, not of the product: it changes when a client must. */
const CONTRACT_VERSION = '1.0.0';

const DESCRIPTION = [
  'Five roles build software from requirements and hand it to one another. A build is one durable workflow; it is named by the `workflow_id` that its start answers with.',
  'A build is in one of eleven states, in this order: discovery, planning, handoff_to_coder, implementation, handoff_to_tester, testing, handoff_to_verifier, verification, handoff_to_releaser, deployment, complete; or in `error`, where it waits for an operator. A model drives every role that is not external; people may take over any phase with `advance`, send work back with `request-retry`, and go back with `rollback`.',
  "Where keys are configured, calls need `Authorization: Bearer <key>`. A key may be bound to projects, and what is not the caller's looks as if it were not there. The key's name stands in the audit as the actor.",
  'Commands honour an `Idempotency-Key`: repeated with it, a command takes effect once and answers the same. Every answer of a command carries its key, so that it can be repeated even if none was sent.',
  'Errors are `application/problem+json` (RFC 9457) with a `code` that never changes. An address that is not listed here is 404 `not_found`; a method that an address does not have is 405 `method_not_allowed` with an `Allow` header.',
  'Bodies are JSON objects in UTF-8 of at most 1 MB, with the fields that are listed here and no others. Nesting is at most 64 levels deep; no text may contain NUL or half of a surrogate pair. Characters beyond the Basic Multilingual Plane count twice.',
].join('\n\n');

function pathsOf(
  routes: readonly AnyRoute[],
  schemas: SchemaCollector,
  shared: Record<string, Response>,
): Record<string, PathItem> {
  const paths: Record<string, PathItem> = {};
  for (const route of routes) {
    const path = pathTemplate(route.path);
    const operation = operationOf(route, groupOf(route.path), schemas, shared);
    paths[path] = { ...paths[path], [route.method]: operation };
  }
  return paths;
}

/** The OpenAPI 3.1 description of a table of routes. It names no host and holds nothing secret. */
export function describeApi(routes: readonly AnyRoute[]): OpenApiDocument {
  const schemas = collectSchemas(PHASE_RESULT_SCHEMAS);
  const responses: Record<string, Response> = {};
  const paths = pathsOf(routes, schemas, responses);
  const used = new Set(routes.map(({ path }) => groupOf(path)));
  return {
    openapi: '3.1.1',
    info: {
      title: 'Q Orchestrator',
      version: CONTRACT_VERSION,
      summary: 'Builds as durable workflows: start, steer and watch them.',
      description: DESCRIPTION,
    },
    jsonSchemaDialect: 'https://json-schema.org/draft/2020-12/schema',
    servers: [{ url: '/', description: 'The server that this description came from.' }],
    security: [{ apiKey: [] }, {}],
    tags: GROUPS.filter(({ name }) => used.has(name)).map(({ name, description }) => ({ name, description })),
    paths,
    components: {
      schemas: schemas.components,
      parameters: CALL_HEADERS,
      responses,
      headers: ANSWER_HEADERS,
      securitySchemes: {
        apiKey: {
          type: 'http',
          scheme: 'bearer',
          description:
            'One of the keys of API_KEYS. Without keys the server asks for none, and answers this machine only.',
        },
      },
    },
  };
}
