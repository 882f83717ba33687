import { expect, test } from 'vitest';
import { mapView as mapSchema } from '../../api/schemas/map.ts';
import { encoded } from '../../maps/codec.ts';
import type { MapDefinition } from '../../maps/definition.ts';
import { InterfaceFlag, mapDefinitions, NetworkFlag, ServiceFlag } from '../../maps/generated/abi.ts';
import { parseAddress, parseMac } from '../../model/address.ts';
import type { OpenMap } from './open-map.ts';
import { dumpEntries, mapView } from './views.ts';

type Name = keyof typeof mapDefinitions;

/** Per-CPU values are given as arrays, and lie one after the other. */
function open(name: Name, entries?: readonly (readonly [unknown, unknown])[]): OpenMap {
  const definition = mapDefinitions[name] as MapDefinition;
  const { key, value, type } = definition;
  const bytes = (one: unknown) => encoded(value, one);
  const raw = entries?.map(([k, v]): [Uint8Array, Uint8Array] => [
    encoded(key, k),
    type === 'percpu_array' ? Buffer.concat((v as unknown[]).map(bytes)) : bytes(v),
  ]);
  return {
    definition,
    capacity: definition.maxEntries,
    pin: `/sys/fs/bpf/vetch/v1/maps/${definition.name}`,
    ...(raw && { batches: () => [raw] }),
    ...(type === 'percpu_array' && {
      decodeValue: (all) => [0, value.size].map((offset) => value.decode(all, offset)),
    }),
  };
}

async function dump(map: OpenMap): Promise<unknown[]> {
  const rows: unknown[] = [];
  for await (const row of dumpEntries(map)) rows.push(row);
  expect(JSON.parse(JSON.stringify(rows))).toEqual(rows);
  return rows;
}

const none = new Uint8Array(16);

test('a map is listed with its size, its fill and the bpftool command', async () => {
  const view = await mapView(open('endpoints'), new Map([['endpoints', 3]]));
  expect(mapSchema.parse(view)).toEqual(view);
  expect(view).toEqual({
    name: 'endpoints',
    type: 'hash',
    pin: '/sys/fs/bpf/vetch/v1/maps/endpoints',
    keyBytes: 20,
    valueBytes: 20,
    entries: 3,
    capacity: 524288,
    writer: 'control',
    bpftool: 'bpftool map dump pinned /sys/fs/bpf/vetch/v1/maps/endpoints',
  });
});

test('an array counts and shows the entries that are not zero', async () => {
  const zero = {
    flags: 0,
    mtu: 0,
    members: 0,
    gateway4: none,
    gateway6: none,
    broadcast4: none,
    masquerade4: none,
    masquerade6: none,
  };
  const shop = {
    flags: NetworkFlag.PRESENT | NetworkFlag.MASQUERADE4,
    mtu: 1500,
    members: 2,
    gateway4: parseAddress('10.88.0.1'),
    gateway6: none,
    broadcast4: parseAddress('10.88.255.255'),
    masquerade4: none,
    masquerade6: none,
  };
  const networks = open('networks', [
    [0, zero],
    [1, shop],
    [2, zero],
  ]);
  expect((await mapView(networks)).entries).toBe(1);
  expect(await dump(networks)).toMatchObject([
    {
      key: 1,
      value: { flags: ['PRESENT', 'MASQUERADE4'], mtu: 1500, members: 2, gateway4: '10.88.0.1', gateway6: null },
    },
  ]);
});

test('a quota counts when an endpoint has used of it', async () => {
  const unused = { epoch: 5n, floodRefilled: 0n, floodTokens: 0, flows: 0, snatPorts: 0 };
  const quotas = open('quotas', [
    [0, unused],
    [1, { ...unused, flows: 3 }],
  ]);
  expect((await mapView(quotas)).entries).toBe(1);
  expect(await dump(quotas)).toMatchObject([{ key: 1, value: { epoch: 5, flows: 3 } }]);
});

test('addresses, MACs, prefixes and numbers of lists are shown as text', async () => {
  const addr = parseAddress('10.88.0.2');
  const mac = parseMac('02:42:0a:58:00:02');
  expect(
    await dump(
      open('endpoints', [
        [
          { network: 1, addr },
          { number: 1, ifindex: 7, network: 1, mac, flags: 0 },
        ],
      ]),
    ),
  ).toEqual([
    {
      key: { network: 1, addr: '10.88.0.2' },
      value: { number: 1, ifindex: 7, network: 1, mac: '02:42:0a:58:00:02', flags: [] },
    },
  ]);
  const sender = { ifindex: 7, number: 1, mac, network: 1, lanIfindex: 9, v4: addr, v6: none, linkLocal: none };
  const flags = InterfaceFlag.LAN | InterfaceFlag.EGRESS_LIMITED;
  for (const map of ['interfaces', 'interfaceSlots'] as const) {
    expect(await dump(open(map, [[7, { ...sender, flags }]]))).toMatchObject([
      { value: { flags: ['LAN', 'EGRESS_LIMITED'], v4: '10.88.0.2', v6: null } },
    ]);
  }
  const at = { check: 1, number: 1, first: 0, slots: 127, affinity: 0, port: 80, flags: ServiceFlag.RANDOM };
  expect(await dump(open('services', [[{ addr, network: 1, port: 80, protocol: 6 }, at]]))).toMatchObject([
    { key: { addr: '10.88.0.2', protocol: 'tcp' }, value: { flags: ['RANDOM'] } },
  ]);
  const prefix = { prefixlen: 112, addr: parseAddress('10.88.0.0') };
  expect(await dump(open('denyList', [[prefix, { packets: 5n, bytes: 2n ** 60n }]]))).toEqual([
    { key: '10.88.0.0/16', value: { packets: 5, bytes: '1152921504606846976' } },
  ]);
  expect(
    await dump(
      open('published', [
        [
          { addr: parseAddress('0.0.0.0'), port: 8080, protocol: 6 },
          { addr, network: 1, port: 80, flags: 0 },
        ],
      ]),
    ),
  ).toEqual([
    {
      key: { addr: '0.0.0.0', port: 8080, protocol: 'tcp' },
      value: { addr: '10.88.0.2', network: 1, port: 80, flags: 0 },
    },
  ]);
});

test('what is counted a CPU is shown a CPU, under the name of its reason', async () => {
  const zero = { packets: 0n, bytes: 0n };
  expect(
    await dump(
      open('drops', [
        [6, [{ packets: 1n, bytes: 60n }, zero]],
        [7, [zero, zero]],
      ]),
    ),
  ).toEqual([
    {
      key: 'SPOOFED',
      value: [
        { packets: 1, bytes: 60 },
        { packets: 0, bytes: 0 },
      ],
    },
  ]);
  expect(await dump(open('counters', [[0, [2n, 0n]]]))).toEqual([{ key: 'EVENTS_LOST', value: [2, 0] }]);
});

test('a ring buffer has no entries: it is listed, and its dump is refused', async () => {
  const events = open('flowEvents');
  expect(await mapView(events)).toMatchObject({ entries: null, type: 'ringbuf' });
  await expect(dump(events)).rejects.toThrow('flow_events has no entries');
});
