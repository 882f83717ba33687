import { expect, test } from 'vitest';
import type { DropTotal } from '../counts.ts';
import { statusDrops, statusWarnings } from './warnings.ts';

const drop = (reason: string, packets: bigint): DropTotal => ({ reason, lost: true, packets, bytes: packets * 60n });
const quiet = {
  drops: [],
  earlierDrops: [],
  maps: [],
  eventsLost: 0n,
  earlierEventsLost: 0n,
  collectorFailures: 0,
};

test('a quiet host has no warnings', () => {
  expect(statusWarnings({ ...quiet, drops: [drop('NOT_PUBLISHED', 1000n)] })).toEqual([]);
});

test('exhausted masquerading ports are warned of, while it happens', () => {
  const drops = [drop('SNAT_EXHAUSTED', 12n)];
  expect(statusWarnings({ ...quiet, drops })).toEqual([expect.stringMatching(/^SNAT_EXHAUSTED: 12 packets: /)]);
  expect(statusWarnings({ ...quiet, drops, earlierDrops: drops })).toEqual([]);
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

test('lost flow events are warned of', () => {
  expect(statusWarnings({ ...quiet, eventsLost: 10n, earlierEventsLost: 4n })).toEqual([
    '6 flow events were lost: the ring buffer was full',
  ]);
});

test('drops are shown by reason, those never met are left out', () => {
  expect(statusDrops([drop('SPOOFED', 3n), drop('ISOLATED', 0n)])).toEqual({ SPOOFED: 3 });
});
