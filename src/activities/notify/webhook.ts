import { createHmac } from 'node:crypto';
import { type ClientRequest, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { LookupFunction } from 'node:net';
import { addressFault, literalAddress } from '../../network-addresses.ts';
import type { Webhook } from '../../release-settings.ts';
import { checkedLookup, privateAddress } from './checked-lookup.ts';

export type Delivery = Readonly<{
  webhook: Webhook;
  /** The same for every try of one message, so that the receiver can tell a repetition. */
  id: string;
  body: string;
  /** The time of this try, ms since 1970. */
  atMs: number;
  timeoutMs: number;
  signal: AbortSignal;
  /** Looks names up in place of the machine's resolver. */
  lookup?: LookupFunction;
}>;

/** Secrets of the Standard Webhooks convention are base64 behind a prefix; any other text is taken as it is. */
const keyOf = (secret: string): Buffer =>
  secret.startsWith('whsec_') ? Buffer.from(secret.slice('whsec_'.length), 'base64') : Buffer.from(secret, 'utf8');

/** The headers by which a receiver knows that a message is ours, and how old it is. */
export function signedHeaders({ webhook, id, body, atMs }: Pick<Delivery, 'webhook' | 'id' | 'body' | 'atMs'>) {
  const timestamp = String(Math.floor(atMs / 1000));
  const signature = createHmac('sha256', keyOf(webhook.secret)).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { 'Webhook-Id': id, 'Webhook-Timestamp': timestamp, 'Webhook-Signature': `v1,${signature}` };
}

/** An address that stands in the URL itself is never looked up, so it is checked here. */
function requirePublic({ url, privateAddresses }: Webhook): void {
  const address = literalAddress(new URL(url).hostname);
  const fault = address === null || privateAddresses ? null : addressFault(address);
  if (fault !== null) throw privateAddress(fault);
}

function open({ webhook, body, lookup, ...delivery }: Delivery, signal: AbortSignal): ClientRequest {
  const url = new URL(webhook.url);
  const request = url.protocol === 'https:' ? requestHttps : requestHttp;
  const checked = lookup ?? checkedLookup();
  return request(url, {
    method: 'POST',
    // A connection of its own: one that is kept could be to an address that nobody checked.
    agent: false,
    signal,
    ...(webhook.privateAddresses ? {} : { lookup: checked }),
    headers: {
      'Content-Type': 'application/json',
      'Content-Length': Buffer.byteLength(body),
      'User-Agent': 'q-orchestrator',
      ...signedHeaders({ webhook, body, ...delivery }),
    },
  });
}

/**
 * Sends a message once. Redirects are not followed, and of the answer nothing but its status is looked at.
 * @returns the HTTP status of the answer
 * @throws PrivateAddress; Node's error when the receiver is away; the signal's reason; a TimeoutError when it is late
 */
export async function deliver(delivery: Delivery): Promise<number> {
  requirePublic(delivery.webhook);
  const deadline = AbortSignal.timeout(delivery.timeoutMs);
  const signal = AbortSignal.any([delivery.signal, deadline]);
  return await new Promise<number>((resolve, reject) => {
    const sent = open(delivery, signal);
    sent.once('error', (error) => reject(signal.aborted ? signal.reason : error));
    sent.once('response', (answer) => {
      resolve(answer.statusCode ?? 0);
      answer.destroy();
    });
    sent.end(delivery.body);
  });
}
