import type { Chart } from '../charts/svg.ts';
import { allowedMove } from '../measure/rounds.ts';
import type { Report, ReportedRow } from './document.ts';
import { pending } from './goals.ts';

const method = `## Method

- Everything runs in network namespaces that the run makes and removes: a lab host with the real daemon, its containers, a machine
  outside, and the peers. The datapath is the whole one: anti-spoofing, conntrack, accounting, counters and flow events on.
- The subjects take turns in random order, at least 9 rounds. A figure is the median of the ratios within the rounds, with the least
  and the greatest in brackets. A round whose bare-veth control is more than ${allowedMove * 100}% from the control's median is dropped, and counted.
- Round trips: sockperf, TCP ping-pong of 14 bytes, the median of a second; client and server on the same CPU. Connections a second:
  connect, a byte there, a byte back, the server closes; on the same CPU. Bulk: iperf3, one TCP stream, 1.5 s; the ends on two CPUs.
- "Docker-like" is a kernel bridge with the rules, NAT and bridge netfilter that Docker sets up, in nftables: not a Docker engine.
- "iptables" is Debian's, whose rules nftables keeps: so many of them in the FORWARD or PREROUTING chain of a router between two namespaces.
- 64-byte frames: an XDP program has the uplink receive them (live frames of \`BPF_PROG_TEST_RUN\`), and a program at the container's
  device counts and drops them; all of that on one CPU, and in every figure.
- ns a packet: \`BPF_PROG_TEST_RUN\`, 15 runs; a program in front of ours writes the next flow's headers into the frame before each
  packet, and what it costs alone is taken off.
- An absolute figure of a shared virtual machine means little; the ratio within a run means much.

\`sudo make bench\` measures all of it again, \`sudo make bench ROW=1\` one row.
`;

/** docs/benchmarks.md, with the charts that were drawn. */
export function markdown(report: Report, charts: readonly { readonly file: string; readonly chart: Chart }[]): string {
  const { machine, kernel, versions, date, rows } = report;
  const told = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return `# Benchmarks

Written by \`make bench\`; \`benchmarks.json\` has the same for programs.

- Machine: ${machine}, shared with other work
- Kernel: ${kernel}
- Versions: ${told.join(', ')}
- Newest row measured: ${date}

| row | figure | Vetch (range) | peers | goal | holds |
|---|---|---|---|---|---|
${rows.map(line).join('\n')}

A row holds when all of its figures reach their goals.

## What grows

Ours beside the peers', both axes logarithmic; a thin line is the range, cut where the chart ends. Drawn from the table's figures by
\`make bench\`, and by \`make charts\` without measuring.

${charts.map(image).join('\n\n')}

## Notes

${rows.map(note).join('\n')}

## Not measured yet

| row | figure | goal |
|---|---|---|
${pending
  .filter(([row]) => !rows.some((one) => one.row === row))
  .map(([row, name, goal]) => `| ${row} | ${name} | ${goal} |`)
  .join('\n')}

${method}`;
}

function line({ row, name, unit, vetch, spread, peers, goal, holds }: ReportedRow): string {
  const others = Object.entries(peers).map(([who, value]) => `${who} ${value}`);
  const range = spread.length > 0 ? ` (${spread.join(' to ')})` : '';
  return `| ${row} | ${name} | **${vetch}** ${unit}${range} | ${others.join(', ') || '–'} | ${goal} | ${holds ? 'yes' : 'no'} |`;
}

function image({ file, chart }: { readonly file: string; readonly chart: Chart }): string {
  return `![${chart.title}: ${chart.unit}](charts/${file}.svg)`;
}

function note({ row, name, note, date }: ReportedRow): string {
  return `- Row ${row}, ${name}: ${note}. Measured ${date}.`;
}
