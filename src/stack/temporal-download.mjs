/** Downloads the Temporal dev server into the folder given, by starting it once from there. */
import { TestWorkflowEnvironment } from '@temporalio/testing';

try {
  const executable = { type: 'cached-download', downloadDir: process.argv[2] };
  const env = await TestWorkflowEnvironment.createLocal({ server: { executable } });
  await env.teardown();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
