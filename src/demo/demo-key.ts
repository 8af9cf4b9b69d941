import { randomBytes } from 'node:crypto';
import { sha256 } from '../api-keys.ts';
import type { Config } from '../config.ts';

/** The demo is a caller like any other: where the API wants keys it gets one of its own, for as long as it runs. */
export function withDemoKey(config: Config): Readonly<{ config: Config; apiKey: string | undefined }> {
  const { keys } = config.api;
  if (keys.length === 0) return { config, apiKey: undefined };
  const apiKey = randomBytes(24).toString('base64url');
  const key = { name: 'demo', secretSha256: sha256(apiKey), projects: null, readOnly: false };
  return { config: { ...config, api: { ...config.api, keys: [...keys, key] } }, apiKey };
}
