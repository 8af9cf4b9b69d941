import { ARTIFACT_MEDIA_TYPES } from '../../artifacts/release-manifest.ts';
import type { PublicCode } from '../error-guide.ts';
import type { AnyRoute } from '../route.ts';
import { exampleOf } from './example.ts';
import { replyHeaders } from './headers.ts';
import { errorsByStatus, problemResponse } from './problems.ts';
import { refName, type SchemaCollector } from './schemas.ts';
import type { Content, Reference, Response, Schema } from './types.ts';

/** A Content-Type without its parameters, as descriptions name it. */
const bareType = (mediaType: string): string => mediaType.split(';', 1)[0] ?? mediaType;

/** A stream is text; what its events carry can only be said in words. */
function streamSchema(data: Schema): Schema {
  const names = (data.anyOf ?? [data]).map((one) => refName(one) ?? 'JSON').join(' or ');
  const description = `Server-sent events. Each has as its \`data\` one ${names} as JSON. Comments keep the connection open.`;
  return { type: 'string', description };
}

/** A file is bytes, of whatever kind its Content-Type says. */
const fileContent: Content = Object.fromEntries(
  ARTIFACT_MEDIA_TYPES.map((type) => [type, { schema: type.endsWith('json') ? {} : { type: 'string' } }]),
);

function replyContent(route: AnyRoute, schemas: SchemaCollector): Content {
  if (route.kind === 'download') return fileContent;
  const schema = schemas.of(route.reply, 'output');
  if (route.kind === 'stream') return { [route.mediaType]: { schema: streamSchema(schema) } };
  if (route.mediaType !== undefined) return { [bareType(route.mediaType)]: { schema } };
  return { 'application/json': { schema, example: exampleOf(schema, schemas.components) } };
}

function repliesOf(route: AnyRoute, schemas: SchemaCollector): Record<string, Response> {
  const { statuses = { 200: route.kind === 'stream' ? 'The stream.' : 'What came of the call.' } } = route;
  const headers = replyHeaders(route);
  const content = replyContent(route, schemas);
  const replies = Object.entries(statuses).map(([status, description]) => {
    return [status, { description, headers, ...(status === '204' ? {} : { content }) }] as const;
  });
  return Object.fromEntries(replies);
}

const componentName = (code: PublicCode): string =>
  code.replace(/(?:^|_)(\w)/g, (_all, letter: string) => letter.toUpperCase());

/** An answer with one code is the same for most calls, so it is a component. */
function share(
  response: Response,
  codes: readonly PublicCode[],
  shared: Record<string, Response>,
): Response | Reference {
  const [only, ...others] = codes;
  if (only === undefined || others.length > 0) return response;
  const name = componentName(only);
  shared[name] ??= response;
  const isSame = JSON.stringify(shared[name]) === JSON.stringify(response);
  return isSame ? { $ref: `#/components/responses/${name}` } : response;
}

/** A status that a call's replies and problems have in common. */
const joined = (reply: Response, problem: Response): Response => ({
  description: `${reply.description}\n\n${problem.description}`,
  headers: { ...reply.headers, ...problem.headers },
  content: { ...reply.content, ...problem.content },
});

/** Every answer of a call, by its status: replies, and problems with the codes that they may have. */
export function responsesOf(
  route: AnyRoute,
  schemas: SchemaCollector,
  shared: Record<string, Response>,
): Record<string, Response | Reference> {
  const replies = repliesOf(route, schemas);
  const problems = [...errorsByStatus(route)].map(([status, codes]) => {
    const problem = problemResponse(status, codes, route.changes === true, schemas);
    const reply = replies[status];
    return [status, reply ? joined(reply, problem) : share(problem, codes, shared)] as const;
  });
  return { ...replies, ...Object.fromEntries(problems) };
}
