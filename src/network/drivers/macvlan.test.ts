import { describe, expect, test } from 'vitest';
import { EndpointIndex } from '../endpoint-index.ts';
import { planEndpoint } from '../plan-endpoint.ts';
import { endpointRequest, indexOf, planned, refusal } from '../testing.ts';
import { ipvlanDriver } from './ipvlan.ts';
import { macvlanDriver } from './macvlan.ts';

const lan = { subnets: ['198.51.100.0/24'], gateways: ['198.51.100.254'] };
const macvlan = (options: Record<string, string>, more: object = {}) =>
  planned({ driver: 'macvlan', ...lan, options, ...more });
const ipvlan = (options: Record<string, string>, more: object = {}) =>
  planned({ driver: 'ipvlan', ...lan, options, ...more });

describe('a macvlan network', () => {
  test.each([
    ['bridge', { mode: 'private' }, ['PRESENT', 'LAN', 'HOST_OFF']],
    ['private', { mode: 'private' }, ['PRESENT', 'ICC_OFF', 'LAN', 'HOST_OFF']],
    ['vepa', { mode: 'vepa' }, ['PRESENT', 'LAN', 'VEPA', 'HOST_OFF']],
    ['passthru', { mode: 'passthru' }, ['PRESENT', 'LAN', 'HOST_OFF']],
  ])('in mode %s has devices on its parent, and no address of the host', (mode, device, flags) => {
    const plan = macvlanDriver.planNetwork(macvlan({ parent: 'eth0', macvlan_mode: mode }));
    expect(plan).toMatchObject({ lan: { parent: 'eth0', ...device }, hostAddresses: [], hostRoutes: [], flags });
    expect(plan).not.toHaveProperty('gateway4');
  });

  test("gives a sandbox the LAN's router as its default route", () => {
    const network = macvlan({ parent: 'eth0' });
    expect(macvlanDriver.planSandbox(network, indexOf(network).attach()).defaultRoutes).toEqual([
      { destination: '0.0.0.0/0', gateway: '198.51.100.254' },
    ]);
  });

  test('without a parent, or told so, is internal', () => {
    for (const network of [macvlan({}), macvlan({ parent: '' }), macvlan({ parent: 'eth0' }, { internal: true })]) {
      expect(network.internal).toBe(true);
      expect(macvlanDriver.planNetwork(network)).not.toHaveProperty('lan');
      expect(macvlanDriver.planNetwork(network).flags).toContain('INTERNAL');
      expect(macvlanDriver.planSandbox(network, indexOf(network).attach()).defaultRoutes).toEqual([]);
    }
  });

  test('lets the host in when told', () => {
    const plan = macvlanDriver.planNetwork(macvlan({ parent: 'eth0', 'vetch.host-access': 'true' }));
    expect(plan).toMatchObject({ endpointRoutes: true, flags: ['PRESENT', 'LAN'] });
  });

  test("may have the subnet of a route of the host's, but not that of another network", () => {
    const hostRoutes = [{ destination: '198.51.100.0/24', device: 'eth0' }];
    const request = { driver: 'macvlan', ...lan, options: { parent: 'eth0' } };
    expect(planned(request, { hostRoutes }).subnets).toMatchObject([{ cidr: '198.51.100.0/24' }]);
    const other = planned({ name: 'other', subnets: ['198.51.100.0/25'] });
    expect(refusal(() => planned(request, { networks: [other] }))).toMatchObject({ code: 'SUBNET_OVERLAP' });
    expect(planned({ ...request, name: 'second' }, { networks: [planned(request)] }).name).toBe('second');
  });

  test('has the MTU of its parent unless told otherwise, and none that is larger', () => {
    const request = { driver: 'macvlan', ...lan, options: { parent: 'eth0' } };
    expect(planned(request, { parentMtu: 1400 }).mtu).toBe(1400);
    expect(planned({ ...request, mtu: 1300 }, { parentMtu: 1400 }).mtu).toBe(1300);
    expect(refusal(() => planned({ ...request, mtu: 1500 }, { parentMtu: 1400 }))).toMatchObject({ code: 'INVALID' });
  });

  test('shares a parent with others, but in mode passthru, which takes one endpoint', () => {
    const first = macvlan({ parent: 'eth0' });
    const alone = macvlan({ parent: 'eth0', macvlan_mode: 'passthru' });
    const request = { name: 'second', driver: 'macvlan', ...lan, options: { parent: 'eth0' } };
    expect(planned(request, { networks: [first] }).name).toBe('second');
    expect(refusal(() => planned(request, { networks: [alone] }))).toMatchObject({ code: 'IN_USE' });
    const greedy = { ...request, options: { parent: 'eth0', macvlan_mode: 'passthru' } };
    expect(refusal(() => planned(greedy, { networks: [first] }))).toMatchObject({ code: 'IN_USE' });
    const { attach } = indexOf(alone);
    attach();
    expect(refusal(() => attach({ netns: '/var/run/netns/second' }))).toMatchObject({ code: 'IN_USE' });
  });

  test('knows the addresses that others on its parent have', () => {
    const first = macvlan({ parent: 'eth0' });
    const second = { ...macvlan({ parent: 'eth0' }), name: 'second' };
    const elsewhere = { ...macvlan({ parent: 'eth1' }), name: 'elsewhere' };
    const networks = new Map([first, second, elsewhere].map((network) => [network.id, network]));
    const index = EndpointIndex.of({ networks, endpoints: new Map() });
    const attach = (network: typeof first, addresses: string[] = []) =>
      planEndpoint(endpointRequest({ addresses }), { network, endpoints: index });
    const one = attach(first);
    index.addEndpoint(one);
    expect(one.addresses).toEqual(['198.51.100.1/24']);
    expect(attach(second).addresses).toEqual(['198.51.100.2/24']);
    expect(refusal(() => attach(second, ['198.51.100.1']))).toMatchObject({ code: 'ADDRESS_TAKEN' });
    expect(attach(elsewhere).addresses).toEqual(['198.51.100.1/24']);
    index.addNetwork({ ...macvlan({ parent: 'eth0' }), name: 'late' });
    index.removeEndpoint(one.id);
    expect(attach(second).addresses).toEqual(['198.51.100.1/24']);
  });

  test('gives the same address the same MAC, so that the LAN need not learn it anew', () => {
    const network = macvlan({ parent: 'eth0' });
    const mac = (address: string) => indexOf(network).attach({ addresses: [address] }).mac;
    expect(mac('198.51.100.7')).toBe(mac('198.51.100.7'));
    expect(mac('198.51.100.7')).not.toBe(mac('198.51.100.8'));
  });
});

describe('an ipvlan network', () => {
  test('of mode l2 goes by the MAC of its parent', () => {
    const plan = ipvlanDriver.planNetwork(ipvlan({ parent: 'eth0' }));
    expect(plan).toMatchObject({ lan: { mode: 'shared' }, ownsSubnets: false, flags: ['PRESENT', 'LAN', 'HOST_OFF'] });
  });

  test.each(['l3', 'l3s'])('of mode %s is routed by the host, and keeps its own addresses', (mode) => {
    const plan = ipvlanDriver.planNetwork(ipvlan({ parent: 'eth0', ipvlan_mode: mode }));
    expect(plan).toMatchObject({ uplink: 'eth0', ownsSubnets: true, gateway4: '198.51.100.254', hostRoutes: [] });
    expect(plan.flags).toEqual(['PRESENT', 'UNPROTECTED4', 'UNPROTECTED6', 'HOST_OFF']);
    expect(plan).not.toHaveProperty('lan');
    const hostRoutes = [{ destination: '198.51.100.0/24', device: 'eth0' }];
    const request = { driver: 'ipvlan', ...lan, options: { parent: 'eth0', ipvlan_mode: mode } };
    expect(refusal(() => planned(request, { hostRoutes }))).toMatchObject({ code: 'SUBNET_OVERLAP' });
  });

  test('keeps its endpoints apart by flag private, and sends them round by flag vepa', () => {
    const flags = (flag: string) => ipvlanDriver.planNetwork(ipvlan({ parent: 'eth0', ipvlan_flag: flag })).flags;
    expect(flags('private')).toContain('ICC_OFF');
    expect(flags('vepa')).toContain('VEPA');
    expect(flags('bridge')).toEqual(['PRESENT', 'LAN', 'HOST_OFF']);
    const routed = { parent: 'eth0', ipvlan_mode: 'l3', ipvlan_flag: 'vepa' };
    expect(refusal(() => ipvlan(routed))).toMatchObject({ code: 'INVALID' });
  });

  test('of mode l2 has its parent with no other of that mode', () => {
    const request = { name: 'second', driver: 'ipvlan', subnets: ['198.51.101.0/24'], options: { parent: 'eth0' } };
    const networks = [ipvlan({ parent: 'eth0' })];
    expect(refusal(() => planned(request, { networks }))).toMatchObject({ code: 'IN_USE' });
    const routed = { ...request, options: { parent: 'eth0', ipvlan_mode: 'l3' } };
    expect(planned(routed, { networks }).name).toBe('second');
  });
});

describe('an option', () => {
  test.each([
    [macvlan, 'macvlan_mode', 'source', 'passthru'],
    [macvlan, 'parent', 'lo', 'eth0.10'],
    [macvlan, 'parent', 'a/b', 'eth0.10'],
    [macvlan, 'vetch.host-access', 'yes', 'true or false'],
    [ipvlan, 'ipvlan_mode', 'l4', 'l3s'],
    [ipvlan, 'ipvlan_flag', 'hairpin', 'private'],
  ])('of %o: %s cannot be %s', (network, name, value, hint) => {
    expect(refusal(() => network({ parent: 'eth0', [name]: value }))).toMatchObject({
      code: 'INVALID',
      message: expect.stringContaining(name),
      hint: expect.stringContaining(hint),
    });
  });

  test.each([
    [macvlan, 'ipvlan_mode', 'l2'],
    [ipvlan, 'macvlan_mode', 'bridge'],
    [macvlan, 'com.docker.network.bridge.enable_icc', 'false'],
    [macvlan, 'vetch.publish', 'host'],
  ])('of %o: %s=%s is known, and refused with what to do', (network, name, value) => {
    expect(refusal(() => network({ parent: 'eth0', [name]: value }))).toMatchObject({
      code: 'UNSUPPORTED',
      hint: expect.stringMatching(/./),
    });
  });

  test('that publishes is refused: every port is reached anyway', () => {
    const { attach } = indexOf(macvlan({ parent: 'eth0' }));
    expect(refusal(() => attach({ publish: ['8080:80'] }))).toMatchObject({ code: 'INVALID' });
  });
});
