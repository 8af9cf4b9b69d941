import { PHASE_FIELDS, TEXT_FIELD } from '../../machine/payloads.ts';
import { PHASES, type Phase } from '../../machine/states.ts';
import { NOT_BLANK } from '../fields.ts';
import { schemaRef } from './schemas.ts';
import type { Schema } from './types.ts';

type Field = (typeof PHASE_FIELDS)[Phase][number];

const text = { type: 'string', pattern: NOT_BLANK } as const;

const file: Schema = {
  type: 'object',
  properties: { path: text, content: { type: 'string' } },
  required: ['path', 'content'],
};

/** What a field is, where it is checked. */
const KIND_SCHEMAS = {
  boolean: { type: 'boolean' },
  percent: { type: 'number', minimum: 0, maximum: 100 },
  text,
  list: { type: 'array' },
  any: {},
  files: { type: 'array', minItems: 1, items: file },
  evidence: { type: 'array', minItems: 1 },
} as const satisfies Record<Field['kind'], Schema>;

/** What a field that is not checked is expected to be. */
const KIND_HINTS: Readonly<Partial<Record<Field['kind'], string>>> = {
  text: 'A text.',
  list: 'A list.',
  evidence: 'A list of {criterion, met, evidence}, one for each success criterion.',
};

function fieldSchema({ kind, from }: Field): Schema {
  if (from === 'everyone') return KIND_SCHEMAS[kind];
  if (kind === 'files') return { anyOf: [KIND_SCHEMAS.files, { type: 'null' }], description: 'Files of the product.' };
  const hint = KIND_HINTS[kind];
  return hint === undefined ? {} : { description: hint };
}

const nameOf = (phase: Phase): string => `${phase.charAt(0).toUpperCase()}${phase.slice(1)}Result`;

function resultSchema(phase: Phase): Schema {
  const fields: readonly Field[] = PHASE_FIELDS[phase];
  const named = fields.map((field) => [field.name, fieldSchema(field)] as const);
  const required = fields.filter(({ from }) => from === 'everyone').map(({ name }) => name);
  const instruction: Schema = { description: 'A text that is shown to the role that works on.' };
  const object: Schema = {
    type: 'object',
    properties: { ...Object.fromEntries(named), next_role_instruction: instruction },
    ...(required.length > 0 ? { required } : {}),
  };
  const description = `What ${phase} hands on. More fields are kept.`;
  if (TEXT_FIELD[phase] === undefined) return { ...object, description };
  return { anyOf: [object, text], description: `${description} A plain text is taken as a whole.` };
}

/** What people and outside agents hand on, by the names of their components. */
export const PHASE_RESULT_SCHEMAS: Readonly<Record<string, Schema>> = Object.fromEntries(
  PHASES.map((phase) => [nameOf(phase), resultSchema(phase)]),
);

/** Which of them goes with which state, for the schema of a body that has both. */
export const resultsByState = (stateField: string, resultField: string): Schema[] =>
  PHASES.map((phase) => ({
    if: { properties: { [stateField]: { enum: [phase, phase.toUpperCase()] } }, required: [stateField] },
    // biome-ignore lint/suspicious/noThenProperty: the keyword's name; it holds a schema
    then: { properties: { [resultField]: schemaRef(nameOf(phase)) }, required: [resultField] },
  }));
