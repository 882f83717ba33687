import { describe, expect, test } from 'vitest';
import { mapDefinitions, NetworkFlag, PublishFlag } from '../../maps/generated/abi.ts';
import { formatAddress, parseAddress } from '../../model/address.ts';
import type { PublishedPort } from '../../model/endpoint.ts';
import type { ControlMap } from '../entry.ts';
import { aLink, aNetwork, anAddress, anEndpoint, anIntent, hostFacts, noServices } from '../testing.ts';
import { DenyHeads } from './deny-heads.ts';
import { desiredMaps } from './maps.ts';
import { MemberSlots } from './members.ts';
import { Limits } from './rates.ts';

const memory = {
  ...{ generation: 5, slots: new MemberSlots(), denied: new DenyHeads(), limits: new Limits(), services: noServices() },
};

function decoded(map: ControlMap, plan: ReturnType<typeof desiredMaps>): [unknown, unknown][] {
  const { key, value } = mapDefinitions[map];
  return [...plan.maps[map].values()].map((entry) => [key.decode(entry.key), value.decode(entry.value)]);
}

function publish(hostAddress: string, hostPort = 8080): PublishedPort {
  return { protocol: 'tcp', hostAddress, hostPort, port: 80 };
}

describe('desired maps', () => {
  test('an endpoint is found in its network, and by the host in network 0', () => {
    const plan = desiredMaps(anIntent([aNetwork()], [anEndpoint()]), hostFacts(), memory);
    const keys = [...plan.maps.endpoints.values()].map(({ key }) => mapDefinitions.endpoints.key.decode(key));
    expect(keys.map(({ network, addr }) => `${network} ${formatAddress(addr)}`).sort()).toEqual([
      '0 10.88.0.2',
      '0 fd00:88::2',
      '1 10.88.0.2',
      '1 fd00:88::2',
      '1 fe80::42:aff:fe58:2',
    ]);
  });

  test('a network without IPv6 gives its endpoints no link-local address', () => {
    const network = aNetwork({ subnets: [{ cidr: '10.88.0.0/16', gateway: '10.88.0.1', aux: {} }] });
    const endpoint = anEndpoint({ addresses: ['10.88.0.2/16'] });
    const plan = desiredMaps(anIntent([network], [endpoint]), hostFacts(), memory);
    expect(plan.maps.endpoints.size).toBe(2);
    expect(decoded('interfaces', plan)).toEqual([
      [10, expect.objectContaining({ linkLocal: new Uint8Array(16), v6: new Uint8Array(16) })],
    ]);
  });

  test('an endpoint whose device is gone is in no map, nor is what it published', () => {
    const endpoint = anEndpoint({ ports: [publish('0.0.0.0')] });
    const plan = desiredMaps(anIntent([aNetwork()], [endpoint]), hostFacts({ links: [aLink(3, 'vetch0')] }), memory);
    for (const map of [
      'endpoints',
      'interfaces',
      'interfaceSlots',
      'members',
      'published',
      'publishedLo',
      'boundPorts',
    ] as const) {
      expect(plan.maps[map].size, map).toBe(0);
    }
  });

  test('what is published on a loopback address is in no table that a device reads', () => {
    const ports = [publish('127.0.0.1'), publish('127.9.9.9', 81), publish('::1')];
    const plan = desiredMaps(anIntent([aNetwork()], [anEndpoint({ ports })]), hostFacts(), memory);
    expect(plan.maps.published.size).toBe(0);
    expect(plan.maps.publishedLo.size).toBe(3);
  });

  test('a wildcard is in both tables, a host address in one, each leading to the address of its family', () => {
    const ports = [publish('0.0.0.0'), publish('::', 8081), publish('192.0.2.10', 8082)];
    const plan = desiredMaps(anIntent([aNetwork()], [anEndpoint({ ports })]), hostFacts(), memory);
    expect(plan.maps.publishedLo.size).toBe(2);
    const byPort = new Map(
      [...plan.maps.published.values()].map((entry) => [
        mapDefinitions.published.key.decode(entry.key).port,
        formatAddress(mapDefinitions.published.value.decode(entry.value).addr),
      ]),
    );
    expect(Object.fromEntries(byPort)).toEqual({ 8080: '10.88.0.2', 8081: 'fd00:88::2', 8082: '10.88.0.2' });
  });

  test('what every host leads to is published at the own address of the endpoint, for them alone', () => {
    const ports = ['0.0.0.0', '::'].flatMap((any) => [publish(any), publish(any, 8081)]);
    const own = ports.map((port) => ({ ...port, scope: 'cluster' as const }));
    const plan = desiredMaps(anIntent([aNetwork()], [anEndpoint({ ports: own })]), hostFacts(), memory);
    const rows = [...plan.maps.published.values()].map(({ key, value }) => {
      const { addr, port } = mapDefinitions.published.key.decode(key);
      return `${formatAddress(addr)} ${port} ${mapDefinitions.published.value.decode(value).flags}`;
    });
    expect(rows.sort()).toEqual([
      ...['0.0.0.0 8080 0', '0.0.0.0 8081 0'],
      ...[`10.88.0.2 80 ${PublishFlag.BY_NODE}`, ':: 8080 0', ':: 8081 0', `fd00:88::2 80 ${PublishFlag.BY_NODE}`],
    ]);
  });

  test("what every host leads to is no other host's to give away, by the own address of the endpoint", () => {
    const endpoint = anEndpoint({ ports: [{ ...publish('0.0.0.0'), scope: 'cluster' }] });
    const { counts, maps } = desiredMaps(anIntent([aNetwork()], [endpoint]), hostFacts(), memory);
    const isTaken = (hostAddress: string) =>
      counts.isTaken(publish(hostAddress, 80), (key) => maps.published.get(key) !== undefined);
    expect([isTaken('10.88.0.2'), isTaken('10.88.0.3'), isTaken('0.0.0.0')]).toEqual([true, false, false]);
  });

  test('what takes no port of the host is published at the own address of the endpoint', () => {
    const ports = [publish('0.0.0.0', 0), publish('::', 0)];
    const plan = desiredMaps(anIntent([aNetwork()], [anEndpoint({ ports })]), hostFacts(), memory);
    expect([plan.maps.publishedLo.size, plan.maps.boundPorts.size]).toEqual([0, 0]);
    const rows = [...plan.maps.published.values()].map(({ key, value }) => {
      const { addr, port } = mapDefinitions.published.key.decode(key);
      const { flags, ...target } = mapDefinitions.published.value.decode(value);
      return [formatAddress(addr), port, formatAddress(target.addr), target.port, flags];
    });
    expect(rows).toEqual([
      ['10.88.0.2', 80, '10.88.0.2', 80, PublishFlag.DIRECT],
      ['fd00:88::2', 80, 'fd00:88::2', 80, PublishFlag.DIRECT],
    ]);
  });

  test('a network trusts the devices that the host has, and publishes at own addresses for them', () => {
    const options = { 'com.docker.network.bridge.trusted_host_interfaces': 'eth0:eth9' };
    const endpoint = anEndpoint({ ports: [publish('127.0.0.1'), publish('0.0.0.0', 8081)] });
    const plan = desiredMaps(anIntent([aNetwork({ options })], [endpoint]), hostFacts(), memory);
    expect(decoded('trusted', plan)).toEqual([[{ network: 1, ifindex: 2 }, 1]]);
    const flags = PublishFlag.DIRECT | PublishFlag.TRUSTED;
    const own = { addr: parseAddress('10.88.0.2'), port: 80 };
    expect(decoded('published', plan)).toContainEqual([
      { ...own, protocol: 6 },
      { ...own, network: 1, flags },
    ]);
    expect(plan.maps.published.size).toBe(2);
  });

  test('publishes of one port on several addresses are counted together', () => {
    const ports = [publish('192.0.2.10'), publish('127.0.0.1'), publish('::1')];
    const plan = desiredMaps(anIntent([aNetwork()], [anEndpoint({ ports })]), hostFacts(), memory);
    expect(decoded('boundPorts', plan)).toEqual([
      [{ port: 8080, protocol: 6, family: 4 }, { publishes: 2 }],
      [{ port: 8080, protocol: 6, family: 6 }, { publishes: 1 }],
    ]);
  });

  test('host addresses are all but loopback ones, and gateways belong to their network', () => {
    const plan = desiredMaps(anIntent([aNetwork()], []), hostFacts(), memory);
    const rows = [...plan.maps.hostAddrs.values()].map(({ key, value }) => {
      const { ifindex, network } = mapDefinitions.hostAddrs.value.decode(value);
      return `${formatAddress(key)} ${ifindex} ${network}`;
    });
    expect(rows.sort()).toEqual(['10.88.0.1 3 1', '192.0.2.10 2 0', 'fd00:88::1 3 1', 'fe80::1 2 0']);
  });

  test('uplinks are addressed devices that are neither ours nor another container bridge nor a bond slave', () => {
    const links = [
      aLink(1, 'lo', { loopback: true }),
      aLink(2, 'bond0', { kind: 'bond' }),
      aLink(3, 'eth0', { master: 2 }),
      aLink(4, 'docker0', { kind: 'bridge' }),
      aLink(5, 'wg0', { kind: 'wireguard', ethernet: false }),
      aLink(6, 'vetch0', { kind: 'veth' }),
      aLink(7, 'eth7'),
    ];
    const addresses = [2, 3, 4, 5, 6].map((ifindex) => anAddress(ifindex, `192.0.${ifindex}.1`));
    const plan = desiredMaps(anIntent([], []), hostFacts({ links, addresses }), memory);
    expect(decoded('uplinks', plan)).toEqual([
      [2, { flags: 0, mtu: 1500, masquerade4: parseAddress('192.0.2.1'), masquerade6: new Uint8Array(16) }],
      [5, { flags: 1, mtu: 1500, masquerade4: parseAddress('192.0.5.1'), masquerade6: new Uint8Array(16) }],
    ]);
  });

  test.each([
    ['10.88.0.0/16', '10.88.255.255'],
    ['10.88.4.32/27', '10.88.4.63'],
    ['10.88.0.0/31', '::'],
  ])('the broadcast address of %s is %s', (cidr, broadcast) => {
    const network = aNetwork({ subnets: [{ cidr, gateway: '10.88.0.1', aux: {} }] });
    const plan = desiredMaps(anIntent([network], []), hostFacts(), memory);
    const [entry] = [...plan.maps.networks.values()].map(({ value }) => mapDefinitions.networks.value.decode(value));
    expect(entry && formatAddress(entry.broadcast4)).toBe(broadcast);
  });

  test.each([
    [{}, ['PRESENT', 'MASQUERADE4', 'MASQUERADE6']],
    [{ internal: true }, ['PRESENT', 'INTERNAL']],
    [
      { options: { 'com.docker.network.bridge.enable_icc': 'false' } },
      ['PRESENT', 'ICC_OFF', 'MASQUERADE4', 'MASQUERADE6'],
    ],
    [{ options: { 'com.docker.network.bridge.enable_ip_masquerade': 'false' } }, ['PRESENT']],
    [{ options: { 'com.docker.network.bridge.gateway_mode_ipv6': 'routed' } }, ['PRESENT', 'MASQUERADE4', 'ROUTED6']],
    [{ options: { 'vetch.forwarding': 'stack' } }, ['PRESENT', 'MASQUERADE4', 'MASQUERADE6', 'STACK']],
  ])('a network made with %j has the flags %j', (change, names) => {
    const plan = desiredMaps(anIntent([aNetwork(change)], []), hostFacts(), memory);
    const flags = names.reduce((sum, name) => sum | NetworkFlag[name as keyof typeof NetworkFlag], 0);
    expect(decoded('networks', plan)).toEqual([[1, expect.objectContaining({ flags, members: 0 })]]);
  });

  test('masquerading ports never meet those that the host gives to its own sockets', () => {
    const config = (first: number, last: number) => {
      const plan = desiredMaps(anIntent([], []), hostFacts({ localPorts: { first, last } }), memory);
      const [entry] = [...plan.maps.config.values()].map(({ value }) => mapDefinitions.config.value.decode(value));
      return [entry?.snatPortMin, entry?.snatPortMax];
    };
    expect(config(32768, 60999)).toEqual([61000, 65535]);
    expect(config(32768, 65535)).toEqual([28232, 32767]);
    expect(config(10000, 62000)).toEqual([62001, 65535]);
    expect(config(1024, 65535)).toEqual([61000, 65535]);
  });

  test('the cgroup of an endpoint in the namespace of the host says whose it is, while it is there', () => {
    const network = aNetwork({ driver: 'host', subnets: [] });
    const app = anEndpoint({ number: 5, hostIfname: '', addresses: [], cgroup: '/sys/fs/cgroup/app' });
    const at = (cgroups: ReadonlyMap<string, bigint>) =>
      decoded('hostCgroups', desiredMaps(anIntent([network], [app]), hostFacts({ cgroups }), memory));
    expect(at(new Map([['/sys/fs/cgroup/app', 0x1_0000_0007n]]))).toEqual([[0x1_0000_0007n, { number: 5, check: 7 }]]);
    expect(at(new Map())).toEqual([]);
  });
});
