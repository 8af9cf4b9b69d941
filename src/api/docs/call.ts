import type { OpenApiDocument, Operation, Parameter, Reference, Response } from '../openapi/types.ts';
import { curlOf } from './curl.ts';
import { fieldTable, schemaFields } from './fields.ts';
import { breakable, type Html, html, NOTHING } from './html.ts';
import { inline, prose } from './prose.ts';
import { typeText } from './type-text.ts';

export type Call = Readonly<{ method: string; path: string; operation: Operation }>;

const PROBLEM = 'application/problem+json';
type Components = OpenApiDocument['components'];

const nameOf = ({ $ref }: Reference): string => $ref.split('/').at(-1) ?? '';

const parametersOf = ({ parameters = [] }: Operation, components: Components): Parameter[] =>
  parameters.flatMap((one) => ('$ref' in one ? (components.parameters[nameOf(one)] ?? []) : [one]));

const responsesOf = ({ responses }: Operation, components: Components): (readonly [string, Response])[] =>
  Object.entries(responses).flatMap(([status, one]) => {
    const response = '$ref' in one ? components.responses[nameOf(one)] : one;
    return response ? [[status, response] as const] : [];
  });

function parameterTables(parameters: readonly Parameter[]): Html {
  const places = { path: 'In the path', query: 'In the query', header: 'In the headers' } as const;
  const tables = (['path', 'query', 'header'] as const).flatMap((place) => {
    const rows = parameters.filter((one) => one.in === place);
    const described = rows.map(({ name, required, description = '', schema }) => {
      return { name, required, schema: { ...schema, description } };
    });
    return rows.length === 0 ? [] : [fieldTable(places[place], described)];
  });
  return tables.length === 0 ? NOTHING : html`<h4>Parameters</h4>${tables}`;
}

function bodyOf({ requestBody }: Operation, components: Components): Html {
  const schema = requestBody?.content['application/json']?.schema;
  if (!schema) return NOTHING;
  const named = schema.$ref === undefined ? schema : (components.schemas[nameOf({ $ref: schema.$ref })] ?? schema);
  return html`<h4>Body</h4><p>${typeText(schema)}, as JSON.</p>${schemaFields(named)}`;
}

function reply([status, { description, content = {} }]: readonly [string, Response]): Html {
  const kinds = Object.entries(content).filter(([type]) => type !== PROBLEM);
  if (kinds.length === 0 && content[PROBLEM]) return NOTHING;
  const shown = kinds.map(([type, { schema, example }]) => {
    const sample = html`<details><summary>Example</summary><pre>${JSON.stringify(example, null, 2)}</pre></details>`;
    return html`<p><code>${type}</code>: ${typeText(schema)}. ${inline(schema.description ?? '')}</p>${example === undefined ? NOTHING : sample}`;
  });
  return html`<dt>${status}</dt><dd>${prose(description)}${shown}</dd>`;
}

function errorRows(
  [status, { content = {} }]: readonly [string, Response],
  meanings: ReadonlyMap<string, string>,
): Html[] {
  const codes = (content[PROBLEM]?.schema.properties?.code?.enum ?? []).map(String);
  return codes.map(
    (code) =>
      html`<tr><th scope="row"><a href="#error-${code}"><code>${code}</code></a></th><td>${status}</td><td>${inline(meanings.get(code) ?? '')}</td></tr>`,
  );
}

/** What a caller of one call must know, from the document alone. */
export function callSection({ method, path, operation }: Call, components: Components): Html {
  const parameters = parametersOf(operation, components);
  const responses = responsesOf(operation, components);
  const codes = components.schemas.ErrorCode?.oneOf ?? [];
  const meanings = new Map(codes.map(({ const: code, description = '' }) => [String(code), description]));
  const id = `call-${operation.operationId}`;
  return html`<section class="call" aria-labelledby="${id}">
<h3 id="${id}"><span class="method ${method.toLowerCase()}">${method}</span> <code>${breakable(path)}</code></h3>
<p class="summary">${inline(operation.summary)}</p>
${operation.description === undefined ? NOTHING : prose(operation.description)}
${operation.security?.length === 0 ? html`<p class="note">Needs no API key.</p>` : NOTHING}
${parameterTables(parameters)}
${bodyOf(operation, components)}
<h4>Example</h4><pre>${curlOf({ method, path, operation, parameters })}</pre>
<h4>Replies</h4><dl>${responses.map(reply)}</dl>
<h4>Errors</h4>
<table class="codes"><caption>Errors of this call</caption><thead><tr><th scope="col">Code</th><th scope="col">Status</th><th scope="col">Meaning and remedy</th></tr></thead><tbody>${responses.flatMap((one) => errorRows(one, meanings))}</tbody></table>
</section>`;
}
