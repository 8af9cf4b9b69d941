import { Agent, request as httpRequest } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer } from './answer-check.ts';
import type { GeneratedRequest } from './request-arbitrary.ts';

const DEADLINE_MS = 30_000;

export type Sender = Readonly<{
  send(generated: GeneratedRequest): Promise<Answer>;
  /** The same, but as clients are told to: a 503 is waited out, and the call repeated with the key of its answer. */
  sendPatiently(generated: GeneratedRequest): Promise<Answer>;
  close(): void;
}>;

/** A machine that is busy with other things may be late for a query's deadline, but not again and again. */
const TRIES = 3;

/** Sends requests as they are, which `fetch` would not: odd methods, odd paths, odd headers. */
export function createSender(url: string): Sender {
  const { hostname, port } = new URL(url);
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });
  const send = (generated: GeneratedRequest): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const { method, path, headers, body } = generated;
      // With some methods Node sends a body without saying how long it is: it would be taken for the next request.
      const framed = body === null ? headers : { ...headers, 'Content-Length': String(Buffer.byteLength(body)) };
      const options = { agent, hostname, port, method, path, headers: framed, timeout: DEADLINE_MS };
      const sent = httpRequest(options, (response) => {
        const { statusCode: status = 0, headers: given } = response;
        const answer = (text: string): Answer => {
          const flat = Object.entries(given).map(([name, value]) => [
            name,
            Array.isArray(value) ? value.join(', ') : value,
          ]);
          return { method, path, status, headers: Object.fromEntries(flat), text };
        };
        // A stream has no end to wait for.
        if (given['content-type']?.startsWith('text/event-stream')) {
          response.destroy();
          resolve(answer(''));
          return;
        }
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => resolve(answer(Buffer.concat(chunks).toString('utf8'))));
        response.on('error', reject);
      });
      sent.on('timeout', () => sent.destroy(new Error(`no answer within ${DEADLINE_MS} ms`)));
      sent.on('error', (error: NodeJS.ErrnoException) => {
        // A server closes a connection that was idle for seconds, perhaps in the moment in which it is used again.
        if (sent.reusedSocket && error.code === 'ECONNRESET') resolve(send(generated));
        else reject(error);
      });
      sent.end(body ?? undefined);
    });
  const sendPatiently = async (generated: GeneratedRequest): Promise<Answer> => {
    let request = generated;
    for (let tries = 1; ; tries += 1) {
      const answer = await send(request);
      if (answer.status !== 503 || tries === TRIES) return answer;
      const key = answer.headers['idempotency-key'];
      request = { ...request, headers: { ...request.headers, ...(key ? { 'Idempotency-Key': key } : {}) } };
      await sleep(Number(answer.headers['retry-after'] ?? 0) * 1000);
    }
  };
  return { send, sendPatiently, close: () => agent.destroy() };
}
