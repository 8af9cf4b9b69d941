/** Tells how it stands with the packages that were compiled into it. */
import { createRequire } from 'node:module';
import { ApplicationFailure } from '@temporalio/common';
import { pino } from 'pino';
import { PAYLOAD_CONVERTER_PATH } from '../src/payload-converter-path.ts';

const byPath = createRequire(PAYLOAD_CONVERTER_PATH);
const sdk = byPath('@temporalio/common') as typeof import('@temporalio/common');
const loaded = Object.keys(byPath.cache).filter((path) => byPath.cache[path]?.paths.length);
console.log(
  JSON.stringify({
    isOne: sdk.ApplicationFailure === ApplicationFailure,
    loaded,
    stack: new Error().stack,
    pino: pino.version,
  }),
);
