import { expect, test } from 'vitest';
import { parsePrefix } from '../../model/address.ts';
import { mayOpen } from './may-open.ts';

const surroundings = {
  isHost: (address: string) => address === '198.51.100.10',
  subnets: ['10.88.0.0/16', 'fd00:88::/64'].map(parsePrefix),
};

test.each([
  ['203.0.113.9', true],
  ['10.0.0.5', true],
  ['2001:db8::9', true],
  ['100.100.100.199', true],
  // The host's own, a network's, this host
  ['198.51.100.10', false],
  ['10.88.0.2', false],
  ['fd00:88::2', false],
  ['127.0.0.1', false],
  ['0.0.0.0', false],
  ['::1', false],
  ['::', false],
  // Links and groups
  ['169.254.1.1', false],
  ['fe80::1', false],
  ['224.0.0.251', false],
  ['255.255.255.255', false],
  ['ff02::fb', false],
  // Metadata
  ['169.254.169.254', false],
  ['100.100.100.200', false],
  ['168.63.129.16', false],
  ['192.0.0.192', false],
  ['fd00:ec2::254', false],
  ['fd20:ce::254', false],
  // By NAT64, whatever the IPv4 address is
  ['64:ff9b::cb00:7109', true],
  ['64:ff9b::a9fe:a9fe', false],
  ['64:ff9b::6464:64c8', false],
  ['64:ff9b::7f00:1', false],
  ['64:ff9b::c633:640a', false],
  ['64:ff9b::a58:2', false],
])('an answer with %s opens it: %s', (address, expected) => {
  expect(mayOpen(address, surroundings)).toBe(expected);
});
