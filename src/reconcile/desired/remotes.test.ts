import { expect, test } from 'vitest';
import { u32Codec } from '../../maps/codec.ts';
import { nodeCodec } from '../../maps/generated/abi.ts';
import { formatAddress, parseAddress } from '../../model/address.ts';
import { nodeAddrEntries, nodeEntry, nodeNumberEntries, nodeValueOf } from './remotes.ts';

const none = new Uint8Array(16);
const [to, from, also] = ['fd00::1', 'fd00::2', 'fd00::3'].map(parseAddress);
const tunnel = '192.0.2.2';

test('a node is told with the keys that are known of it, and without them has none', () => {
  const decoded = (node: Parameters<typeof nodeEntry>[1]) => nodeCodec.decode(nodeEntry(7, node).value);
  const addr = parseAddress(tunnel);
  const nothing = { cryptTo: none, cryptFrom: none, cryptAlso: none, cryptIfindex: 0 };
  expect(decoded(undefined)).toEqual({ addr: none, ...nothing });
  expect(decoded({ tunnel })).toEqual({ addr, ...nothing });
  expect(decoded({ tunnel, crypt: { ...(to && { to }) } })).toEqual({ addr, ...nothing, cryptTo: to });
  const all = { ...(to && { to }), ...(from && { from }), ...(also && { also }), ifindex: 9 };
  expect(decoded({ tunnel, crypt: all })).toEqual({
    ...{ addr, cryptTo: to, cryptFrom: from, cryptAlso: also, cryptIfindex: 9 },
  });
});

test("a tunnel is known to be a node's by its address, and by each of its keys that is accepted", () => {
  const crypt = { ...(to && { to }), ...(from && { from }), ...(also && { also }), ifindex: 9 };
  const ends = (node: Parameters<typeof nodeValueOf>[0]) =>
    nodeNumberEntries(7, nodeValueOf(node)).map(({ key }) => formatAddress(key));
  expect(ends({ tunnel })).toEqual([tunnel]);
  expect(ends({ tunnel, crypt })).toEqual([tunnel, 'fd00::1', 'fd00::3']);
});

test('an address that clients ask is of the one host that says so, and of none where several do', () => {
  const others = [
    { number: 3, addresses: ['192.0.2.3', '192.0.2.99', '192.0.2.3'] },
    { number: 4, addresses: ['192.0.2.4', '192.0.2.99', '192.0.2.1'] },
    { number: 5, addresses: Array.from({ length: 17 }, (_, i) => `198.51.100.${i + 1}`) },
  ];
  const owners = nodeAddrEntries(['192.0.2.1', '192.0.2.2'], others).map(({ key, value }) => {
    return [formatAddress(key), u32Codec.decode(value)] as const;
  });
  const several = 0xffff_ffff;
  expect(Object.fromEntries(owners)).toMatchObject({
    ...{ '192.0.2.1': several, '192.0.2.2': 0, '192.0.2.3': 3, '192.0.2.4': 4, '192.0.2.99': several },
    '198.51.100.16': 5,
  });
  expect(new Map(owners).has('198.51.100.17')).toBe(false);
});
