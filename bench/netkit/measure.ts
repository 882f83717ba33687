/**
 * Prints the time of a round trip over veth and over netkit, with programs that do nothing but redirect, as
 * `[{"ends": …, "name": …, "protocol": …, "rounds": [nanoseconds, …]}, …]`. Needs Linux 6.7 with netkit, and root; all that it
 * makes is in namespaces of its own, and goes with it.
 *
 *   node bench/netkit/measure.ts [rounds] [round trips each]
 */
import { openTcp, openUdp, roundTrip } from './talk.ts';
import { cable, containers, outside } from './ways.ts';

const rounds = Number(process.argv[2] ?? 9);
const repeat = Number(process.argv[3] ?? 1000);

const ways = [
  { ends: 'containers', way: cable('veth') },
  { ends: 'containers', way: cable('netkit') },
  { ends: 'containers', way: containers('clsact') },
  { ends: 'containers', way: containers('tcx') },
  { ends: 'containers', way: containers('netkit') },
  { ends: 'outside', way: outside('clsact') },
  { ends: 'outside', way: outside('tcx') },
  { ends: 'outside', way: outside('netkit') },
];
const results = ways.flatMap(({ ends, way }) => {
  return (['udp', 'tcp'] as const).map((protocol) => {
    const sockets = protocol === 'udp' ? openUdp(way) : openTcp(way);
    return { ends, name: way.name, protocol, sockets, rounds: [] as number[] };
  });
});
// Once for the neighbours, TCP's window, and the compiler of what calls.
for (const { sockets } of results) for (let i = 0; i < repeat; i++) roundTrip(sockets);
for (let round = 0; round < rounds; round++) {
  for (const result of results) {
    const start = process.hrtime.bigint();
    for (let i = 0; i < repeat; i++) roundTrip(result.sockets);
    result.rounds.push(Number(process.hrtime.bigint() - start) / repeat);
  }
}
process.stdout.write(`${JSON.stringify(results.map(({ sockets: _, ...result }) => result))}\n`);
