import { PHASE_FIELDS, TEXT_FIELD } from '../../machine/payloads.ts';
import { HANDOFFS, PHASES, type Phase, phaseAt, type State } from '../../machine/states.ts';
import { NOT_BLANK } from '../fields.ts';
import { schemaRef } from './schemas.ts';
import type { Schema } from './types.ts';

type Field = (typeof PHASE_FIELDS)[Phase][number];

const text = { type: 'string', pattern: NOT_BLANK } as const;

const PATH_TEXT =
  'Where the file is in the product, like `src/slug.js`: relative, with `/`, and storable on every system. Of testing: a test file, with "test" in its path.';

const files: Schema = {
  type: 'array',
  minItems: 1,
  items: {
    type: 'object',
    properties: {
      path: { ...text, description: PATH_TEXT },
      content: { type: 'string', description: 'The whole file.' },
    },
    required: ['path', 'content'],
  },
};

/** What a field must be, where it is checked. What changes files is, whenever it is given. */
const KIND_SCHEMAS = {
  boolean: { type: 'boolean' },
  percent: { type: 'number', minimum: 0, maximum: 100 },
  text,
  list: { type: 'array' },
  any: {},
  files: { anyOf: [files, { type: 'null' }] },
  edits: { type: 'null' },
  paths: { anyOf: [{ type: 'array', minItems: 1, items: text }, { type: 'null' }] },
  evidence: { type: 'array', minItems: 1 },
} as const satisfies Record<Field['kind'], Schema>;

const FIELD_TEXTS: Readonly<Record<string, string>> = {
  discovered_reqs: 'A list of what was found to be asked for.',
  success_criteria: 'A list of what success is told by.',
  open_questions: 'What could not be found out.',
  plan: 'The plan, as a text or in any other shape.',
  components: 'The parts that are planned.',
  testing_strategy: 'How the product is to be tested.',
  requirements: 'The requirements that the plan covers.',
  code: 'The code as a text, where it is no files.',
  files: 'Files of the product.',
  edits: 'Not taken from outside: give whole files.',
  deleted_files: 'Paths of files of the product that are to go.',
  test_cases: 'A list of {name, input, expected_output}.',
  documentation: 'What users of the product read.',
  technical_notes: 'What the roles after this one should know.',
  all_tests_passed: 'False sends the build back to implementation.',
  test_coverage: 'Percent; under the minimum of the build it sends the build back to implementation.',
  test_results: 'What the tests said.',
  approved_for_deployment: 'False sends the build back to implementation.',
  verification_report: 'What was verified, and what was found.',
  recommendations: 'What could be better.',
  evidence: 'A list of {criterion, met, evidence, file, line, test}, one for each success criterion.',
  deployment_successful: 'False parks the build in error.',
  deployed_at: 'When the product was released.',
  version: 'The version of the release.',
  notes: 'Whatever else is to be known of the release.',
  monitoring_status: 'How the release does.',
};

/** What is checked whenever it is given, also where it may be left out. */
const CHECKED_KINDS: ReadonlySet<Field['kind']> = new Set(['files', 'edits', 'paths']);

const fieldSchema = ({ name, kind, from }: Field): Schema => ({
  ...(from === 'everyone' || CHECKED_KINDS.has(kind) ? KIND_SCHEMAS[kind] : {}),
  description: FIELD_TEXTS[name] ?? name,
});

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

/** States that stand for a phase: itself, and for calls that always complete one the handoff before it. */
const statesFor = (phase: Phase, withHandoffs: boolean): State[] => {
  const before = HANDOFFS.filter((handoff) => withHandoffs && phaseAt(handoff) === phase);
  return [phase, ...before];
};

/** Which of them goes with which state, for the schema of a body that has both. */
export const resultsByState = (stateField: string, resultField: string, withHandoffs = false): Schema[] =>
  PHASES.map((phase) => {
    const names = statesFor(phase, withHandoffs);
    const states = { enum: [...names, ...names.map((name) => name.toUpperCase())] };
    return {
      if: { properties: { [stateField]: states }, required: [stateField] },
      // biome-ignore lint/suspicious/noThenProperty: the keyword's name; it holds a schema
      then: { properties: { [resultField]: schemaRef(nameOf(phase)) }, required: [resultField] },
    };
  });
