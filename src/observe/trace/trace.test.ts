import { expect, test } from 'vitest';
import { Step } from '../../maps/generated/abi.ts';
import { parseAddress, parseMac } from '../../model/address.ts';
import { crc32c, internetChecksum } from './checksum.ts';
import { buildPacket } from './packet.ts';
import { planTrace, type TraceEnd, type TraceSite } from './plan.ts';
import { readSteps } from './steps.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const web = parseMac('02:42:0a:58:00:02');
const db = parseMac('02:42:0a:58:00:03');
const hostMac = parseMac('02:00:00:00:00:01');
const uplinkMac = parseMac('52:54:00:00:00:01');

const site: TraceSite = {
  hostDevice: { ifindex: 3, mac: hostMac },
  gateway: (network, v4) => (network === 1 ? parseAddress(v4 ? '10.88.0.1' : 'fd00:88::1') : undefined),
  uplinks: [{ ifindex: 2, mac: uplinkMac, addresses: [parseAddress('192.0.2.5')], noEthernet: false }],
};

const endpoint = (mac: Uint8Array, ifindex: number, addresses: readonly string[], network = 1): TraceEnd => ({
  kind: 'endpoint',
  network,
  addresses: addresses.map(parseAddress),
  mac,
  ifindex,
});
const webEnd = endpoint(web, 7, ['10.88.0.2', 'fd00:88::2']);
const dbEnd = endpoint(db, 8, ['fd00:88::3', '10.88.0.3']);

const packet = { sourceMac: web, destinationMac: db, sourcePort: 40000, destinationPort: 80 };
const families = [
  { source: parseAddress('10.88.0.2'), destination: parseAddress('10.88.0.3'), ip: 20 },
  { source: parseAddress('fd00:88::2'), destination: parseAddress('fd00:88::3'), ip: 40 },
];

test('the checksums of a packet add up', () => {
  for (const { source, destination, ip } of families) {
    for (const protocol of ['tcp', 'udp', 'icmp'] as const) {
      const bytes = buildPacket({ ...packet, source, destination, protocol });
      if (ip === 20) expect(internetChecksum(bytes.subarray(14, 34))).toBe(0);
      const payload = bytes.subarray(14 + ip);
      const addresses = bytes.subarray(ip === 20 ? 26 : 22, 14 + ip);
      const number = bytes[ip === 20 ? 23 : 20] ?? 0;
      const pseudo = Uint8Array.from([...addresses, 0, number, payload.length >> 8, payload.length & 0xff]);
      const isPlain = protocol === 'icmp' && ip === 20;
      expect(internetChecksum(isPlain ? new Uint8Array(0) : pseudo, payload)).toBe(0);
    }
  }
});

test('a TCP packet is a SYN to its port', () => {
  const [v4] = families;
  if (!v4) throw new Error('no family');
  const bytes = buildPacket({ ...packet, ...v4, protocol: 'tcp' });
  expect(hex(bytes.subarray(0, 14))).toBe('02420a58000302420a5800020800');
  expect(hex(bytes.subarray(34, 38))).toBe('9c400050');
  expect(bytes[47]).toBe(0x02);
  expect(bytes.length).toBe(54);
});

test('CRC-32C is that of its check value', () => {
  expect(crc32c(new TextEncoder().encode('123456789'))).toBe(0xe306_9283);
});

test('a packet between endpoints of one network goes to the MAC of the other', () => {
  const plan = planTrace(webEnd, dbEnd, '80', site);
  expect(plan).toMatchObject({ hooks: ['from_endpoint'], ifindex: 7 });
  expect(hex(plan.packet).slice(0, 12)).toBe(hex(db));
  expect(hex(plan.packet)).toContain('0a5800020a580003');
});

test('a packet to another network, the host or the world goes to the gateway', () => {
  const elsewhere = endpoint(db, 8, ['10.89.0.3'], 2);
  const world: TraceEnd = { kind: 'world', address: parseAddress('198.51.100.9') };
  for (const to of [elsewhere, { kind: 'host' } as const, world]) {
    expect(hex(planTrace(webEnd, to, '80/tcp', site).packet).slice(0, 12)).toBe(hex(hostMac));
  }
  expect(hex(planTrace(webEnd, { kind: 'host' }, 'icmp', site).packet)).toContain('0a5800020a580001');
});

test('a packet of the host begins at the host device with the gateway as its source', () => {
  const plan = planTrace({ kind: 'host' }, webEnd, '53/udp', site);
  expect(plan).toMatchObject({ hooks: ['from_host'], ifindex: 3 });
  expect(hex(plan.packet)).toContain('0a5800010a580002');
});

test('a packet from outside meets XDP first, then the program of the uplink', () => {
  const plan = planTrace({ kind: 'world' }, { kind: 'host' }, '8080', site);
  expect(plan).toMatchObject({ hooks: ['xdp_uplink', 'from_uplink'], ifindex: 2 });
  expect(hex(plan.packet).slice(0, 12)).toBe(hex(uplinkMac));
  const tun = site.uplinks.map((uplink) => ({ ...uplink, noEthernet: true }));
  const bare = planTrace({ kind: 'world' }, { kind: 'host' }, '8080', { ...site, uplinks: tun });
  expect(bare.hooks).toEqual(['from_uplink']);
  expect(bare.packet[0]).toBe(0x45);
});

test('ends without an address of one family are refused, as are ports that do not exist', () => {
  expect(() => planTrace(endpoint(web, 7, ['10.88.0.2']), endpoint(db, 8, ['fd00:88::3']), '80', site)).toThrow(
    'one family',
  );
  expect(() => planTrace(webEnd, dbEnd, '0/tcp', site)).toThrow('no such port');
  expect(() => planTrace(webEnd, dbEnd, '65536', site)).toThrow('no such port');
  expect(() => planTrace({ kind: 'host' }, { kind: 'world' }, '80', site)).toThrow('meets no program');
});

test('what policy decided is told by document and rule', () => {
  const steps = [
    { step: Step.EGRESS_DECIDED, detail: 0x4000_4002 },
    { step: Step.INGRESS_DECIDED, detail: 0x8000_5fff },
    { step: Step.INGRESS_DECIDED, detail: 0x8000_0000 },
  ];
  const decidedBy = (decision: number) => {
    if (decision === 0x8000_0000) return null;
    const rule = decision === 0x4000_4002 ? 2 : null;
    return { kind: 'NetworkPolicy', namespace: 'shop', name: 'db', rule };
  };
  const { views } = readSteps('from_endpoint', { count: 3, steps }, { deviceName: () => '', decidedBy });
  expect(views.map(({ detail }) => detail)).toEqual([
    'allow by NetworkPolicy shop/db, rule 2',
    'deny by NetworkPolicy shop/db, none of whose rules matches',
    'deny, no document decides',
  ]);
});

test('steps are told by name, devices by theirs', () => {
  const steps = [
    { step: Step.PARSED, detail: 0 },
    { step: Step.TO_ENDPOINT, detail: 8 },
    { step: Step.DROPPED, detail: 16 },
    { step: 0, detail: 0 },
  ];
  expect(readSteps('from_endpoint', { count: 3, steps }, { deviceName: () => 'vt1', decidedBy: () => null })).toEqual({
    views: [
      { hook: 'from_endpoint', action: 'parsed', detail: '' },
      { hook: 'from_endpoint', action: 'to_endpoint', detail: 'vt1 (ifindex 8)' },
      { hook: 'from_endpoint', action: 'dropped', detail: 'ISOLATED' },
    ],
    reason: 'ISOLATED',
    passed: false,
  });
});
