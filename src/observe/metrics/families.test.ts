import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { DropReason, mapDefinitions } from '../../maps/generated/abi.ts';
import { counterTotals, dropTotals } from '../counts.ts';
import { exposition } from './exposition.ts';
import { type MetricsSnapshot, metricFamilies } from './families.ts';
import { ProcessMeter } from './process.ts';

function snapshot(): MetricsSnapshot {
  const drops = Array.from(
    { length: DropReason.COUNT },
    (_, reason): [number, { packets: bigint; bytes: bigint }[]] => [
      reason,
      [
        { packets: BigInt(reason), bytes: 100n },
        { packets: 1n, bytes: 20n },
      ],
    ],
  );
  using meter = new ProcessMeter();
  return {
    version: '0.1.0',
    node: 'a "quoted" node',
    drops: dropTotals({ entries: () => drops }),
    counters: counterTotals({
      entries: () => [
        [0, [2n, 3n]],
        [1, [7n, 0n]],
      ],
    }),
    maps: Object.values(mapDefinitions).map(({ name, maxEntries, type }) => ({
      name,
      type,
      entries: type === 'ringbuf' ? null : 2,
      capacity: maxEntries,
    })),
    flows: { read: 9, followers: 1, lostByFollowers: 4 },
    collector: { runs: 3, deleted: 5, failures: 0, seconds: 0.012 },
    networks: 1,
    endpoints: 2,
    ports: 3,
    policies: 2,
    drift: 0,
    process: meter.read(),
  };
}

const text = exposition(metricFamilies(snapshot()));
const lines = text.trimEnd().split('\n');

test('every line is a sample or says what follows', () => {
  const sample = /^[a-z_]+(\{[a-z]+="([^"\\]|\\.)*"(,[a-z]+="([^"\\]|\\.)*")*\})? -?[0-9.e+-]+$/;
  for (const line of lines) expect(line).toMatch(line.startsWith('#') ? /^# (HELP|TYPE) [a-z_]+ / : sample);
});

test('drops are summed over the CPUs, each under its reason', () => {
  expect(lines).toContain('vetch_dropped_packets_total{reason="SPOOFED"} 7');
  expect(lines).toContain('vetch_dropped_bytes_total{reason="SPOOFED"} 120');
  expect(text).not.toContain('reason="NONE"');
});

test('lost events are shown', () => {
  expect(lines).toContain('vetch_flow_events_lost_total 5');
  expect(lines).toContain('vetch_flow_follower_events_lost_total 4');
});

test('labels are escaped', () => {
  expect(lines).toContain('vetch_build_info{version="0.1.0",node="a \\"quoted\\" node"} 1');
});

test('the fill of a map is its entries by its capacity', () => {
  expect(lines).toContain('vetch_map_entries{map="endpoints"} 2');
  expect(lines).toContain('vetch_map_fill_ratio{map="uplinks"} 0.0078125');
  expect(text).not.toContain('vetch_map_entries{map="flow_events"}');
  expect(text).not.toContain('vetch_map_fill_ratio{map="config"}');
  // An array, but one whose elements are given away.
  expect(lines).toContain('vetch_map_fill_ratio{map="service_slots"} 0.0001220703125');
});

test('docs/metrics.md names exactly these metrics', () => {
  const documented = readFileSync(new URL('../../../docs/metrics.md', import.meta.url), 'utf8').matchAll(
    /^\| `(\w+)`/gm,
  );
  expect([...documented].map(([, name]) => name).sort()).toEqual(
    metricFamilies(snapshot())
      .map(({ name }) => name)
      .sort(),
  );
});
