import type { OpenApiDocument } from '../../src/api/openapi/types.ts';
import { type Answer, createAnswerCheck } from './answer-check.ts';
import type { GeneratedRequest } from './request-arbitrary.ts';

const read = (text: string): Record<string, unknown> => {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
};

/** Statuses that say that a call is not of the form that is described. */
const FORM_STATUSES: readonly number[] = [400, 405, 413, 415, 431];

/**
 * Refusals that no document can foresee: whether a model is configured, from where sources are taken, which texts are a cursor
 * or name a file that can be written, and which phase is
 * meant where none is named.
 */
function isUnforeseeable({ code, faults }: Record<string, unknown>, body: GeneratedRequest['body']): boolean {
  if (code === 'model_unavailable' || code === 'source_refused') return true;
  if (Array.isArray(faults) && faults.some(({ at }: { at: string }) => at === 'cursor')) return true;
  if (Array.isArray(faults) && faults.some(({ at }: { at: string }) => /\.files\[\d+\]/.test(at))) return true;
  const namesPhase = typeof read(typeof body === 'string' ? body : '').completed_state === 'string';
  return code === 'invalid_phase_result' && !namesPhase;
}

function truthFaults({ fits, body }: GeneratedRequest, { status, text }: Answer): string[] {
  if (fits === false && status < 300) return ['was taken, though the document does not allow it'];
  if (fits !== true || !FORM_STATUSES.includes(status) || isUnforeseeable(read(text), body)) return [];
  return [`was refused, though the document allows it: ${text.slice(0, 500)}`];
}

export type Judge = (request: GeneratedRequest, answer: Answer, partsAway: boolean) => string[];

/** Judges answers by the document alone; lists what is wrong with one. */
export function createJudge(document: OpenApiDocument): Judge {
  const faultsOf = createAnswerCheck(document);
  return (request, answer, partsAway) => {
    const { status, text } = answer;
    const broken = status >= 500 && !(status === 503 && partsAway);
    return [
      ...(broken ? [`is ${status}: ${text.slice(0, 500)}`] : []),
      ...faultsOf(answer),
      ...truthFaults(request, answer),
    ];
  };
}
