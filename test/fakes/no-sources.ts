import type { SourceRules } from '../../src/source-paths.ts';

/** Rules under which no build begins with existing code. */
export const NO_SOURCES: SourceRules = { paths: [], ownPaths: [], privateAddresses: false };
