// CommonJS, as it is run: the SDK loads it by its path with Node's own `require`, also where the rest is compiled or translated.
const { DefaultPayloadConverter } = require('@temporalio/common');

/**
 * A payload converter that never throws on what comes in. Signals are decoded before any handler runs, so with the
 * default converter one signal with an unknown encoding fails every later workflow task of its build. What cannot be
 * decoded becomes `{ $undecodable: reason }`, which every message parser refuses like any other wrong input.
 */
class TolerantPayloadConverter extends DefaultPayloadConverter {
  fromPayload(payload) {
    try {
      return super.fromPayload(payload);
    } catch (error) {
      return { $undecodable: String(error).slice(0, 200) };
    }
  }
}

/** The name under which the SDK looks for the converter. */
exports.payloadConverter = new TolerantPayloadConverter();
