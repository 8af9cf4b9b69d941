import type { Operation, Parameter } from '../openapi/types.ts';

type Place = Readonly<{ method: string; path: string; operation: Operation; parameters: readonly Parameter[] }>;

/** A text as one word of a POSIX shell. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** The address of a path of this server; most paths need no quotes of their own. */
const addressOf = (path: string): string => (/^[\w./?=&%~-]+$/.test(path) ? `"$API${path}"` : `"$API"${quoted(path)}`);

function pathOf({ path, parameters }: Place): string {
  const values = new Map(
    parameters
      .filter((one) => one.in === 'path')
      .map(({ name, schema }) => [name, String(schema.examples?.[0] ?? name)]),
  );
  return path.replace(/\{(\w+)\}/g, (_all, name: string) => encodeURIComponent(values.get(name) ?? name));
}

function queryOf({ parameters }: Place): string {
  const given = parameters.filter(
    ({ in: place, required, schema }) => place === 'query' && (required || schema.examples),
  );
  const pairs = given.map(({ name, schema }) => `${name}=${encodeURIComponent(String(schema.examples?.[0] ?? name))}`);
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
}

/** The call with its example, for a shell in which API (and API_KEY, where one is needed) is set. */
export function curlOf(place: Place): string {
  const { method, operation, parameters } = place;
  const isOpen = operation.security?.length === 0;
  const body = operation.requestBody?.content['application/json']?.example;
  const isCommand = parameters.some(({ name }) => name === 'Idempotency-Key');
  const [reply] = Object.values(operation.responses);
  const isStream = reply !== undefined && 'content' in reply && reply.content?.['text/event-stream'] !== undefined;
  const first = [
    'curl',
    ...(isStream ? ['-N'] : []),
    ...(method === 'GET' ? [] : [`-X ${method}`]),
    addressOf(`${pathOf(place)}${queryOf(place)}`),
  ];
  const options = [
    ...(isOpen ? [] : ['-H "Authorization: Bearer $API_KEY"']),
    ...(isCommand ? [`-H ${quoted(`Idempotency-Key: ${operation.operationId}-1`)}`] : []),
    ...(body === undefined
      ? []
      : [`-H ${quoted('Content-Type: application/json')}`, `-d ${quoted(JSON.stringify(body, null, 2))}`]),
  ];
  return [first.join(' '), ...options].join(' \\\n  ');
}
