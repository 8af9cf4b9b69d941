import type { ToolCall } from './tool-call.ts';

/**
 * Every way a model call can fail, and whether the same call may succeed later. The number of tries is the activity's
 * retry policy; what is not retryable parks the build, unless another route takes over (see `askForResult`).
 */
export const FAILURE_RETRYABLE = {
  RateLimited: true,
  QuotaExhausted: false,
  Unauthorized: false,
  ModelNotFound: false,
  BadRequest: false,
  ProviderError: true,
  ConnectionFailed: true,
  /** The answer stopped before its end, cleanly or not. */
  StreamCut: true,
  /** Success by its status, but no chat completion: a proxy's error page passes, so it is tried again a bounded number of times. */
  NotAnApi: true,
  DeadlineExceeded: true,
  ContentRefused: false,
  /** The output limit was reached: a fresh try would stop at the same place. */
  OutputTruncated: false,
  EmptyAnswer: true,
  /** Ended for a reason no plain text answer has, such as a tool call where no tools were offered. */
  UnexpectedEnd: true,
  AnswerTooLarge: false,
  /** Readable, but not what was asked for, also after all repairs. */
  BadAnswer: false,
  /** Nothing of the above: most likely a fault of this program. */
  Unexpected: true,
} as const satisfies Record<string, boolean>;

export type FailureType = keyof typeof FAILURE_RETRYABLE;

/** `message` is one sentence for an operator, without secrets and markup. `retryAfterMs`: what the provider asked to wait. */
export type ModelFailure = Readonly<{
  type: FailureType;
  retryable: boolean;
  retryAfterMs?: number;
  message: string;
}>;

/**
 * What a model answered, or had answered when the call failed. Tokens are 0 where the provider did not count them.
 * `toolCalls`: what it asks for before it goes on; absent in an answer that stands for itself.
 */
export type ModelAnswer = Readonly<{
  content: string;
  toolCalls?: readonly ToolCall[];
  model: string;
  promptTokens: number;
  completionTokens: number;
  durationMs: number;
}>;

/** A fault found while an answer is read; the classifier adds whose answer it was. */
export class AnswerFault extends Error {
  readonly type: FailureType;

  constructor(type: FailureType, message: string) {
    super(message);
    this.name = 'AnswerFault';
    this.type = type;
  }
}

/** One failed call, with what had arrived by then. */
export class CallFailed extends Error {
  readonly failure: ModelFailure;
  readonly answer: ModelAnswer;

  constructor(failure: ModelFailure, answer: ModelAnswer) {
    super(failure.message);
    this.name = 'CallFailed';
    this.failure = failure;
    this.answer = answer;
  }
}
