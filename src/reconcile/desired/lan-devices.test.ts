import { describe, expect, test } from 'vitest';
import { InterfaceFlag, mapDefinitions } from '../../maps/generated/abi.ts';
import { formatAddress, parseMac } from '../../model/address.ts';
import { aLink, aNetwork, anAddress, anEndpoint, anIntent, hostFacts, noServices } from '../testing.ts';
import { desiredAttachments } from './attachments.ts';
import { DenyHeads } from './deny-heads.ts';
import { endpointRoutesOf, lanDevices, vlanOf } from './lan-devices.ts';
import { desiredMaps } from './maps.ts';
import { MemberSlots } from './members.ts';
import { Limits } from './rates.ts';

const memory = () => ({
  generation: 5,
  slots: new MemberSlots(),
  denied: new DenyHeads(),
  limits: new Limits(),
  services: noServices(),
});
const onEth0 = { driver: 'macvlan', options: { parent: 'eth0' } } as const;
const shared = { driver: 'ipvlan', options: { parent: 'eth0' } } as const;
const device = aLink(11, 'vm00000000001', { kind: 'macvlan', linkIndex: 2 });
const facts = hostFacts({ links: [...hostFacts().links, device] });

function plan(network: Parameters<typeof aNetwork>[0], seen = facts) {
  return desiredMaps(anIntent([aNetwork(network)], [anEndpoint()]), seen, memory()).maps;
}
const sender = (maps: ReturnType<typeof plan>) =>
  [...maps.interfaces.values()].map(({ value }) => mapDefinitions.interfaces.value.decode(value))[0];
const keys = (maps: ReturnType<typeof plan>) =>
  [...maps.endpoints.values()]
    .map(({ key }) => mapDefinitions.endpoints.key.decode(key))
    .map(({ network, addr }) => `${network} ${formatAddress(addr)}`)
    .sort();

describe('the maps of a network on a parent device', () => {
  test('an endpoint is found by its device there, and not by the host', () => {
    const maps = plan(onEth0);
    expect(sender(maps)).toMatchObject({ lanIfindex: 11, flags: InterfaceFlag.LAN });
    expect([...maps.lanDevices.values()].map(({ key }) => key)).toEqual([Uint8Array.of(11, 0, 0, 0)]);
    expect(keys(maps).filter((key) => key.startsWith('0 '))).toEqual([]);
    expect(maps.subnets.size).toBe(0);
    expect(maps.lanParents.size).toBe(0);
  });

  test('a device that stands on another parent, or is gone, is no way out', () => {
    const elsewhere = hostFacts({ links: [...hostFacts().links, { ...device, linkIndex: 7 }] });
    for (const seen of [hostFacts(), elsewhere]) {
      const maps = plan(onEth0, seen);
      expect(sender(maps)).toMatchObject({ lanIfindex: 0, flags: InterfaceFlag.LAN });
      expect(maps.lanDevices.size).toBe(0);
    }
  });

  test('with host access the host finds it, too', () => {
    const maps = plan({ ...onEth0, options: { parent: 'eth0', 'vetch.host-access': 'true' } });
    expect(keys(maps)).toContain('0 10.88.0.2');
  });

  test('one that shares the MAC of its parent is found by its addresses there', () => {
    const maps = plan(shared);
    expect(sender(maps)).toMatchObject({ lanIfindex: 2, flags: InterfaceFlag.LAN | InterfaceFlag.SHARED });
    expect(keys(maps)).toContain(`${0x8000_0002} 10.88.0.2`);
    expect(maps.lanDevices.size).toBe(0);
    expect([...maps.lanParents.values()].map(({ value }) => mapDefinitions.lanParents.value.decode(value))).toEqual([
      { mac: parseMac('02:00:00:00:00:01'), network: 1 },
    ]);
  });
});

test('only the parent that a MAC is shared of runs a program of its own', () => {
  const hooks = (network: Parameters<typeof aNetwork>[0]) =>
    desiredAttachments(anIntent([aNetwork(network)], []), facts, '/cgroup').map(({ hook }) => hook);
  expect(hooks(shared)).toContain('from_parent');
  expect(hooks(onEth0)).not.toContain('from_parent');
});

test('the parent of a routed network is an uplink whatever the others are', () => {
  const routed = aNetwork({ driver: 'ipvlan', options: { parent: 'eth1', ipvlan_mode: 'l3' } });
  const seen = hostFacts({ links: [...facts.links, aLink(12, 'eth1')], uplink: ['eth0'] });
  const targets = desiredAttachments(anIntent([routed], []), seen, '/cgroup')
    .filter(({ hook }) => hook === 'from_uplink')
    .map(({ target }) => target);
  expect(targets).toEqual(['eth0', 'eth1']);
});

test('only endpoints of macvlan networks have devices on a parent', () => {
  const names = (network: Parameters<typeof aNetwork>[0]) => [
    ...lanDevices(anIntent([aNetwork(network)], [anEndpoint()])).keys(),
  ];
  expect(names(onEth0)).toEqual(['vm00000000001']);
  expect(names(shared)).toEqual([]);
  expect(names({})).toEqual([]);
});

test("the host's way to an endpoint comes from its own address on the parent", () => {
  const network = aNetwork({ ...onEth0, options: { parent: 'eth0', 'vetch.host-access': 'true' } });
  expect(endpointRoutesOf(anEndpoint(), network, facts)).toEqual([
    { destination: '10.88.0.2/32', mtu: 1500, source: '192.0.2.10' },
    { destination: 'fd00:88::2/128', mtu: 1500 },
  ]);
  const bare = hostFacts({ ...facts, addresses: [anAddress(1, '127.0.0.1', { global: false })] });
  expect(endpointRoutesOf(anEndpoint(), network, bare)[0]).not.toHaveProperty('source');
  expect(endpointRoutesOf(anEndpoint(), aNetwork(onEth0), facts)).toEqual([]);
});

test.each([
  ['eth0.10', { base: 'eth0', id: 10 }],
  ['bond0.4094', { base: 'bond0', id: 4094 }],
  ['eth0.1.2', { base: 'eth0.1', id: 2 }],
  ['eth0', undefined],
  ['eth0.0', undefined],
  ['eth0.4095', undefined],
  ['.10', undefined],
])('%s names VLAN %o', (name, vlan) => {
  expect(vlanOf(name)).toEqual(vlan);
});
