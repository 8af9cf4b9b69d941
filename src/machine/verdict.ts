import type { Build } from './build.ts';
import type { Json, JsonObject } from './json.ts';
import type { Phase } from './states.ts';

/** What a phase's result decides. A reject is a value, never an exception. */
export type Verdict = Readonly<
  { kind: 'pass' } | { kind: 'reject'; reason: string } | { kind: 'release_failed'; reason: string }
>;

const REASON_LENGTH = 1000;

/** Any JSON as one bounded line of text. */
function asText(value: Json | undefined): string {
  if (value === undefined || value === null) return '';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return [...text].slice(0, REASON_LENGTH).join('');
}

/** Joins what a rejecting role said about its reasons, in the order in which it is most telling. */
function explain(data: JsonObject, rule: string): string {
  const said = [data.reason, data.reasons, data.failures, data.verification_report, data.notes]
    .map(asText)
    .find((text) => text !== '');
  return said === undefined ? rule : `${rule}: ${said}`.slice(0, REASON_LENGTH);
}

/** Judges a checked result by the rules of design section 3, "Verdicts". */
export function judge(build: Pick<Build, 'spec'>, phase: Phase, data: JsonObject): Verdict {
  if (phase === 'testing') {
    if (data.all_tests_passed !== true) return { kind: 'reject', reason: explain(data, 'tests failed') };
    const coverage = Number(data.test_coverage);
    const { coverageMin } = build.spec;
    if (coverage < coverageMin) {
      return {
        kind: 'reject',
        reason: explain(data, `test coverage ${coverage} % is under the minimum ${coverageMin} %`),
      };
    }
  }
  if (phase === 'verification' && data.approved_for_deployment !== true) {
    return { kind: 'reject', reason: explain(data, 'verification did not approve') };
  }
  if (phase === 'deployment' && data.deployment_successful !== true) {
    return { kind: 'release_failed', reason: explain(data, 'the release failed') };
  }
  return { kind: 'pass' };
}

/** The reject that `next_state: implementation` asks for beside an otherwise passing result. */
export function askedReject(data: JsonObject): Verdict {
  return { kind: 'reject', reason: explain(data, 'sent back by the role') };
}
