import { z } from 'zod';
import { within } from '../within.ts';
import { defineRoute } from './route.ts';

const READINESS_DEADLINE_MS = 2000;

export const healthReply = z.object({ status: z.literal('ok') });
export const readinessReply = z.object({
  status: z.enum(['ready', 'not_ready']),
  temporal: z.boolean(),
  mirror: z.boolean(),
});

export const healthz = defineRoute({
  method: 'get',
  path: '/healthz',
  operationId: 'health',
  summary: 'Whether the process is alive.',
  open: true,
  reply: healthReply,
  errors: [],
  handle: async () => ({ status: 'ok' as const }),
});

export const readyz = defineRoute({
  method: 'get',
  path: '/readyz',
  operationId: 'readiness',
  summary: 'Whether Temporal and the mirror answer; 503 while one does not.',
  open: true,
  reply: readinessReply,
  errors: [],
  statuses: { 200: 'Temporal and the mirror answer.', 503: 'One of them does not answer; the body says which.' },
  statusOf: ({ status }) => (status === 'ready' ? 200 : 503),
  handle: async (_call, deps) => {
    const away = { temporal: false, mirror: false };
    const parts = await within(deps.readiness(), READINESS_DEADLINE_MS).catch(() => away);
    const status = parts.temporal && parts.mirror ? ('ready' as const) : ('not_ready' as const);
    return { status, temporal: parts.temporal, mirror: parts.mirror };
  },
});
