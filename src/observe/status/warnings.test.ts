import { expect, test } from 'vitest';
import type { DropTotal } from '../counts.ts';
import { statusDrops, statusWarnings } from './warnings.ts';

const drop = (reason: string, packets: bigint): DropTotal => ({ reason, packets, bytes: packets * 60n });
const counters = {
  EVENTS_LOST: 0n,
  FLOWS_CREATED: 0n,
  SNAT_RETRIES: 0n,
  PAIRS_REPAIRED: 0n,
  ANSWERED: 0n,
  FLOODED: 0n,
  AUDITED: 0n,
  STRAIGHT_BY_XDP: 0n,
  SOCKETS_JOINED: 0n,
  SOCKETS_NOT_JOINED: 0n,
  BYPASSED: 0n,
  BYPASS_DECLINED: 0n,
};
const moment = { drops: [], counters, collectorFailures: 0 };
const quiet = { now: moment, earlier: moment, maps: [] };

test('a quiet host has no warnings', () => {
  expect(statusWarnings({ ...quiet, now: { ...moment, drops: [drop('NOT_PUBLISHED', 1000n)] } })).toEqual([]);
});

test('exhausted masquerading ports are warned of, while it happens', () => {
  const now = { ...moment, drops: [drop('SNAT_EXHAUSTED', 12n)] };
  expect(statusWarnings({ ...quiet, now })).toEqual([expect.stringMatching(/^SNAT_EXHAUSTED: 12 packets: /)]);
  expect(statusWarnings({ ...quiet, now, earlier: now })).toEqual([]);
});

test('a map that is nearly full is named, with the key that makes it larger', () => {
  const maps = [
    { name: 'published', type: 'hash', entries: 950, capacity: 1000 },
    { name: 'endpoints', type: 'hash', entries: 10, capacity: 1000 },
    { name: 'sock_reverse', type: 'lru_hash', entries: 1000, capacity: 1000 },
    { name: 'config', type: 'array', entries: 1, capacity: 1 },
    { name: 'flow_events', type: 'ringbuf', entries: null, capacity: 4096 },
  ];
  expect(statusWarnings({ ...quiet, maps })).toEqual([
    'map published holds 950 of 1000 entries: raise map-sizes.published',
  ]);
});

test('lost flow events and failures of the collector are warned of', () => {
  const earlier = { ...moment, counters: { ...counters, EVENTS_LOST: 4n }, collectorFailures: 2 };
  const now = { ...moment, counters: { ...counters, EVENTS_LOST: 10n }, collectorFailures: 3 };
  expect(statusWarnings({ ...quiet, now, earlier })).toEqual([
    '6 flow events were lost: the ring buffer was full',
    "the conntrack collector failed 1 times: see the daemon's log",
  ]);
});

test('drops are shown by reason, those never met are left out', () => {
  expect(statusDrops([drop('SPOOFED', 3n), drop('ISOLATED', 0n)])).toEqual({ SPOOFED: 3 });
});
