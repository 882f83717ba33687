import type { CollectorNumbers } from '../conntrack/collector.ts';
import type { CounterTotals, DropTotal } from '../counts.ts';
import { fillRatio, type MapFill } from '../maps/fill.ts';
import { type MetricFamily, single } from './exposition.ts';
import type { ProcessNumbers } from './process.ts';

/** Everything that a scrape shows, gathered beforehand. */
export interface MetricsSnapshot {
  readonly version: string;
  readonly node: string;
  readonly drops: readonly DropTotal[];
  readonly counters: CounterTotals;
  readonly maps: readonly MapFill[];
  readonly flows: { readonly read: number; readonly followers: number; readonly lostByFollowers: number };
  readonly collector: CollectorNumbers;
  readonly networks: number;
  readonly endpoints: number;
  readonly ports: number;
  /** Documents. */
  readonly policies: number;
  /** Repairs by reconcile since the daemon started. */
  readonly drift: number;
  readonly process: ProcessNumbers;
}

/**
 * The families of docs/metrics.md. Labels are drop reasons, map names and quantiles alone, so the number of series
 * does not grow with endpoints or flows.
 */
export function metricFamilies(snapshot: MetricsSnapshot): MetricFamily[] {
  const { process } = snapshot;
  return [
    ...datapathFamilies(snapshot),
    ...mapFamilies(snapshot.maps),
    ...controlFamilies(snapshot),
    single('process_resident_memory_bytes', 'gauge', "The daemon's resident memory", process.residentBytes),
    single('process_cpu_seconds_total', 'counter', "The daemon's CPU time", process.cpuSeconds),
    single('process_start_time_seconds', 'gauge', 'When the daemon started, since 1970', process.startTimeSeconds),
    single('process_open_fds', 'gauge', 'File descriptors the daemon has open', process.openFds),
    {
      name: 'vetch_event_loop_delay_seconds',
      type: 'gauge',
      help: "How late the daemon's event loop ran since the last scrape",
      samples: [
        { labels: { quantile: '0.5' }, value: process.eventLoopDelay.p50 },
        { labels: { quantile: '0.99' }, value: process.eventLoopDelay.p99 },
        { labels: { quantile: '1' }, value: process.eventLoopDelay.max },
      ],
    },
  ];
}

/** What each of the datapath's counters is called. */
const counterMetrics: Readonly<Record<string, { readonly name: string; readonly help: string }>> = {
  FLOWS_CREATED: { name: 'vetch_flows_created_total', help: 'Flows that began' },
  SNAT_RETRIES: { name: 'vetch_snat_retries_total', help: 'Masquerading ports that were taken when tried' },
  PAIRS_REPAIRED: {
    name: 'vetch_conntrack_pairs_repaired_total',
    help: 'Halves of translated flows that were evicted and made again',
  },
  EVENTS_LOST: { name: 'vetch_flow_events_lost_total', help: 'Flow events that found the ring buffer full' },
  ANSWERED: {
    name: 'vetch_answered_packets_total',
    help: 'ARP, neighbour discovery and ICMP errors that the programs sent themselves',
  },
  AUDITED: {
    name: 'vetch_audited_flows_total',
    help: 'Flows that began though a policy under audit would deny them',
  },
  STRAIGHT_BY_XDP: {
    name: 'vetch_straight_xdp_packets_total',
    help: 'Packets to ports that another host answers for, sent on before the stack',
  },
  SOCKETS_JOINED: { name: 'vetch_sockets_joined_total', help: 'Sockets whose messages may go past the stack' },
  SOCKETS_NOT_JOINED: {
    name: 'vetch_sockets_not_joined_total',
    help: 'Likewise, for which the map joined had no room: they stay on the stack',
  },
  BYPASSED: { name: 'vetch_bypassed_messages_total', help: 'Messages that went from socket to socket' },
  BYPASS_DECLINED: {
    name: 'vetch_bypass_declined_messages_total',
    help: 'Messages of joined sockets that went by the stack',
  },
  FLOODED: {
    name: 'vetch_flooded_packets_total',
    help: 'Broadcast and multicast frames whose copies went to the members of the network',
  },
};

function counterFamilies(counters: Readonly<Record<string, bigint>>): MetricFamily[] {
  return Object.entries(counterMetrics).map(([counter, { name, help }]) =>
    single(name, 'counter', help, counters[counter] ?? 0n),
  );
}

function datapathFamilies({ drops, counters, flows }: MetricsSnapshot): MetricFamily[] {
  const labels = ({ reason }: DropTotal) => ({ reason });
  return [
    {
      name: 'vetch_dropped_packets_total',
      type: 'counter',
      help: 'Packets that the datapath dropped, by reason (docs/drops.md)',
      samples: drops.map((drop) => ({ labels: labels(drop), value: drop.packets })),
    },
    {
      name: 'vetch_dropped_bytes_total',
      type: 'counter',
      help: 'Bytes of those packets',
      samples: drops.map((drop) => ({ labels: labels(drop), value: drop.bytes })),
    },
    ...counterFamilies(counters),
    single('vetch_flow_events_total', 'counter', 'Flow events read since the daemon started', flows.read),
    single('vetch_flow_followers', 'gauge', 'Clients that follow the flows', flows.followers),
    single(
      'vetch_flow_follower_events_lost_total',
      'counter',
      'Flow events that followers were too slow for',
      flows.lostByFollowers,
    ),
  ];
}

function mapFamilies(maps: readonly MapFill[]): MetricFamily[] {
  const counted = maps.flatMap(({ name, entries }) => (entries === null ? [] : { name, entries }));
  return [
    {
      name: 'vetch_map_entries',
      type: 'gauge',
      help: 'Entries of a map; of an array those that are not zero',
      samples: counted.map(({ name, entries }) => ({ labels: { map: name }, value: entries })),
    },
    {
      name: 'vetch_map_capacity',
      type: 'gauge',
      help: 'Entries that a map can hold; of a ring buffer bytes',
      samples: maps.map(({ name, capacity }) => ({ labels: { map: name }, value: capacity })),
    },
    {
      name: 'vetch_map_fill_ratio',
      type: 'gauge',
      help: 'Entries by capacity, 0 to 1, of the maps that can fill up',
      samples: maps.flatMap((map) => {
        const value = fillRatio(map);
        return value === undefined ? [] : { labels: { map: map.name }, value };
      }),
    },
  ];
}

function controlFamilies(snapshot: MetricsSnapshot): MetricFamily[] {
  const { collector } = snapshot;
  return [
    {
      name: 'vetch_build_info',
      type: 'gauge',
      help: 'Always 1',
      samples: [{ labels: { version: snapshot.version, node: snapshot.node }, value: 1 }],
    },
    single('vetch_networks', 'gauge', 'Networks', snapshot.networks),
    single('vetch_endpoints', 'gauge', 'Endpoints', snapshot.endpoints),
    single('vetch_published_ports', 'gauge', 'Published ports', snapshot.ports),
    single('vetch_policies', 'gauge', 'Policy documents', snapshot.policies),
    single('vetch_drift_repairs_total', 'counter', 'Differences that reconcile has repaired', snapshot.drift),
    single('vetch_conntrack_collections_total', 'counter', 'Runs of the conntrack collector', collector.runs),
    single(
      'vetch_conntrack_collection_failures_total',
      'counter',
      'Runs of the conntrack collector that failed',
      collector.failures,
    ),
    single('vetch_conntrack_collected_total', 'counter', 'Conntrack entries that it has deleted', collector.deleted),
    single('vetch_conntrack_collection_seconds', 'gauge', 'How long its last run took', collector.seconds),
  ];
}
