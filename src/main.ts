import { startAll } from './compose/all.ts';
import { createLog } from './compose/logging.ts';
import { runEntryPoint } from './compose/run.ts';
import { installRuntime } from './compose/sdk-runtime.ts';
import { readConfig } from './config.ts';

/** `npm start`: the API and a worker, with the embedded parts for all that is not configured. */
await runEntryPoint(async (signal) => {
  const config = readConfig();
  const log = createLog(config.logLevel);
  installRuntime(log);
  const tell = (line: string): void => console.log(line);
  const all = await startAll({ config, log, tell, signal });
  if (all.simulated) tell('No model provider is configured: builds are played by the simulated model.');
  if (all.uiUrl) tell(`Builds that need an operator: ${needsOperator(all.uiUrl, config.temporal.namespace)}`);
  tell('Ctrl-C stops everything; builds go on at the next start.');
  return all;
});

/** The run must still be open: one that was terminated while parked keeps its search attribute for ever. */
function needsOperator(uiUrl: string, namespace: string): string {
  const query = "BuildNeedsOperator = true AND ExecutionStatus = 'Running'";
  return `${uiUrl}/namespaces/${namespace}/workflows?query=${encodeURIComponent(query)}`;
}
