import { expect, test } from 'vitest';
import { workerConnectionOptions } from '../../src/compose/temporal.ts';

const ADDRESS = '127.0.0.1:7233';

test('a worker compresses what it sends over TLS alone', () => {
  const near = workerConnectionOptions({ apiKey: null, tls: null }, ADDRESS);
  expect(near).toEqual({ address: ADDRESS, grpcCompression: { codec: 'none' } });
  const far = workerConnectionOptions({ apiKey: 'key', tls: null }, ADDRESS);
  expect(far).toEqual({ address: ADDRESS, tls: true, apiKey: 'key' });
  const named = workerConnectionOptions({ apiKey: null, tls: { serverName: 'temporal' } }, ADDRESS);
  expect(named).toEqual({ address: ADDRESS, tls: { serverNameOverride: 'temporal' } });
});
