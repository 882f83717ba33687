/**
 * Times how many flow events a second are read from the kernel's ring buffer into the history and tested by a filter, in
 * namespaces of this process's own; prints `{"read": [events a second, …], "filtered": [events a second, …]}`.
 *
 *   sudo node bench/programs/flow-events.ts
 */
import { ConfigFlag } from '../../src/maps/generated/abi.ts';
import { RingBuffer } from '../../src/maps/ring-buffer.ts';
import { compileFilter } from '../../src/observe/flows/filter.ts';
import { FlowHistory } from '../../src/observe/flows/history.ts';
import { recordSize, recordsIn } from '../../src/observe/flows/record.ts';
import { flowQuery, plainNames } from '../../src/observe/flows/testing.ts';
import { tcp } from '../../test/kernel/packet/build.ts';
import { viaGateway } from '../../test/kernel/tables/say.ts';
import { endpoints } from '../../test/kernel/world/plan.ts';
import { World } from '../../test/kernel/world/world.ts';

const runs = 31;
/** A ring of 4 MiB has room for a few more. */
const events = 40_000;

using world = World.create({});
const { config } = world;
world.maps.config.set(0, { ...config, flags: ConfigFlag.EVENTS_DROPPED | ConfigFlag.EVENTS_FORWARDED });
using ring = RingBuffer.open(world.maps.flowEvents.fd);
const history = new FlowHistory();
// Nobody has the address: each is dropped, and told of.
const packet = viaGateway('a', '10.88.0.200', 4, tcp({ source: 1024, destination: 80, flags: 'S' }));
// What an operator asks for: drops of some reasons, from a subnet, to a port, but not by one protocol.
const matches = compileFilter(
  flowQuery({
    include: { verdict: ['DROPPED'], reason: ['NO_ENDPOINT'], from: ['10.88.0.0/16'], port: [80] },
    exclude: { protocol: ['udp'] },
  }),
  plainNames,
);

const results: Record<'read' | 'filtered', number[]> = { read: [], filtered: [] };
for (let run = 0; run < runs; run++) {
  world.run('from_endpoint', packet, { device: endpoints.a.device, repeat: events });
  const begun = performance.now();
  let seen: Uint8Array | undefined;
  let words: Int32Array = new Int32Array(0);
  const read = ring.consume((bytes, offset, length) => {
    if (length !== recordSize) throw new Error(`a record of ${length} bytes`);
    if (bytes !== seen) {
      seen = bytes;
      words = recordsIn(bytes).words;
    }
    history.append(words, offset >> 2);
  });
  const consumed = performance.now();
  let found = 0;
  for (let event = history.end - read; event < history.end; event++) {
    if (matches(history.records, history.offsetOf(event))) found++;
  }
  const done = performance.now();
  if (read < events || found < events) throw new Error(`${events} events were told, ${read} read, ${found} matched`);
  results.read.push((read * 1000) / (consumed - begun));
  results.filtered.push((read * 1000) / (done - begun));
}
process.stdout.write(JSON.stringify(results));
