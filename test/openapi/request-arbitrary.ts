import fc from 'fast-check';
import type { OpenApiDocument, Operation, Parameter, Schema } from '../../src/api/openapi/types.ts';
import { ROLES } from '../../src/machine/states.ts';
import { breakHeaders, breakJson, breakPath, brokenBody, ODD_METHODS } from './faults.ts';
import type { KnownBuild } from './known-builds.ts';
import { type ArbitraryOf, createArbitraryOf, type Pinned } from './schema-arbitrary.ts';
import { createSchemaCheck } from './schema-check.ts';

export type GeneratedRequest = Readonly<{
  method: string;
  /** As it is sent, with its query. */
  path: string;
  headers: Readonly<Record<string, string>>;
  body: string | Uint8Array | null;
  /** Whether it is a call as the document describes it; null where the document does not say. */
  fits: boolean | null;
  /** What was done to it, for people. */
  about: string;
}>;

type Call = Readonly<{ method: string; template: string; operation: Operation; parameters: readonly Parameter[] }>;

/** The values of a call's parameters and body before they are written down. */
type Values = Readonly<{
  path: Readonly<Record<string, unknown>>;
  query: Readonly<Record<string, unknown>>;
  headers: Readonly<Record<string, unknown>>;
  body: unknown;
}>;

function callsOf({ paths, components }: OpenApiDocument): Call[] {
  const resolved = (operation: Operation): Parameter[] =>
    (operation.parameters ?? []).flatMap((one) =>
      '$ref' in one ? (components.parameters[one.$ref.split('/').at(-1) ?? ''] ?? []) : [one],
    );
  return Object.entries(paths).flatMap(([template, item]) =>
    Object.entries(item).map(([method, operation]) => {
      return { method: method.toUpperCase(), template, operation, parameters: resolved(operation) };
    }),
  );
}

const bodySchemaOf = ({ operation }: Call): Schema | null =>
  operation.requestBody?.content['application/json']?.schema ?? null;

const pinnedTo = ({ workflowId, buildId, projectId, role, completedState }: KnownBuild): Pinned => ({
  workflow_id: fc.constant(workflowId),
  project_id: fc.constantFrom(projectId, projectId, 'another'),
  build_id: fc.oneof(fc.uuid(), fc.constant(buildId)),
  role: fc.constantFrom(role, role.toUpperCase()),
  completed_state: fc.constantFrom(completedState, completedState.toUpperCase()),
  target_state: fc.constantFrom('discovery', 'planning', 'IMPLEMENTATION'),
  expected_state: fc.constantFrom(completedState, null),
  model: fc.constantFrom('gpt-4', null),
  // A build of which a model does nothing costs little, and stays where commands find it.
  external_roles: fc.constant(ROLES),
});

const isWellFormed = (value: unknown): boolean => typeof value !== 'string' || !/\p{Cs}/u.test(value);

function valuesOf(call: Call, pinned: Pinned, arbitraryOf: ArbitraryOf): fc.Arbitrary<Values> {
  const placed = (place: Parameter['in']): fc.Arbitrary<Readonly<Record<string, unknown>>> => {
    const here = call.parameters.filter((one) => one.in === place);
    const made = here.map(({ name, schema }) => {
      const own = arbitraryOf(schema).filter(isWellFormed);
      const pin = pinned[name];
      return [name, pin ? fc.oneof({ weight: 6, arbitrary: pin }, { weight: 1, arbitrary: own }) : own] as const;
    });
    const requiredKeys = here.filter(({ required }) => required).map(({ name }) => name);
    return fc.record(Object.fromEntries(made), { requiredKeys, noNullPrototype: true });
  };
  const schema = bodySchemaOf(call);
  return fc.record({
    path: placed('path'),
    query: placed('query'),
    headers: placed('header'),
    body: schema ? arbitraryOf(schema, pinned) : fc.constant(undefined),
  });
}

function written(call: Call, { path, query, headers, body }: Values): Omit<GeneratedRequest, 'fits' | 'about'> {
  const place = call.template.replace(/\{(\w+)\}/g, (_all, name: string) => encodeURIComponent(String(path[name])));
  const pairs = Object.entries(query).map(([name, value]): [string, string] => [name, String(value)]);
  const search = new URLSearchParams(pairs).toString();
  return {
    method: call.method,
    path: search === '' ? place : `${place}?${search}`,
    headers: {
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)])),
    },
    body: body === undefined ? null : JSON.stringify(body),
  };
}

/**
 * Makes requests from nothing but the document: calls as it describes them, calls with one fault, and garbage. Builds
 * that exist are named often, and those that do not now and then.
 */
export function createRequests(
  document: OpenApiDocument,
  known: readonly KnownBuild[],
): fc.Arbitrary<GeneratedRequest> {
  const arbitraryOf = createArbitraryOf(document);
  const checkOf = createSchemaCheck(document);
  const ofCall = (call: Call): fc.Arbitrary<GeneratedRequest> => {
    const schema = bodySchemaOf(call);
    const fitting = fc.oneof(...known.map((build) => valuesOf(call, pinnedTo(build), arbitraryOf)));
    const request = fitting.map((values) => ({ ...written(call, values), fits: null }));
    const asDescribed = fitting.map((values) => ({ ...written(call, values), fits: true, about: 'as described' }));
    const badBody = fitting.chain((values) =>
      breakJson(values.body, schema?.$ref, document.components.schemas).map(({ value, about }) => {
        // What is no JSON (undefined) is sent as null. JSON Schema cannot say that a text cannot be stored, nor how deep is too deep.
        const sent = JSON.parse(JSON.stringify(value ?? null)) as unknown;
        const mayFit = schema === null || checkOf(schema)(sent).length === 0;
        return { ...written(call, { ...values, body: sent }), fits: mayFit ? null : false, about: `body: ${about}` };
      }),
    );
    const badBytes = fc.tuple(request, brokenBody).map(([one, broken]) => {
      return { ...one, ...broken, headers: { ...one.headers, ...broken.headers } };
    });
    const badHeaders = fc.tuple(request, breakHeaders).map(([one, headers]) => {
      return { ...one, headers: { ...one.headers, ...headers }, about: 'headers' };
    });
    const badPath = request.chain((one) => breakPath(one.path).map((path) => ({ ...one, path, about: 'path' })));
    const badMethod = fc.tuple(request, ODD_METHODS).map(([one, method]) => ({ ...one, method, about: 'method' }));
    const badBodies = [
      { weight: 8, arbitrary: badBody },
      { weight: 3, arbitrary: badBytes },
    ];
    return fc.oneof(
      { weight: 8, arbitrary: asDescribed },
      ...(schema === null ? [] : badBodies),
      { weight: 2, arbitrary: badHeaders },
      { weight: 3, arbitrary: badPath },
      { weight: 1, arbitrary: badMethod },
    );
  };
  // A call that takes nothing has little that could be wrong with it.
  const weightOf = (call: Call): number => (call.parameters.length > 0 || bodySchemaOf(call) !== null ? 8 : 1);
  return fc.oneof(...callsOf(document).map((call) => ({ weight: weightOf(call), arbitrary: ofCall(call) })));
}
