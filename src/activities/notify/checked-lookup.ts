import { lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { addressFault } from '../../network-addresses.ts';

/** A name that leads to no public host alone; nothing was connected to. */
export class PrivateAddress extends Error {}

export const privateAddress = (why: string): PrivateAddress =>
  new PrivateAddress(
    `The address leads to no public host (${why}). Where that is meant, set NOTIFY_PRIVATE_ADDRESSES=allowed.`,
  );

type Resolve = typeof lookup;

/**
 * Looks names up for a socket, and gives it the public addresses alone: what is checked is what is connected to, so that a
 * name which leads elsewhere the next time gains nothing. Addresses that stand in a URL themselves never come by here.
 */
export const checkedLookup =
  (resolve: Resolve = lookup): LookupFunction =>
  (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) {
        callback(error, '', 0);
        return;
      }
      const [first, ...others] = addresses.filter(({ address }) => addressFault(address) === null);
      if (first === undefined) {
        const why = addresses[0] ? (addressFault(addresses[0].address) ?? '') : 'it has no address';
        callback(privateAddress(why), '', 0);
      } else if (options.all) callback(null, [first, ...others]);
      else callback(null, first.address, first.family);
    });
  };
