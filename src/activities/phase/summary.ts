import type { Json, JsonObject } from '../../machine/json.ts';
import type { Phase } from '../../machine/states.ts';

const count = (value: Json | undefined, what: string): string => `${Array.isArray(value) ? value.length : 0} ${what}`;
const files = (value: JsonObject): string =>
  (Array.isArray(value.files) ? value.files : [])
    .slice(0, 8)
    .map((file) => String((file as JsonObject).path))
    .join(', ');
const measured = (value: JsonObject): string => (value.measured === true ? 'measured' : 'claimed, not measured');

const SUMMARIES = {
  discovery: (v) => `${count(v.discovered_reqs, 'requirements')}, ${count(v.success_criteria, 'success criteria')}`,
  planning: (v) => `${count(v.components, 'components')}, ${count(v.success_criteria, 'success criteria')}`,
  implementation: (v) => `${count(v.files, 'files')}: ${files(v)}`,
  testing: (v) =>
    `${v.all_tests_passed === true ? 'tests pass' : 'tests fail'}, coverage ${String(v.test_coverage)} % (${measured(v)})`,
  verification: (v) =>
    `${v.approved_for_deployment === true ? 'approved' : 'rejected'}, ${count(v.evidence, 'criteria answered')}`,
  deployment: (v) => `${v.deployment_successful === true ? 'released' : 'not released'} ${String(v.version ?? '')}`,
} as const satisfies Record<Phase, (value: JsonObject) => string>;

/** What a role decided, in one line for the audit and the terminal. */
export const summaryOf = (phase: Phase, value: JsonObject): string => SUMMARIES[phase](value).trim().slice(0, 200);
