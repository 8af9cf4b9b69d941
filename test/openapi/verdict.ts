import type { OpenApiDocument } from '../../src/api/openapi/types.ts';
import { type Answer, createAnswerCheck } from './answer-check.ts';
import type { GeneratedRequest } from './request-arbitrary.ts';

/** What no document can say: whether a model is configured, and which phase is meant where none is named. */
const UNFORESEEABLE: readonly unknown[] = ['model_unavailable', 'invalid_phase_result'];

const read = (text: string): Record<string, unknown> => {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
};

/** A cursor is opaque, so that the document cannot say which texts are one. */
const isAboutCursor = ({ faults }: Record<string, unknown>): boolean =>
  Array.isArray(faults) && faults.some(({ at }: { at: string }) => at === 'cursor');

function truthFaults({ fits, body }: GeneratedRequest, { status, text }: Answer): string[] {
  const problem = read(text);
  if (fits === false && status < 300) return ['was taken, though the document does not allow it'];
  if (fits !== true || ![400, 404, 405, 413, 415, 422, 431].includes(status)) return [];
  if (status === 404) return [];
  const names = read(typeof body === 'string' ? body : '');
  const isKnown = problem.code === 'invalid_phase_result' && typeof names.completed_state === 'string';
  if (!isKnown && (UNFORESEEABLE.includes(problem.code) || isAboutCursor(problem))) return [];
  if (problem.code === 'idempotency_key_reused') return [];
  return [`was refused with ${problem.code}, though the document allows it: ${text.slice(0, 500)}`];
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
