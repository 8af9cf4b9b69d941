import { type ConnectionOptions, defaultGrpcRetryOptions, makeGrpcRetryInterceptor } from '@temporalio/client';

type Interceptor = NonNullable<ConnectionOptions['interceptors']>[number];
type Call = ReturnType<Interceptor>;

/** gRPC's code of a call that was given up. */
const CANCELLED = 1;

/** A call that ends without having been made. */
function endedCall(): Call {
  const call: Pick<Call, 'start' | 'sendMessage' | 'startRead' | 'halfClose' | 'cancelWithStatus' | 'getPeer'> = {
    start: (metadata, listener) => {
      setImmediate(() => {
        listener?.onReceiveMessage?.(undefined);
        listener?.onReceiveStatus?.({ code: CANCELLED, details: 'the connection is closed', metadata });
      });
    },
    sendMessage: () => undefined,
    startRead: () => undefined,
    halfClose: () => undefined,
    cancelWithStatus: () => undefined,
    getPeer: () => '',
  };
  return call as Call;
}

/** A closed connection throws at new calls. The SDK's retries come from a timer, where that would end the process. */
const endWhenClosed: Interceptor = (options, nextCall) => {
  try {
    return nextCall(options) as Call;
  } catch {
    return endedCall();
  }
};

/** The SDK's own retries, such that a connection can be closed while one is waited for. */
export const RETRIES: Interceptor[] = [makeGrpcRetryInterceptor(defaultGrpcRetryOptions()), endWhenClosed];
