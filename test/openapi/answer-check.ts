import type { OpenApiDocument, Operation, Reference, Response } from '../../src/api/openapi/types.ts';
import { createSchemaCheck } from './schema-check.ts';

/** An answer as it came over HTTP, and what was asked for. */
export type Answer = Readonly<{
  method: string;
  /** With its query, as it was sent. */
  path: string;
  status: number;
  headers: Readonly<Record<string, string | undefined>>;
  text: string;
}>;

type Known = Readonly<{ template: string; pattern: RegExp; operations: Readonly<Record<string, Operation>> }>;

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

function patternOf(template: string): RegExp {
  const parts = template.split(/\{\w+\}/).map(escaped);
  return new RegExp(`^${parts.join('[^/]+')}/?$`);
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** What an answer's headers and body say of itself must be the same. */
function problemFaults({ status, headers, text }: Answer): string[] {
  const problem = parsed(text) as { status?: unknown; code?: unknown; type?: unknown } | undefined;
  if (typeof problem !== 'object' || problem === null) return ['a problem is no JSON object'];
  const faults: string[] = [];
  if (problem.status !== status) faults.push(`problem has status ${problem.status}, the answer ${status}`);
  if (problem.type !== `urn:q-orchestrator:problem:${problem.code}`)
    faults.push(`type ${problem.type} is not its code's`);
  if ((status === 503 || status === 429) && !/^\d+$/.test(headers['retry-after'] ?? '')) faults.push('no Retry-After');
  return faults;
}

/** Makes a check of answers against a document; it lists everything in which an answer is not as described. */
export function createAnswerCheck(document: OpenApiDocument): (answer: Answer) => string[] {
  const checkOf = createSchemaCheck(document);
  const known = Object.entries(document.paths).map(
    ([template, item]): Known => ({ template, pattern: patternOf(template), operations: { ...item } }),
  );
  const problemSchema = { $ref: '#/components/schemas/Problem' };
  const resolve = (response: Response | Reference): Response =>
    '$ref' in response ? (document.components.responses[response.$ref.split('/').at(-1) ?? ''] as Response) : response;

  const missingHeaders = ({ headers }: Answer, documented: Response): string[] =>
    Object.entries(documented.headers ?? {}).flatMap(([name, { $ref }]) => {
      const required = document.components.headers[$ref.split('/').at(-1) ?? '']?.required === true;
      return required && !headers[name.toLowerCase()] ? [`has no ${name}`] : [];
    });

  const contentFaults = (answer: Answer, documented: Response): string[] => {
    if (documented.content === undefined) return answer.text === '' ? [] : ['has a body, and none is documented'];
    const type = (answer.headers['content-type'] ?? '').split(';', 1)[0] ?? '';
    const media = documented.content[type];
    if (!media) return [`has Content-Type ${type || 'none'}, and that is not documented`];
    if (answer.method === 'HEAD' || type === 'text/event-stream') return [];
    return checkOf(media.schema)(type.endsWith('json') ? parsed(answer.text) : answer.text);
  };

  return (answer) => {
    const { method, path, status, headers } = answer;
    // A server does not see what is behind a `#`, though nothing keeps a client from sending it.
    const [bare = ''] = path.split(/[?#]/, 1);
    const matching = known.filter(({ pattern }) => pattern.test(bare));
    const verb = method === 'HEAD' ? 'get' : method.toLowerCase();
    const operations = matching.flatMap(({ operations }) => operations[verb] ?? []);
    const isProblem = headers['content-type']?.startsWith('application/problem+json') === true;
    const faults = isProblem && method !== 'HEAD' ? problemFaults(answer) : [];
    if (!headers['x-request-id']) faults.push('has no X-Request-Id');
    if (operations.length === 0) {
      if (method === 'OPTIONS' && status === 204) return faults;
      if (![400, 404, 405].includes(status)) faults.push(`is ${status}, and there is no such call`);
      return isProblem && method !== 'HEAD' ? [...faults, ...checkOf(problemSchema)(parsed(answer.text))] : faults;
    }
    const told = operations.map((operation) => {
      const documented = operation.responses[status];
      if (documented === undefined) return [`is ${status}, which is not documented for ${operation.operationId}`];
      const whole = resolve(documented);
      return [...missingHeaders(answer, whole), ...contentFaults(answer, whole)];
    });
    // A path may be two templates (`{project_id}` and `{workflow_id}`): fitting one of them is enough.
    return [...faults, ...(told.find((each) => each.length === 0) ?? told[0] ?? [])];
  };
}
