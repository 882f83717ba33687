import { expect, test } from 'vitest';
import { formatAddress } from '../../model/address.ts';
import { innerAddress } from '../../model/wireguard.ts';
import type { ObservedPeer } from '../../netlink/wireguard.ts';
import { planPeers, wantedPeers } from './peers.ts';

const text = (letter: string) => Buffer.alloc(32, letter).toString('base64');
const [a, b, c] = [text('a'), text('b'), text('c')];
const node = (tunnel: string, ...keys: string[]) => {
  return { tunnel, wireguard: keys.map((publicKey, at) => ({ publicKey, port: 51_871 + at })) };
};
const observed = (publicKey: string, change: Partial<ObservedPeer> = {}): [string, ObservedPeer] => [
  publicKey,
  {
    ...{ publicKey, endpoint: '192.0.2.2 51871', keepalive: 25, lastHandshake: 0, rxBytes: 0, txBytes: 0 },
    allowed: [`${formatAddress(innerAddress(publicKey))}/128`],
    ...change,
  },
];
const wanted = wantedPeers([node('192.0.2.2', b)], new Set([a]));

test('each key of each other host is a peer, and none of this one', () => {
  const peers = wantedPeers([node('192.0.2.2', b, c), node('2001:db8::3', a)], new Set([a]));
  expect([...peers.keys()]).toEqual([b, c]);
  expect(peers.get(c)).toMatchObject({ endpoint: { port: 51_872 }, allowed: innerAddress(c), keepalive: 25 });
});

test('what is right is left alone, wherever it was heard from last', () => {
  const told = new Map<string, string>();
  expect(planPeers(wanted, new Map([observed(b)]), told)).toEqual({ changes: [], repairs: 0 });
  const roamed = new Map([observed(b, { endpoint: '192.0.2.9 1' })]);
  expect(planPeers(wanted, roamed, told)).toEqual({ changes: [], repairs: 0 });
});

test('a daemon that begins tells where hosts are, and so does one whose host has moved', () => {
  const roamed = new Map([observed(b, { endpoint: '192.0.2.9 1' })]);
  const told = new Map<string, string>();
  expect(planPeers(wanted, roamed, told)).toMatchObject({ changes: [{ publicKey: b }], repairs: 0 });
  const moved = wantedPeers([node('192.0.2.7', b)], new Set());
  expect(planPeers(moved, new Map([observed(b)]), told)).toMatchObject({ changes: [{ publicKey: b }], repairs: 0 });
});

test('hosts that come and go are no drift; what somebody else has changed is', () => {
  const told = new Map<string, string>();
  expect(planPeers(wanted, new Map(), told)).toMatchObject({ changes: [{ publicKey: b }], repairs: 0 });
  expect(planPeers(wanted, new Map(), told)).toMatchObject({ changes: [{ publicKey: b }], repairs: 1 });
  const foreign = new Map([observed(b), observed(c)]);
  expect(planPeers(wanted, foreign, told)).toEqual({ changes: [{ publicKey: c, remove: true }], repairs: 1 });
  const open = new Map([observed(b, { allowed: ['::/0'] })]);
  expect(planPeers(wanted, open, told)).toMatchObject({ changes: [{ publicKey: b }], repairs: 1 });
  expect(planPeers(new Map(), new Map([observed(b)]), told)).toEqual({
    ...{ changes: [{ publicKey: b, remove: true }], repairs: 0 },
  });
});
