import { isJsonObject, type Json, type JsonObject } from '../../machine/json.ts';
import type { Phase } from '../../machine/states.ts';

const count = (value: Json | undefined, what: string): string => `${Array.isArray(value) ? value.length : 0} ${what}`;
const files = (value: JsonObject): string =>
  (Array.isArray(value.files) ? value.files : [])
    .slice(0, 8)
    .map((file) => String((file as JsonObject).path))
    .join(', ');
function measured({ measured: own, test_run: run }: JsonObject): string {
  if (own !== true) return 'claimed, not measured';
  return isJsonObject(run) && run.sandbox === 'none' ? 'measured, without a sandbox' : 'measured';
}

function changes(value: JsonObject): string {
  const deleted = Array.isArray(value.deleted_files) ? `, ${value.deleted_files.length} deleted` : '';
  const run = isJsonObject(value.self_test) ? value.self_test : null;
  const tested = run === null ? '' : ` (own test run ${run.passed === true ? 'passed' : 'failed'})`;
  return `${count(value.files, 'files')}${deleted}${tested}: ${files(value)}`;
}

const SUMMARIES = {
  discovery: (v) => `${count(v.discovered_reqs, 'requirements')}, ${count(v.success_criteria, 'success criteria')}`,
  planning: (v) => `${count(v.components, 'components')}, ${count(v.success_criteria, 'success criteria')}`,
  implementation: changes,
  testing: (v) =>
    `${v.all_tests_passed === true ? 'tests pass' : 'tests fail'}, coverage ${String(v.test_coverage)} % (${measured(v)})`,
  verification: (v) =>
    `${v.approved_for_deployment === true ? 'approved' : 'rejected'}, ${count(v.evidence, 'criteria answered')}`,
  deployment: (v) => `${v.deployment_successful === true ? 'released' : 'not released'} ${String(v.version ?? '')}`,
} as const satisfies Record<Phase, (value: JsonObject) => string>;

/** What a role decided, in one line for the audit and the terminal. */
export const summaryOf = (phase: Phase, value: JsonObject): string => SUMMARIES[phase](value).trim().slice(0, 200);
