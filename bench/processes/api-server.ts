import { type ApiSettings, startApi } from '../../src/compose/api.ts';
import { createLog } from '../../src/compose/logging.ts';
import { argument, serve, usage } from './serve.ts';

export type ApiArgument = Omit<ApiSettings, 'log'>;
export type ApiReady = Readonly<{ url: string }>;

const api = await startApi({ ...argument<ApiArgument>(), log: createLog('warn') });
const ready: ApiReady = { url: api.url };
serve(ready, { usage: (settled) => usage(settled === true) }, () => api.close());
