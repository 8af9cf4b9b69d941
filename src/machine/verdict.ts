import type { Build } from './build.ts';
import { clipText, type Json, type JsonObject } from './json.ts';
import type { Phase } from './states.ts';

/** What a phase's result decides. A reject is a value, never an exception. */
export type Verdict = Readonly<
  { kind: 'pass' } | { kind: 'reject'; reason: string } | { kind: 'release_failed'; reason: string }
>;

const REASON_LIMIT_CHARS = 1000;

/** Any JSON as one bounded line of text. */
function asText(value: Json | undefined): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'object' && Object.keys(value).length === 0) return '';
  const text = typeof value === 'string' ? value.trim() : JSON.stringify(value);
  return clipText(text, REASON_LIMIT_CHARS);
}

/** What a role said about its reasons: the most telling field that it filled, or nothing. */
export function saidReason(data: JsonObject): string | null {
  const fields = [data.reason, data.reasons, data.failures, data.verification_report, data.notes];
  return fields.map(asText).find((text) => text !== '') ?? null;
}

function explain(data: JsonObject, rule: string): string {
  const said = saidReason(data);
  return said === null ? rule : clipText(`${rule}: ${said}`, REASON_LIMIT_CHARS);
}

/** Judges a checked result by the rules of design section 3, "Verdicts". */
export function judge(build: Pick<Build, 'spec'>, phase: Phase, data: JsonObject): Verdict {
  if (phase === 'testing') {
    if (data.all_tests_passed !== true) return { kind: 'reject', reason: explain(data, 'tests failed') };
    // What is no number is no coverage: a comparison with NaN would let it pass.
    const coverage = typeof data.test_coverage === 'number' ? data.test_coverage : 0;
    const { coverageMin } = build.spec;
    if (!(coverage >= coverageMin)) {
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
