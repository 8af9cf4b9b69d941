import type { RequestHandler, Response } from 'express';
import { Counter, collectDefaultMetrics, Gauge, Histogram, prometheusContentType, Registry } from 'prom-client';

/** What Prometheus is told of one server. */
export type Metrics = Readonly<{
  /** Counts every call from here on; stands before all that may answer. */
  count: RequestHandler;
  /** All figures as Prometheus reads them. */
  text(): Promise<string>;
}>;

export const METRICS_TYPE = prometheusContentType;

const isEventStream = (res: Response): boolean =>
  res.headersSent && String(res.getHeader('Content-Type')).startsWith('text/event-stream');

/**
 * Makes the figures of one server, in a registry of their own: two servers in one process share none. Names and labels
 * are a public contract: others' alerts read them. No label holds what a caller chose.
 */
export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const underWay = new Set<Response>();
  const calls = new Histogram({
    name: 'q_api_call_duration_seconds',
    help: 'Calls by operation (none: no such call) and their time to the end of the answer; status aborted: the caller left before it began.',
    labelNames: ['operation', 'method', 'status'],
    registers,
  });
  const problems = new Counter({
    name: 'q_api_problems_total',
    help: 'Answers that are problems, by their code.',
    labelNames: ['code'],
    registers,
  });
  // So that their first rise is seen: a rate needs a value to begin with.
  for (const code of ['rate_limited', 'unauthorized']) problems.inc({ code }, 0);
  new Gauge({
    name: 'q_api_event_streams_open',
    help: 'Event streams that are being read now.',
    registers,
    collect() {
      this.set([...underWay].filter(isEventStream).length);
    },
  });
  // Some of the process's own figures need monitors that run all the time: nobody pays for them who never asks.
  let observed = false;
  return {
    count: (req, res, next) => {
      const end = calls.startTimer({ method: req.method });
      underWay.add(res);
      res.once('close', () => {
        underWay.delete(res);
        const { operationId = 'none', problem } = res.locals as { operationId?: string; problem?: string };
        end({ operation: operationId, status: res.headersSent ? res.statusCode : 'aborted' });
        if (problem !== undefined) problems.inc({ code: problem });
      });
      next();
    },
    text: () => {
      if (!observed) collectDefaultMetrics({ register: registry });
      observed = true;
      return registry.metrics();
    },
  };
}
