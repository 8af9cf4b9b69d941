import type { ERROR_STATUS, ErrorCode } from '../errors.ts';

/** Codes that no caller is told: their status is 500, so callers read `internal`, or they end a process at its start. */
type HiddenCode =
  | Exclude<{ [K in ErrorCode]: (typeof ERROR_STATUS)[K] extends 500 ? K : never }[ErrorCode], 'internal'>
  | 'postgres_unreachable';

/** A code that can stand in an answer of the API. */
export type PublicCode = Exclude<ErrorCode, HiddenCode>;

/** `meaning`: what is the matter. `remedy`: what the caller can do. */
type Guide = Readonly<{ meaning: string; remedy: string }>;

/** What every code says to those who build on the API: its description and its page are made from this table. */
export const ERROR_GUIDE = {
  invalid_body: {
    meaning: 'The call is not of the form that is described here; `faults` lists everything that is wrong with it.',
    remedy: 'Mend every place of `faults`. Sent again as it is, the call is refused again.',
  },
  invalid_phase_result: {
    meaning: 'The phase_result lacks fields that the phase hands on, or has them in another shape.',
    remedy: 'Mend every place of `faults`; the fields of each phase are described with the call.',
  },
  model_unavailable: {
    meaning: 'A model of this build has no configured provider, so the build was not started.',
    remedy: 'Choose another `model`, or have the operator set the variable that `detail` names.',
  },
  source_refused: {
    meaning: 'The operator does not let builds take their code from the `path` of this source, so none was started.',
    remedy: 'Choose a path below a folder of SOURCE_PATHS, have the operator add one, or give a `git_url`.',
  },
  unauthorized: {
    meaning: 'The server asks for an API key, and the call has none that it knows.',
    remedy: 'Send `Authorization: Bearer <key>`.',
  },
  loopback_only: {
    meaning:
      'Without API keys only this machine is served, and the call names another host, or comes from a page of one.',
    remedy: "Call 127.0.0.1 or localhost; have the operator name the page's origin in CORS_ORIGINS, or set API_KEYS.",
  },
  read_only_key: {
    meaning: 'The API key may only read, and the call changes builds.',
    remedy: 'Use a key that may change builds.',
  },
  not_found: {
    meaning: "What the call names is not there, or is not the caller's: nothing tells the two apart.",
    remedy: "Use the workflow_id that the start answered with, and a key of the build's project.",
  },
  method_not_allowed: {
    meaning: 'The address has no such method.',
    remedy: 'Use a method of the `Allow` header.',
  },
  request_timeout: {
    meaning: 'The call did not arrive as a whole in time.',
    remedy: 'Send it again, without pauses.',
  },
  wrong_state: {
    meaning: 'The build is not in the state that the call is about; `current_state` says where it is.',
    remedy:
      'Ask for the status, and make one of the calls that `allowed` names. A command that was lost on its way is repeated with its Idempotency-Key.',
  },
  wrong_role: {
    meaning: 'The role does not own the current state.',
    remedy: 'Advance as the role that the status gives as `next_role`.',
  },
  unexpected_next_state: {
    meaning: '`next_state` is not where the machine goes with this result.',
    remedy: 'Leave `next_state` out, or give the state that `allowed` names.',
  },
  nothing_before: {
    meaning: 'The build is in its first phase, so that there is nothing to send the work back to.',
    remedy: 'Roll back to discovery to begin it again, or advance.',
  },
  not_reached: {
    meaning: 'The build has not reached the phase, or is before it.',
    remedy: 'Roll back to a phase that `allowed` names.',
  },
  build_over: {
    meaning: 'The build is complete or cancelled, and no command changes it any more.',
    remedy: 'Start a new build.',
  },
  build_id_taken: {
    meaning: 'The build_id was used for a start with other content; it is unique for ever.',
    remedy: 'Choose a new build_id.',
  },
  gate_running: {
    meaning:
      "The tests of the build are being run and nobody's word passes before they end, or files that were handed on are being committed, or the source fetched.",
    remedy: 'Repeat the call after Retry-After.',
  },
  body_too_large: {
    meaning: 'The body, or a part of it, is larger than the call takes.',
    remedy: 'Send less, or refer to the rest by a URL.',
  },
  unsupported_media_type: {
    meaning: 'The body is not JSON in UTF-8, or is compressed in a way that is not known.',
    remedy: 'Send `Content-Type: application/json`, plain or with gzip or deflate.',
  },
  range_not_satisfiable: {
    meaning: 'Nothing of the range that is asked for is there.',
    remedy: 'Ask for a range within the size that `Content-Range` names, or for the whole.',
  },
  idempotency_key_reused: {
    meaning: 'The Idempotency-Key was used for another command of this build.',
    remedy: 'Use a new key for every command, and the same key only to repeat one.',
  },
  rate_limited: {
    meaning: 'The key makes more calls a second than it may, or too many unknown keys came from the address.',
    remedy: 'Go on after Retry-After.',
  },
  too_many_streams: {
    meaning: 'The caller has as many streams of events open as it may.',
    remedy: 'Close some; one stream of a project shows all of its builds.',
  },
  headers_too_large: {
    meaning: 'The address and the headers are longer together than the server reads.',
    remedy: 'Shorten the address, or send fewer headers.',
  },
  internal: {
    meaning: 'Something went wrong in the server.',
    remedy: 'Give the X-Request-Id of the answer to the operator: the log says more.',
  },
  no_worker: {
    meaning: 'No worker took the command in time. It may still take effect.',
    remedy: 'Repeat the call with its Idempotency-Key after Retry-After: it takes effect once.',
  },
  mirror_unavailable: {
    meaning: 'The database that remembers builds does not answer. Builds go on and can be steered.',
    remedy: 'Ask again after Retry-After.',
  },
  streams_exhausted: {
    meaning: 'The server has as many streams of events open as it holds.',
    remedy: 'Connect again after Retry-After.',
  },
  temporal_unreachable: {
    meaning: 'Temporal does not answer. A command may still take effect.',
    remedy: 'Repeat the call after Retry-After, a command with its Idempotency-Key.',
  },
  too_busy: {
    meaning: 'More builds are to begin than Temporal takes in at once. This one waited in vain, and was not begun.',
    remedy: 'Start it again after Retry-After.',
  },
} as const satisfies Record<PublicCode, Guide>;

/** The code under which callers are told of an error. */
export const publicCode = (code: ErrorCode): PublicCode => (code in ERROR_GUIDE ? (code as PublicCode) : 'internal');

export const PUBLIC_CODES = Object.keys(ERROR_GUIDE) as PublicCode[];
