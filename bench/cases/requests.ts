import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import type { OpenApiDocument } from '../../src/api/openapi/types.ts';
import { startInEveryState } from '../../test/openapi/known-builds.ts';
import { createRequests, type GeneratedRequest } from '../../test/openapi/request-arbitrary.ts';
import { createSender } from '../../test/openapi/send.ts';
import { createJudge } from '../../test/openapi/verdict.ts';
import type { Setup } from '../setup.ts';

/** Commands end the builds that requests may name, so after so many there are new ones. */
const ROUND = 1000;
/** Enough to see what is wrong; one cause makes many. */
const SHOWN_FAULTS = 5;
const SHOWN_CHARS = 600;

export type Requests = Readonly<{
  requests: number;
  inFlight: number;
  perSecond: number;
  byStatus: Readonly<Record<string, number>>;
  /** Requests that broke the server, or whose answer is not as the description of the API says. */
  faulty: number;
  /** The first of them, with what is wrong. */
  faults: readonly string[];
}>;

const post = (url: string) => async (path: string, body: unknown) => {
  const headers = { 'Content-Type': 'application/json' };
  return await answer(await fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) }));
};

const answer = async (response: Response) => ({
  status: response.status,
  body: (await response.json()) as Record<string, unknown>,
});

const shown = (request: GeneratedRequest, faults: readonly string[]): string =>
  `${faults.join('; ')}: ${JSON.stringify(request)}`.slice(0, SHOWN_CHARS);

/** Sends requests that are generated from the API's own description to the API over the real engine and database. */
export async function measureRequests(
  setup: Setup,
  { requests, inFlight }: Readonly<{ requests: number; inFlight: number }>,
): Promise<Requests> {
  const { url } = (await setup.startApi()).ready;
  const document = (await (await fetch(`${url}/openapi.json`)).json()) as OpenApiDocument;
  const judge = createJudge(document);
  const sender = createSender(url);
  const caller = { post: post(url), get: async (path: string) => await answer(await fetch(`${url}${path}`)) };
  const byStatus: Record<string, number> = {};
  const faults: string[] = [];
  let [sent, faulty, spentMs] = [0, 0, 0];
  const send = async (request: GeneratedRequest): Promise<void> => {
    const got = await sender.sendPatiently(request);
    byStatus[got.status] = (byStatus[got.status] ?? 0) + 1;
    const found = judge(request, got, false);
    if (found.length === 0) return;
    faulty += 1;
    if (faults.length < SHOWN_FAULTS) faults.push(shown(request, found));
  };
  while (sent < requests) {
    const known = await startInEveryState(caller, randomUUID());
    const waiting = fc.sample(createRequests(document, known), Math.min(ROUND, requests - sent));
    sent += waiting.length;
    const startedAtMs = performance.now();
    const lane = async (): Promise<void> => {
      for (let next = waiting.pop(); next; next = waiting.pop()) await send(next);
    };
    await Promise.all(Array.from({ length: inFlight }, lane));
    spentMs += performance.now() - startedAtMs;
  }
  sender.close();
  return { requests, inFlight, perSecond: sent / (spentMs / 1000), byStatus, faulty, faults };
}
