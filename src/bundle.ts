import { readConfig } from './config.ts';
import { workflowBundle } from './workflow-bundle.ts';

/** Makes the bundle of the workflow's code ahead, for images: their workers find it in the cache folder. */
console.log(`The workflow bundle is ${await workflowBundle(readConfig().cacheDir)}`);
