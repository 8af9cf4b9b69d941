import { DefaultPayloadConverter, type Payload } from '@temporalio/common';

/**
 * A payload converter that never throws on what comes in. Signals are decoded before any handler runs, so with the
 * default converter one signal with an unknown encoding fails every later workflow task of its build. What cannot be
 * decoded becomes `{ $undecodable: reason }`, which every message parser refuses like any other wrong input.
 */
class TolerantPayloadConverter extends DefaultPayloadConverter {
  override fromPayload<T>(payload: Payload): T {
    try {
      return super.fromPayload<T>(payload);
    } catch (error) {
      return { $undecodable: String(error).slice(0, 200) } as T;
    }
  }
}

/** The name under which the SDK looks for the converter. */
export const payloadConverter = new TolerantPayloadConverter();
