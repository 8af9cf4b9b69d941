import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, NativeConnection, Worker } from '@temporalio/worker';
import { createLog } from '../../src/compose/logging.ts';
import { installRuntime } from '../../src/compose/sdk-runtime.ts';
import { workerConnectionOptions } from '../../src/compose/temporal.ts';
import { WORKER_TUNING } from '../../src/compose/worker.ts';
import { PAYLOAD_CONVERTER_PATH } from '../../src/payload-converter-path.ts';
import { floorActivities } from '../floor/activities.ts';
import { argument, serve, usage } from './serve.ts';

export type FloorArgument = Readonly<{ temporalAddress: string; namespace: string; taskQueue: string }>;

const { temporalAddress, namespace, taskQueue } = argument<FloorArgument>();
installRuntime(createLog('warn'));
const silent = () => undefined;
const workflowBundle = await bundleWorkflowCode({
  workflowsPath: fileURLToPath(new URL('../floor/workflows.ts', import.meta.url)),
  payloadConverterPath: PAYLOAD_CONVERTER_PATH,
  logger: { log: silent, trace: silent, debug: silent, info: silent, warn: silent, error: silent },
});
const connection = await NativeConnection.connect(
  workerConnectionOptions({ apiKey: null, tls: null }, temporalAddress),
);
const worker = await Worker.create({
  connection,
  namespace,
  taskQueue,
  workflowBundle,
  activities: floorActivities,
  dataConverter: { payloadConverterPath: PAYLOAD_CONVERTER_PATH },
  // What differs from the product's worker must be the work alone.
  ...WORKER_TUNING,
});
const stopped = worker.run().finally(() => connection.close());
serve({}, { usage: (settled) => usage(settled === true) }, async () => {
  if (worker.getState() === 'RUNNING') worker.shutdown();
  await stopped;
});
