import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { hasIpsecPolicies } from '../../src/netlink/ipsec.ts';
import { createNetns, withNetns } from '../../src/netlink/netns.ts';

test.each(['in', 'out'])('a policy of IPsec for what goes %s is found, until it is gone', (direction) => {
  using netns = createNetns();
  const policy = (command: string) => {
    const words = ['xfrm', 'policy', command, 'src', '192.0.2.1', 'dst', '192.0.2.2', 'dir', direction];
    withNetns(netns, () => execFileSync('ip', [...words, ...(command === 'add' ? ['action', 'block'] : [])]));
  };
  expect(hasIpsecPolicies(netns)).toBe(false);
  policy('add');
  expect(hasIpsecPolicies(netns)).toBe(true);
  policy('delete');
  expect(hasIpsecPolicies(netns)).toBe(false);
});
