import type { ReportedRow } from '../report/document.ts';
import { type Source, seriesOf } from './series.ts';
import type { Chart } from './svg.ts';

interface Drawing extends Omit<Chart, 'series'> {
  /** Below docs/charts, without its ending. */
  readonly file: string;
  readonly sources: readonly Source[];
}

const mapAlone = 'one operation on a map alone';

const established = (label: string, between: string): Source => ({ label, row: 8, name: [`${between}: `, ' flows'] });

/** What grows, and what it costs. */
const drawings: readonly Drawing[] = [
  {
    file: 'policies-round-trip',
    title: 'Round trip by policies',
    counted: 'policies, or rules that a packet passes',
    unit: 'µs, TCP, client and server on one core',
    sources: [
      { label: 'Vetch: container to container, policies', row: 7, name: ['TCP round trip: ', ' policies'] },
      {
        label: 'iptables (nft): routed, rules in FORWARD',
        row: 7,
        name: ['TCP round trip: ', ' policies'],
        peer: 'iptables rules',
      },
    ],
  },
  {
    file: 'policies-new-flow',
    title: 'A new flow that policy judges, by entries of policy',
    counted: 'entries',
    unit: 'ns for its first packet, conntrack full',
    sources: [
      { label: 'Vetch: by who it is', row: 8, name: ['new flow that policy judges: ', ' pairs'] },
      {
        label: 'Vetch: by who it is and its port',
        row: 8,
        name: ['new flow that policy judges by its port: ', ' entries of ports'],
      },
      {
        label: 'Vetch: by address block, and masqueraded',
        row: 8,
        name: ['new masqueraded flow that policy judges: ', ' address blocks'],
      },
      {
        label: 'one insert into an LRU map alone, which none can do without',
        row: 8,
        name: ['new flow that policy judges: ', ' pairs'],
        peer: mapAlone,
      },
    ],
  },
  {
    file: 'ports',
    title: 'Connections to a published port, by published ports',
    counted: 'published ports, or DNAT rules',
    unit: 'TCP connections a second, client and server on one core',
    sources: [
      { label: 'Vetch', row: 4, name: ['connections a second to a published port: ', ' ports'] },
      {
        label: 'iptables (nft): one DNAT rule a port',
        row: 4,
        name: ['connections a second to a published port: ', ' ports'],
        peer: 'iptables DNAT rules',
      },
    ],
  },
  {
    file: 'endpoints-attach',
    title: 'Attach an endpoint, by endpoints that are there',
    counted: 'endpoints of the host',
    unit: 'ms, over the API',
    sources: [
      { label: 'Vetch', row: 12, name: ['attach an endpoint with ', ' present'] },
      {
        label: "the kernel's bridge alone, by netlink; it takes 1,023 ports",
        row: 12,
        name: ['attach an endpoint with ', ' present'],
        peer: "the kernel's bridge alone",
      },
    ],
  },
  {
    file: 'endpoints-memory',
    title: "The daemon's memory, by endpoints",
    counted: 'endpoints of the host',
    unit: 'MB resident',
    sources: [{ label: 'Vetch', row: 13, name: ["daemon's resident memory, with ", ' endpoints'] }],
  },
  {
    file: 'flows',
    title: 'A packet of an established flow, by flows',
    counted: 'flows, each in turn',
    unit: 'ns a packet',
    sources: [
      established('Vetch: container to container', 'established, container to container'),
      established('Vetch: outside to a published port', 'established, outside to a published port'),
      established('Vetch: host to container', 'established, host to container'),
      {
        label: 'one lookup in a map alone, which none can do without',
        row: 8,
        name: ['established, container to container: ', ' flows'],
        peer: mapAlone,
      },
    ],
  },
];

/** What can be drawn of what was measured: lines have at least two points. */
export function charts(rows: readonly ReportedRow[]): { readonly file: string; readonly chart: Chart }[] {
  return drawings.flatMap(({ file, sources, ...rest }) => {
    const series = sources.map((source) => seriesOf(rows, source)).filter(({ points }) => points.length > 1);
    return series.length > 0 ? [{ file, chart: { ...rest, series } }] : [];
  });
}
