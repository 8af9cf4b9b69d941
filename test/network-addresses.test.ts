import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressFault, literalAddress } from '../src/network-addresses.ts';

describe('an address of a public host', () => {
  it.each([
    '8.8.8.8',
    '1.1.1.1',
    '172.15.0.1',
    '172.32.0.1',
    '100.63.255.255',
    '100.128.0.1',
    '193.0.0.1',
    '223.1.1.1',
  ])('is %s', (address) => expect(addressFault(address)).toBeNull());
  it.each([
    '2606:4700:4700::1111',
    '2a00:1450:4001:80e::200e',
    '::ffff:8.8.8.8',
    '64:ff9b::808:808',
    '2002:808:808::1',
  ])('is %s', (address) => expect(addressFault(address)).toBeNull());
});

describe('an address of no public host', () => {
  it.each([
    ['127.0.0.1', 'loopback'],
    ['127.255.255.254', 'loopback'],
    ['0.0.0.0', 'this machine'],
    ['10.1.2.3', 'private'],
    ['172.16.0.1', 'private'],
    ['172.31.255.255', 'private'],
    ['192.168.1.1', 'private'],
    ['100.64.0.1', 'carrier'],
    ['100.100.100.200', 'carrier'],
    ['169.254.169.254', 'metadata'],
    ['168.63.129.16', 'cloud'],
    ['192.0.0.192', 'protocols'],
    ['224.0.0.1', 'multicast'],
    ['255.255.255.255', 'broadcast'],
    ['198.18.0.1', 'tests'],
    ['::', 'no public'],
    ['::1', 'no public'],
    ['fe80::1', 'no public'],
    ['fc00::1', 'no public'],
    ['fd00:ec2::254', 'no public'],
    ['ff02::1', 'no public'],
    ['2001:db8::1', 'documentation'],
    ['2001::1', 'protocols'],
    ['::ffff:127.0.0.1', 'loopback'],
    ['::ffff:7f00:1', 'loopback'],
    ['0:0:0:0:0:ffff:a9fe:a9fe', 'metadata'],
    ['::127.0.0.1', 'no public'],
    ['64:ff9b::a00:1', 'private'],
    ['2002:7f00:1::', 'loopback'],
    ['2002:c0a8:101::1', 'private'],
  ])('is %s: %s', (address, why) => expect(addressFault(address)).toContain(why));

  it.each(['', 'localhost', 'example.com', '0177.0.0.1', '2130706433', '0x7f.1', '127.1', 'fe80::1%eth0', '::1%lo'])(
    'is %j, which is no address',
    (text) => expect(addressFault(text)).toBe('no address'),
  );

  it('is every address of a private network, whichever way it is carried in one of the new protocol', () => {
    const byte = fc.integer({ min: 0, max: 255 });
    fc.assert(
      fc.property(fc.constantFrom(10, 127, 0), byte, byte, byte, (a, b, c, d) => {
        const hex = [a, b, c, d].map((part) => part.toString(16).padStart(2, '0'));
        const [high, low] = [hex.slice(0, 2).join(''), hex.slice(2).join('')];
        const carried = [`::ffff:${a}.${b}.${c}.${d}`, `64:ff9b::${high}:${low}`, `2002:${high}:${low}::1`];
        for (const address of [`${a}.${b}.${c}.${d}`, ...carried]) expect(addressFault(address)).not.toBeNull();
      }),
    );
  });
});

describe('the host of a URL', () => {
  it.each([
    ['127.0.0.1', '127.0.0.1'],
    ['0177.0.0.1', '127.0.0.1'],
    ['2130706433', '127.0.0.1'],
    ['0x7f.1', '127.0.0.1'],
    ['127.1', '127.0.0.1'],
    ['127.0.0.1.', '127.0.0.1'],
    ['１２７.0.0.1', '127.0.0.1'],
    ['[::1]', '::1'],
    ['::1', '::1'],
    ['[::ffff:127.0.0.1]', '::ffff:7f00:1'],
  ])('%s stands for %s', (host, address) => expect(literalAddress(host)).toBe(address));

  it.each(['example.com', 'localhost', '', 'a b', '1.2.3.4.5', '[fe80::1%25eth0]'])('%j is to be looked up', (host) => {
    expect(literalAddress(host)).toBeNull();
  });
});
