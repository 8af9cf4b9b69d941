import { fileURLToPath } from 'node:url';
import { buildWithGo, type Go } from './go-build.ts';
import { type BinaryRequest, builtBinaryPath, TEMPORAL_CLI_VERSION } from './temporal-cache.ts';

/** Builds the Temporal CLI, which has the server inside, from the module pinned beside this file. */
export function buildTemporal(request: BinaryRequest, go?: Go): ReturnType<typeof buildWithGo> {
  const binary = {
    name: `the Temporal server ${TEMPORAL_CLI_VERSION}`,
    moduleDir: fileURLToPath(new URL('./temporal-server/', import.meta.url)),
    package: 'github.com/temporalio/cli/cmd/temporal',
    target: builtBinaryPath(request.cacheDir),
  };
  return buildWithGo(binary, request, go);
}
