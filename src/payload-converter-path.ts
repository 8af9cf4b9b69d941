import { fileURLToPath } from 'node:url';

/** Given to the worker, to the bundle and to every client: the converter that never throws on what comes in. */
export const PAYLOAD_CONVERTER_PATH = fileURLToPath(new URL('workflows/payload-converter.cjs', import.meta.url));
