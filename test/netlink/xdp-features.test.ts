import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { ifNameToIndex } from '../../src/loader/ffi/libc.ts';
import { createNetns, withNetns } from '../../src/netlink/netns.ts';
import { xdpTransmitters } from '../../src/netlink/xdp-features.ts';

test('a veth sends what XDP gives it as soon as its peer takes that, and a device that is gone does not', ({
  skip,
}) => {
  const [major = 0, minor = 0] = execFileSync('uname', ['-r'], { encoding: 'utf8' }).split('.').map(Number);
  if (major < 6 || (major === 6 && minor < 3)) skip('Linux says so from 6.3 on');
  using netns = createNetns();
  withNetns(netns, () => {
    execFileSync('ip', ['link', 'add', 'one', 'up', 'type', 'veth', 'peer', 'name', 'other']);
    execFileSync('ip', ['link', 'set', 'other', 'up']);
    const [one, other] = [ifNameToIndex('one'), ifNameToIndex('other')];
    expect(xdpTransmitters([one, other])).toEqual(new Set());
    execFileSync('ethtool', ['-K', 'other', 'gro', 'on']);
    expect(xdpTransmitters([one, other, 4711])).toEqual(new Set([one]));
    expect(xdpTransmitters([other])).toEqual(new Set());
  });
});

test('nothing is asked about no device', () => {
  expect(xdpTransmitters([])).toEqual(new Set());
});
