import { EXIT } from './cli/output.ts';
import { runCommandLine } from './cli/run.ts';

/** `q-orchestrator`: builds over HTTP, from the command line. */

const { stdin: input, stdout: output, stderr: errors } = process;
// A reader that has seen enough (`| head`) is no failure.
output.on('error', () => process.exit(EXIT.done));
process.exitCode = await runCommandLine(process.argv.slice(2), process.env, { input, output, errors });
