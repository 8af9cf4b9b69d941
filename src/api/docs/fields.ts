import type { Schema } from '../openapi/types.ts';
import { type Html, html, NOTHING } from './html.ts';
import { inline } from './prose.ts';
import { typeText } from './type-text.ts';

type Row = Readonly<{ name: string; schema: Schema; required: boolean }>;

/** The parts of a list's entries, and of an object within, are shown below it. */
function innerRows(name: string, schema: Schema): Row[] {
  const isList = schema.type === 'array' && schema.items !== undefined;
  const inner = isList ? (schema.items ?? {}) : schema;
  const own = propertyRows(inner).map((row) => ({ ...row, name: `${name}${isList ? '[]' : ''}.${row.name}` }));
  return [...own, ...(schema.anyOf ?? []).flatMap((choice) => innerRows(name, choice))];
}

const propertyRows = ({ properties = {}, required = [] }: Schema): Row[] =>
  Object.entries(properties).flatMap(([name, schema]) => [
    { name, schema, required: required.includes(name) },
    ...innerRows(name, schema),
  ]);

const rowsOf = (schema: Schema): Row[] => [...propertyRows(schema), ...(schema.anyOf ?? []).flatMap(propertyRows)];

const defaultText = ({ default: value }: Schema): Html =>
  value === undefined ? NOTHING : html` <span class="note">default ${JSON.stringify(value)}</span>`;

function row({ name, schema, required }: Row): Html {
  return html`<tr><th scope="row"><code>${name}</code>${required ? html` <span class="note">required</span>` : NOTHING}</th><td>${typeText(schema)}${defaultText(schema)}</td><td>${inline(schema.description ?? '')}</td></tr>`;
}

/** A table of names with what each may be and means. */
export function fieldTable(caption: string, rows: readonly Row[]): Html {
  return html`<table><caption>${caption}</caption><thead><tr><th scope="col">Name</th><th scope="col">Type</th><th scope="col">Meaning</th></tr></thead><tbody>${rows.map(row)}</tbody></table>`;
}

/** `if` and `then` of a schema as sentences: when one field has these values, another is of that type. */
function conditions({ allOf = [] }: Schema): Html {
  const items = allOf.flatMap(({ if: when, then }) => {
    const [given] = Object.entries(when?.properties ?? {});
    const [follows] = Object.entries(then?.properties ?? {});
    if (!given || !follows) return [];
    return [
      html`<li>When <code>${given[0]}</code> is ${typeText(given[1])}, <code>${follows[0]}</code> is ${typeText(follows[1])}.</li>`,
    ];
  });
  return items.length === 0 ? NOTHING : html`<ul>${items}</ul>`;
}

/** What is known of the parts of a schema; nothing for one without parts. */
export function schemaFields(schema: Schema): Html {
  const rows = rowsOf(schema);
  return html`${rows.length === 0 ? NOTHING : fieldTable('Fields', rows)}${conditions(schema)}`;
}
