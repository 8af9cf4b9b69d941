import type { OpenApiDocument, Schema } from '../openapi/types.ts';
import { type Call, callSection } from './call.ts';
import { schemaFields } from './fields.ts';
import { breakable, type Html, html, NOTHING } from './html.ts';
import { inline, prose } from './prose.ts';
import { STYLE } from './style.ts';
import { schemaAnchor, typeText } from './type-text.ts';

type Group = Readonly<{ name: string; description: string; calls: readonly Call[] }>;

function groupsOf({ paths, tags }: OpenApiDocument): Group[] {
  const calls = Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]): Call => ({ method: method.toUpperCase(), path, operation })),
  );
  return tags.map((tag) => ({ ...tag, calls: calls.filter(({ operation }) => operation.tags.includes(tag.name)) }));
}

const anchorOf = (name: string): string => `group-${name.toLowerCase().replaceAll(/[^a-z]+/g, '-')}`;

function navigation(groups: readonly Group[]): Html {
  const link = ({ method, path, operation }: Call): Html =>
    html`<li><a href="#call-${operation.operationId}"><span class="method ${method.toLowerCase()}">${method}</span> ${breakable(path)}</a></li>`;
  const group = ({ name, calls }: Group): Html =>
    html`<li><a href="#${anchorOf(name)}">${name}</a><ul>${calls.map(link)}</ul></li>`;
  return html`<nav aria-label="Calls"><ul>${groups.map(group)}<li><a href="#errors">Errors</a></li><li><a href="#schemas">Schemas</a></li></ul></nav>`;
}

function groupSection({ name, description, calls }: Group, document: OpenApiDocument): Html {
  return html`<section aria-labelledby="${anchorOf(name)}"><h2 id="${anchorOf(name)}">${name}</h2><p>${inline(description)}</p>${calls.map((call) => callSection(call, document.components))}</section>`;
}

function errorSection({ components }: OpenApiDocument): Html {
  const rows = (components.schemas.ErrorCode?.oneOf ?? []).map(
    ({ const: code, title = '', description = '' }) =>
      html`<tr id="error-${String(code)}"><th scope="row"><code>${String(code)}</code></th><td>${title}</td><td>${inline(description)}</td></tr>`,
  );
  return html`<section aria-labelledby="errors"><h2 id="errors">Errors</h2><p>Every error is a <a href="#${schemaAnchor('Problem')}">Problem</a>.</p><table class="codes"><caption>Codes</caption><thead><tr><th scope="col">Code</th><th scope="col">Status</th><th scope="col">Meaning and remedy</th></tr></thead><tbody>${rows}</tbody></table></section>`;
}

function schemaEntry([name, schema]: readonly [string, Schema]): Html {
  const isPlain = schema.properties === undefined;
  return html`<section aria-labelledby="${schemaAnchor(name)}"><h3 id="${schemaAnchor(name)}">${name}</h3>${prose(schema.description ?? '')}${isPlain ? html`<p>${typeText(schema)}</p>` : NOTHING}${schemaFields(schema)}</section>`;
}

/** The page that shows a description of the API. It needs nothing but itself: no script, no font, no picture. */
export function docsPage(document: OpenApiDocument): string {
  const { info, components } = document;
  const groups = groupsOf(document);
  const { markup } = html`<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${info.title}: the API</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body>
<a class="skip" href="#content">To the content</a>
<header><h1>${info.title}</h1><p>${info.summary} Version ${info.version} of the contract. <a href="/openapi.json">OpenAPI 3.1 as JSON</a></p></header>
<div class="columns">
${navigation(groups)}
<main id="content" tabindex="-1">
${prose(info.description)}
<p>In the examples <code>$API</code> is the address of this server, and <code>$API_KEY</code> a key where it asks for one.</p>
${groups.map((group) => groupSection(group, document))}
${errorSection(document)}
<section aria-labelledby="schemas"><h2 id="schemas">Schemas</h2>${Object.entries(components.schemas).map(schemaEntry)}</section>
</main>
</div>
</body>
</html>`;
  return `<!doctype html>\n${markup}\n`;
}
