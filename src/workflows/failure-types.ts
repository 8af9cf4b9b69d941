/** Failure type of an activity whose build has used up its active time. */
export const FAILURE_TIMEOUT = 'workflow_timeout';
/** Failure type of a model whose answers stayed unusable after all repairs. */
export const FAILURE_BAD_ANSWER = 'BadAnswer';
/** Failure types of the orchestrator's own part of a phase begin so; the rest is an AppError's code. */
export const FAILURE_PHASE_PREFIX = 'phase_';
