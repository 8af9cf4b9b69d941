import { ServiceError, WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { serverError, Unreachable } from '../../src/api/temporal-call.ts';
import { queryError, updateError } from '../../src/api/temporal-errors.ts';

/** What the client throws for a gRPC status. */
const grpc = (code: number): ServiceError =>
  new ServiceError('Failed', { cause: Object.assign(new Error('grpc'), { code, details: 'x', metadata: {} }) });

const rejected = (type: string, details: Record<string, unknown>): WorkflowUpdateFailedError =>
  new WorkflowUpdateFailedError(
    'Workflow Update failed',
    ApplicationFailure.create({ type, message: 'why', nonRetryable: true, details: [details] }),
  );

describe('an Update that failed', () => {
  it('because the workflow refused it has its code, state, alternatives and faults', () => {
    const details = { code: 'wrong_state', state: 'testing', allowed: ['abort'], faults: [{ at: 'a', fault: 'b' }] };
    const error = updateError(rejected('wrong_state', details));
    expect(error).toMatchObject({
      code: 'wrong_state',
      message: 'why',
      details: { currentState: 'testing', allowed: ['abort'], faults: [{ at: 'a', fault: 'b' }] },
    });
  });

  it('because tests are running says when to ask again', () => {
    const error = updateError(rejected('gate_running', { state: 'testing', allowed: [] }));
    expect(error.details.retryAfterS).toBe(2);
  });

  it.each([
    ['a type that is no code', rejected('Error', {}), 'internal'],
    ['a cause that is no refusal', new WorkflowUpdateFailedError('x', new Error('y')), 'internal'],
    ['its deadline', new WorkflowUpdateRPCTimeoutOrCancelledError('deadline'), 'no_worker'],
    ['our own deadline', Object.assign(new Error('late'), { code: 4 }), 'no_worker'],
    ['a second race with continue-as-new', grpc(9), 'no_worker'],
    ['a server without a sign of life', new Unreachable('x', { cause: grpc(4) }), 'temporal_unreachable'],
    ['a server that is away', grpc(14), 'temporal_unreachable'],
    ['a server that is overloaded', grpc(8), 'temporal_unreachable'],
    ['a server that lets us not in', grpc(16), 'temporal_unreachable'],
    ['an argument the server refuses', grpc(3), 'internal'],
    ['something else', new TypeError('oops'), 'internal'],
  ])('because of %s is told apart', (_what, thrown, code) => {
    expect(updateError(thrown).code).toBe(code);
  });

  it.each([new WorkflowUpdateRPCTimeoutOrCancelledError('deadline'), grpc(14)])(
    'without an answer may still take effect, and says that repeating it with its key is safe',
    (thrown) => {
      const error = updateError(thrown);
      expect(error.message).toMatch(/may still take effect.*Idempotency-Key.*safe/);
      expect(error.details.retryAfterS).toBe(5);
    },
  );
});

describe('a query that failed', () => {
  it.each([
    ['its deadline', grpc(4), 'no_worker'],
    ['a workflow whose task fails', grpc(9), 'no_worker'],
    ['a server without a sign of life', new Unreachable('x', { cause: grpc(4) }), 'temporal_unreachable'],
    ['a server that is away', grpc(14), 'temporal_unreachable'],
    ['something else', new TypeError('oops'), 'internal'],
  ])('because of %s is told apart', (_what, thrown, code) => {
    expect(queryError(thrown).code).toBe(code);
  });
});

describe('a call that failed', () => {
  it('and changes nothing does not say that it may take effect', () => {
    expect(serverError(grpc(14), false).message).not.toContain('may still take effect');
    expect(serverError(grpc(14), true).message).toContain('may still take effect');
  });
});
