import { expect, test } from 'vitest';
import { nodeCodec } from '../../maps/generated/abi.ts';
import { formatAddress, parseAddress } from '../../model/address.ts';
import { nodeEntry, nodeNumberEntries, nodeValueOf } from './remotes.ts';

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
