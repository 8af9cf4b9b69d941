import { BlockList, isIP } from 'node:net';

type Ranges = readonly (readonly [network: string, prefix: number, what: string])[];

/** Addresses of the old protocol that lead to no public host (IANA's special-purpose registry, and clouds' own). */
const CLOSED_IPV4: Ranges = [
  ['0.0.0.0', 8, 'this machine'],
  ['10.0.0.0', 8, 'a private network'],
  ['100.64.0.0', 10, 'a network behind a carrier'],
  ['127.0.0.0', 8, 'loopback'],
  ['168.63.129.16', 32, 'a service of the cloud that the machine runs in'],
  ['169.254.0.0', 16, 'link-local, where clouds keep their metadata'],
  ['172.16.0.0', 12, 'a private network'],
  ['192.0.0.0', 24, 'kept for protocols'],
  ['192.0.2.0', 24, 'kept for documentation'],
  ['192.88.99.0', 24, 'kept for relays'],
  ['192.168.0.0', 16, 'a private network'],
  ['198.18.0.0', 15, 'kept for tests of networks'],
  ['198.51.100.0', 24, 'kept for documentation'],
  ['203.0.113.0', 24, 'kept for documentation'],
  ['224.0.0.0', 4, 'multicast'],
  ['240.0.0.0', 4, 'kept for the future, or broadcast'],
];

/** Of the new protocol only 2000::/3 is public, and not all of it. */
const OPEN_IPV6 = ['2000::', 3] as const;
const CLOSED_IPV6: Ranges = [
  ['2001::', 23, 'kept for protocols'],
  ['2001:db8::', 32, 'kept for documentation'],
  ['3fff::', 20, 'kept for documentation'],
];
/** Where an address of the old protocol stands in one of the new: mapped, behind NAT64, and 6to4. The first of its bytes. */
const CARRIES_IPV4 = [
  ['::ffff:0:0', 96, 12],
  ['64:ff9b::', 96, 12],
  ['2002::', 16, 2],
] as const;

const within = (network: string, prefix: number, family: 'ipv4' | 'ipv6', address: string): boolean => {
  const list = new BlockList();
  list.addSubnet(network, prefix, family);
  return list.check(address, family);
};

function ipv4Fault(address: string): string | null {
  const found = CLOSED_IPV4.find(([network, prefix]) => within(network, prefix, 'ipv4', address));
  return found?.[2] ?? null;
}

/** The sixteen bytes of an address, which `URL` writes in its one short form first. */
function bytesOf(address: string): number[] {
  const short = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [head = '', tail] = short.split('::');
  const groups = (text: string | undefined): string[] => (text ? text.split(':') : []);
  const [before, after] = [groups(head), groups(tail)];
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  return [...before, ...zeros, ...after].flatMap((group) => {
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}

function ipv6Fault(address: string): string | null {
  const carried = CARRIES_IPV4.find(([network, prefix]) => within(network, prefix, 'ipv6', address));
  if (carried)
    return ipv4Fault(
      bytesOf(address)
        .slice(carried[2], carried[2] + 4)
        .join('.'),
    );
  if (!within(...OPEN_IPV6, 'ipv6', address)) return 'no public address (loopback, link-local or a private network)';
  const found = CLOSED_IPV6.find(([network, prefix]) => within(network, prefix, 'ipv6', address));
  return found?.[2] ?? null;
}

/**
 * Why an address is none of a public host; null when it is one. `address` is one as a resolver or a socket gives it; a name
 * of a host, and forms that only some programs read (octal, one number), are refused as `no address`.
 *
 * Who connects must ask about the very address that is connected to: a name may lead elsewhere the next time.
 */
export function addressFault(address: string): string | null {
  const kind = address.includes('%') ? 0 : isIP(address);
  if (kind === 0) return 'no address';
  return kind === 4 ? ipv4Fault(address) : ipv6Fault(address);
}

/**
 * The address that the host of a URL stands for by itself, in the form that {@link addressFault} reads; null for a name,
 * which has to be looked up. Octal, hexadecimal and shortened forms are read as browsers read them, whatever the scheme.
 */
export function literalAddress(host: string): string | null {
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  const shown = isIP(bare) === 6 ? `[${bare}]` : bare;
  if (!URL.canParse(`http://${shown}/`)) return null;
  const read = new URL(`http://${shown}/`).hostname.replace(/^\[(.*)\]$/, '$1');
  return isIP(read) === 0 ? null : read;
}
