import { describe, expect, test } from 'vitest';
import { indexOf, planned, refusal } from '../testing.ts';
import { bridgeDriver } from './bridge.ts';

const bridge = 'com.docker.network.bridge';
const flags = (options: Record<string, string>, internal = false) =>
  bridgeDriver.planNetwork(planned({ options, internal })).flags.toSorted();

describe('a bridge network', () => {
  test('masquerades both families unless told otherwise', () => {
    expect(flags({})).toEqual(['MASQUERADE4', 'MASQUERADE6', 'PRESENT']);
    expect(flags({ [`${bridge}.enable_ip_masquerade`]: 'false' })).toEqual(['PRESENT']);
  });

  test('is reachable by routing in the family whose gateway mode says so', () => {
    expect(flags({ [`${bridge}.gateway_mode_ipv6`]: 'routed' })).toEqual(['MASQUERADE4', 'PRESENT', 'ROUTED6']);
    expect(flags({ [`${bridge}.gateway_mode_ipv4`]: 'nat-unprotected' })).toEqual([
      'MASQUERADE4',
      'MASQUERADE6',
      'PRESENT',
      'UNPROTECTED4',
    ]);
  });

  test('that is internal neither masquerades nor routes, whatever its options say', () => {
    expect(flags({ [`${bridge}.gateway_mode_ipv4`]: 'routed' }, true)).toEqual(['INTERNAL', 'PRESENT']);
  });

  test('keeps endpoints apart, or takes the way by the stack, when told', () => {
    expect(flags({ [`${bridge}.enable_icc`]: '0' })).toContain('ICC_OFF');
    expect(flags({ 'vetch.forwarding': 'stack' })).toContain('STACK');
    expect(flags({ 'vetch.forwarding': 'redirect', [`${bridge}.enable_icc`]: 'TRUE' })).toHaveLength(3);
  });

  test('needs its gateways on the host device, and its subnets routed there', () => {
    const network = planned({ subnets: ['10.1.0.0/16', 'fd00:1::/64'] });
    expect(bridgeDriver.planNetwork(network)).toMatchObject({
      mtu: 1500,
      gateway4: '10.1.0.1',
      gateway6: 'fd00:1::1',
      hostAddresses: ['10.1.0.1/32', 'fd00:1::1/128'],
      hostRoutes: [
        { destination: '10.1.0.0/16', source: '10.1.0.1' },
        { destination: 'fd00:1::/64', source: 'fd00:1::1' },
      ],
    });
  });

  test('gives a sandbox a default route of each family, and none when it is internal', () => {
    const subnets = ['10.1.0.0/16', 'fd00:1::/64'];
    const routesOf = (internal: boolean) => {
      const network = planned({ subnets, internal });
      return bridgeDriver.planSandbox(network, indexOf(network).attach()).defaultRoutes;
    };
    expect(routesOf(false)).toEqual([
      { destination: '0.0.0.0/0', gateway: '10.1.0.1' },
      { destination: '::/0', gateway: 'fd00:1::1' },
    ]);
    expect(routesOf(true)).toEqual([]);
  });

  test('without an IPv6 subnet switches IPv6 off on the device of a sandbox', () => {
    const network = planned();
    expect(bridgeDriver.planSandbox(network, indexOf(network).attach())).toMatchObject({ ipv6: false, mtu: 1500 });
  });
});

describe('an option of a bridge network', () => {
  test.each([
    [`${bridge}.enable_icc`, 'yes', 'true or false'],
    [`${bridge}.enable_icc`, '', 'true or false'],
    [`${bridge}.enable_ip_masquerade`, 'off', 'true or false'],
    [`${bridge}.host_binding_ipv4`, 'localhost', 'address of this host'],
    [`${bridge}.trusted_host_interfaces`, ':', 'names of devices'],
    [`${bridge}.trusted_host_interfaces`, 'eth0:a/b', 'names of devices'],
    ['com.docker.network.host_ipv4', '2001:db8::1', 'IPv4 address'],
    ['com.docker.network.host_ipv4', '0.0.0.0', 'IPv4 address'],
    ['com.docker.network.host_ipv6', '192.0.2.1', 'IPv6 address'],
    [`${bridge}.gateway_mode_ipv4`, 'bridge', 'nat-unprotected'],
    ['com.docker.network.driver.mtu', '1e3', '576 to 65535'],
    ['com.docker.network.driver.mtu', '575', '576 to 65535'],
    ['com.docker.network.container_iface_prefix', 'much-too-long', '1 to 12 characters'],
    ['com.docker.network.container_iface_prefix', 'a/b', '1 to 12 characters'],
    ['vetch.forwarding', 'both', 'redirect or stack'],
    ['vetch.default-labels', 'app', 'KEY=VALUE'],
    ['vetch.publish', 'node', 'host or cluster'],
    ['vetch.accelerate', 'bulk', 'off or latency'],
    ['vetch.rate.ingress', '100MB', '100kbit to 100Gbit'],
    ['vetch.rate.egress', '1kbit', '100kbit to 100Gbit'],
  ])('%s cannot be %j', (name, value, hint) => {
    expect(refusal(() => planned({ options: { [name]: value } }))).toMatchObject({
      code: 'INVALID',
      message: expect.stringContaining(name),
      hint: expect.stringContaining(hint),
    });
  });

  test.each([
    ['vetch.publish', 'cluster'],
    ['vetch.publish.return', 'direct'],
    ['vetch.network', 'shop'],
    ['vetch.host-access', 'false'],
    ['encrypted', ''],
    ['parent', 'eth0'],
    [`${bridge}.name`, 'br0'],
  ])('%s=%s is known and refused until it is honoured', (name, value) => {
    expect(refusal(() => planned({ options: { [name]: value } }))).toMatchObject({
      code: 'UNSUPPORTED',
      hint: expect.stringMatching(/./),
    });
  });

  test('isolate an internal network from its host, and no other', () => {
    const options = { [`${bridge}.gateway_mode_ipv4`]: 'isolated' };
    expect(refusal(() => planned({ options }))).toMatchObject({ code: 'INVALID', hint: 'add --internal' });
    const network = planned({ options, internal: true, subnets: ['10.88.0.0/16', 'fd00:88::/64'] });
    expect(bridgeDriver.planNetwork(network)).toMatchObject({
      gateway6: 'fd00:88::1',
      hostAddresses: ['fd00:88::1/128'],
      hostRoutes: [{ destination: 'fd00:88::/64', source: 'fd00:88::1' }],
    });
    expect(bridgeDriver.planNetwork(network)).not.toHaveProperty('gateway4');
  });

  test('takes no port of the host where a family is routed', () => {
    expect(bridgeDriver.defaults({ [`${bridge}.gateway_mode_ipv6`]: 'routed' }).routed).toEqual([6]);
    expect(bridgeDriver.defaults({ [`${bridge}.gateway_mode_ipv4`]: 'nat-unprotected' }).routed).toEqual([]);
  });

  test('names trusted devices, the addresses to leave under, and a binding of either family', () => {
    const options = {
      [`${bridge}.trusted_host_interfaces`]: 'vxlan.1:eth3',
      [`${bridge}.host_binding_ipv4`]: '::1',
      'com.docker.network.host_ipv4': '192.0.2.9',
      'com.docker.network.host_ipv6': '2001:DB8:0::9',
    };
    expect(bridgeDriver.planNetwork(planned({ options }))).toMatchObject({
      trustedInterfaces: ['vxlan.1', 'eth3'],
      masquerade4: '192.0.2.9',
      masquerade6: '2001:db8::9',
    });
    expect(bridgeDriver.defaults(options).hostBinding).toBe('::1');
  });

  test.each(['constructor', '__proto__', 'toString'])('named %s is unknown, not a method', (name) => {
    const options = Object.fromEntries([[name, 'x']]);
    expect(refusal(() => planned({ options }))).toMatchObject({ code: 'INVALID', message: `unknown option ${name}` });
  });

  test('of an endpoint is judged too', () => {
    const { attach } = indexOf(planned());
    expect(refusal(() => attach({ options: { colour: 'red' } }))).toMatchObject({
      code: 'INVALID',
      message: 'unknown option colour',
    });
    expect(refusal(() => attach({ options: { 'vetch.rate.egress': 'fast' } }))).toMatchObject({ code: 'INVALID' });
    expect(refusal(() => attach({ labels: { 'vetch.rate.egress': 'fast' } }))).toMatchObject({ code: 'INVALID' });
    expect(attach({ options: { 'vetch.rate.egress': '1Mbit' } })).toMatchObject({
      options: { 'vetch.rate.egress': '1Mbit' },
    });
  });

  test('says what each endpoint gets', () => {
    const options = {
      [`${bridge}.host_binding_ipv4`]: '127.0.0.1',
      'com.docker.network.container_iface_prefix': 'net',
      'vetch.default-labels': 'trust=low,zone=a',
    };
    expect(bridgeDriver.defaults(options)).toEqual({
      hostBinding: '127.0.0.1',
      ifnamePrefix: 'net',
      labels: { trust: 'low', zone: 'a' },
      routed: [],
    });
    const { attach } = indexOf(planned({ options }));
    expect(attach()).toMatchObject({ ifname: 'net0', labels: { trust: 'low', zone: 'a' } });
    expect(attach({ labels: { app: 'web' } })).toMatchObject({ ifname: 'net1', labels: { app: 'web' } });
  });
});
