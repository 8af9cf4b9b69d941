import type { Fault } from './machine/json.ts';

/**
 * Every error the product raises on purpose, with the HTTP status it has when it reaches a caller of the API.
 * `code` is a public contract: it stands in problem+json, in Temporal failures and in logs.
 */
export const ERROR_STATUS = {
  invalid_body: 400,
  invalid_phase_result: 400,
  model_unavailable: 400,
  source_refused: 400,
  unauthorized: 401,
  loopback_only: 403,
  read_only_key: 403,
  not_found: 404,
  method_not_allowed: 405,
  request_timeout: 408,
  wrong_state: 409,
  wrong_role: 409,
  unexpected_next_state: 409,
  nothing_before: 409,
  not_reached: 409,
  build_over: 409,
  build_id_taken: 409,
  gate_running: 409,
  body_too_large: 413,
  unsupported_media_type: 415,
  range_not_satisfiable: 416,
  idempotency_key_reused: 422,
  rate_limited: 429,
  too_many_streams: 429,
  headers_too_large: 431,
  internal: 500,
  artifact_missing: 500,
  config_invalid: 500,
  data_dir_locked: 500,
  data_dir_unwritable: 500,
  port_taken: 500,
  release_failed: 500,
  sandbox_missing: 500,
  schema_mismatch: 500,
  source_unreachable: 500,
  source_unusable: 500,
  temporal_missing: 500,
  test_runtime_missing: 500,
  workspace_failed: 500,
  no_worker: 503,
  mirror_unavailable: 503,
  postgres_unreachable: 503,
  streams_exhausted: 503,
  temporal_unreachable: 503,
  too_busy: 503,
} as const satisfies Record<string, number>;

export type ErrorCode = keyof typeof ERROR_STATUS;

/** Facts beside the message that a caller can act on. */
export type ErrorDetails = Readonly<{
  faults?: readonly Fault[];
  currentState?: string;
  allowed?: readonly string[];
  retryAfterS?: number;
}>;

/**
 * The product's one error. The message gives the value, the rule and the remedy, in a sentence a person can act on;
 * it never contains a secret.
 */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}, options?: ErrorOptions) {
    super(message, options);
    this.name = 'AppError';
    this.code = code;
    this.details = details;
  }
}

/** Makes a forgotten case of a union a compile error, and a loud failure where types were circumvented. */
export function assertNever(value: never): never {
  throw new Error(`unexpected value: ${JSON.stringify(value)}`);
}
