import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, NativeConnection, Worker } from '@temporalio/worker';
import { createLog, installRuntime } from '../../src/compose/logging.ts';
import { PAYLOAD_CONVERTER_PATH } from '../../src/workflow-bundle.ts';
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
const connection = await NativeConnection.connect({ address: temporalAddress });
const worker = await Worker.create({
  connection,
  namespace,
  taskQueue,
  workflowBundle,
  activities: floorActivities,
  dataConverter: { payloadConverterPath: PAYLOAD_CONVERTER_PATH },
  // The settings of the product's worker: what differs must be the work alone.
  maxCachedWorkflows: 1000,
  maxConcurrentActivityTaskExecutions: 400,
  maxHeartbeatThrottleInterval: '500ms',
  defaultHeartbeatThrottleInterval: '500ms',
  stickyQueueScheduleToStartTimeout: '2s',
  shutdownGraceTime: '1s',
  shutdownForceTime: '5s',
});
const stopped = worker.run().finally(() => connection.close());
serve({}, { usage: (settled) => usage(settled === true) }, async () => {
  if (worker.getState() === 'RUNNING') worker.shutdown();
  await stopped;
});
