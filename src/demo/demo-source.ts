import type { SourceRequest } from '../client/client.ts';
import type { Config } from '../config.ts';

/** Whoever runs the demo may read what they name, so this folder is allowed beside those that the configuration names. */
export function withDemoSource(config: Config, source: SourceRequest | null): Config {
  const { paths } = config.sources;
  if (source === null || !('path' in source) || paths === 'any') return config;
  return { ...config, sources: { ...config.sources, paths: [...paths, source.path] } };
}
