import { z } from 'zod';
import { nothingAt } from './access.ts';
import { METRICS_TYPE } from './metrics.ts';
import { defineRoute } from './route.ts';

const PATH = '/metrics';

export const metrics = defineRoute({
  method: 'get',
  path: PATH,
  operationId: 'metrics',
  summary: 'Figures of this server for Prometheus: calls by operation, open event streams, refusals, the process.',
  description:
    'Each server counts for itself. Keys that are bound to projects find nothing here: the figures are of all projects.',
  reply: z.string(),
  mediaType: METRICS_TYPE,
  errors: ['not_found'],
  handle: async ({ caller }, deps) => {
    if (caller.projects !== null) throw nothingAt(PATH);
    return deps.metrics.text();
  },
});
