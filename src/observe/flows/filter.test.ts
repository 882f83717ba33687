import { expect, test } from 'vitest';
import { VetchError } from '../../api/error.ts';
import { DropReason, Verdict } from '../../maps/generated/abi.ts';
import { compileFilter } from './filter.ts';
import { recordsIn } from './record.ts';
import { flowEvent, flowQuery, plainNames, recordWords } from './testing.ts';

type Query = NonNullable<Parameters<typeof flowQuery>[0]>;

function passes(query: Query, event = flowEvent(), window = {}): boolean {
  const words = recordWords(event);
  return compileFilter(flowQuery(query), plainNames, window)(recordsIn(new Uint8Array(words.buffer)), 0);
}

const dropped = flowEvent({ verdict: Verdict.DROPPED, reason: DropReason.SPOOFED });

test('a query that says nothing takes every flow', () => {
  expect(passes({})).toBe(true);
});

test('a flag repeated is OR, different flags are AND', () => {
  expect(passes({ include: { port: [443, 80] } })).toBe(true);
  expect(passes({ include: { port: [443], verdict: ['FORWARDED'] } })).toBe(false);
  expect(passes({ include: { port: [80], verdict: ['FORWARDED'], protocol: ['udp', 'tcp'] } })).toBe(true);
});

test('what is excluded is shown for no value of any list', () => {
  expect(passes({ exclude: { port: [443] } })).toBe(true);
  expect(passes({ exclude: { port: [443], protocol: ['tcp'] } })).toBe(false);
  expect(passes({ include: { port: [80] }, exclude: { from: ['10.88.0.2'] } })).toBe(false);
});

test('a port is the source or the destination port', () => {
  expect(passes({ include: { port: [40000] } })).toBe(true);
  expect(passes({ include: { port: [80] } })).toBe(true);
  expect(passes({ include: { port: [0x5000] } })).toBe(false);
});

test('verdicts and reasons are told by their names', () => {
  expect(passes({ include: { verdict: ['DROPPED'], reason: ['POLICY_DENIED', 'SPOOFED'] } }, dropped)).toBe(true);
  expect(passes({ include: { reason: ['SPOOFED'] } })).toBe(false);
});

test('addresses and prefixes of both families are compared whole', () => {
  const v6 = flowEvent({ source: 'fd00:88::2', destination: 'fd00:88:0:1::3' });
  expect(passes({ include: { from: ['10.88.0.2'], to: ['10.88.0.0/24'] } })).toBe(true);
  expect(passes({ include: { from: ['10.88.0.3'] } })).toBe(false);
  expect(passes({ include: { to: ['10.88.0.2/31'] } })).toBe(true);
  expect(passes({ include: { to: ['10.88.0.4/30'] } })).toBe(false);
  expect(passes({ include: { to: ['0.0.0.0/0'] } })).toBe(true);
  expect(passes({ include: { to: ['0.0.0.0/0'] } }, v6)).toBe(false);
  expect(passes({ include: { to: ['::/0'] } })).toBe(false);
  expect(passes({ include: { to: ['::/0'] } }, v6)).toBe(true);
  expect(passes({ include: { from: ['fd00:88::/64'] } }, v6)).toBe(true);
  expect(passes({ include: { to: ['fd00:88::/64'] } }, v6)).toBe(false);
  expect(passes({ include: { to: ['fd00:88:0:1::3'] } }, v6)).toBe(true);
});

test('world and host are told by identity', () => {
  const fromWorld = flowEvent({ source: '192.0.2.1', sourceIdentity: 2 });
  expect(passes({ include: { from: ['world'] } }, fromWorld)).toBe(true);
  expect(passes({ include: { from: ['host'] } }, fromWorld)).toBe(false);
  expect(passes({ include: { from: ['host', '192.0.2.0/24'] } }, fromWorld)).toBe(true);
});

test('protocols are told by name or number, and ARP by its EtherType', () => {
  const arp = flowEvent({ protocol: 0, ethertype: 0x0806 });
  expect(passes({ include: { protocol: ['arp'] } }, arp)).toBe(true);
  expect(passes({ include: { protocol: ['arp'] } })).toBe(false);
  expect(passes({ include: { protocol: ['6'] } })).toBe(true);
  expect(passes({ include: { protocol: ['icmpv6'] } }, flowEvent({ protocol: 58 }))).toBe(true);
});

test('networks are told by their number', () => {
  expect(passes({ include: { network: ['1'] } })).toBe(true);
  expect(passes({ include: { network: ['2'] } })).toBe(false);
});

test('since and until include their own moment', () => {
  const event = flowEvent({ time: 2n ** 40n + 5n });
  expect(passes({}, event, { since: 2n ** 40n + 5n, until: 2n ** 40n + 5n })).toBe(true);
  expect(passes({}, event, { since: 2n ** 40n + 6n })).toBe(false);
  expect(passes({}, event, { until: 2n ** 40n + 4n })).toBe(false);
});

test('what does not exist is refused by its name', () => {
  expect(() => passes({ include: { reason: ['OTHER'] } })).toThrow(VetchError);
  expect(() => passes({ include: { reason: ['COUNT'] } })).toThrow('unknown drop reason COUNT');
  expect(() => passes({ exclude: { protocol: ['tpc'] } })).toThrow('unknown protocol tpc');
  expect(() => passes({ exclude: { protocol: ['256'] } })).toThrow(VetchError);
});
