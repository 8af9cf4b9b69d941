import type { JsonObject } from '../machine/json.ts';
import type { Phase } from '../machine/states.ts';

/** A small passing result of every phase, for people to copy and to fill with their own words. */
export const RESULT_EXAMPLES = {
  discovery: { discovered_reqs: ['…'], success_criteria: ['…'] },
  planning: { plan: '…' },
  implementation: { code: '…' },
  testing: { all_tests_passed: true, test_coverage: 95 },
  verification: { approved_for_deployment: true, verification_report: '…' },
  deployment: { deployment_successful: true, version: '1.0.0' },
} as const satisfies Record<Phase, JsonObject>;
