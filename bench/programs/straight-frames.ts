/**
 * Times what `xdp_uplink` does with packets to a port that another host answers for: a host in a namespace of this
 * process's own sends them on, into the tunnel and out of its uplink, whose far end drops them, all on one core. The uplink is
 * a veth, which the control plane would leave to the stack.
 *
 *   sudo node bench/programs/straight-frames.ts FLOWS SECONDS
 *
 * Prints {"frames": N, "seconds": S}: those that have left.
 */
import { ifNameToIndex } from '../../src/loader/ffi/libc.ts';
import { attachXdp } from '../../src/loader/link/xdp.ts';
import { Counter } from '../../src/maps/generated/abi.ts';
import { parseAddress } from '../../src/model/address.ts';
import { withNetns } from '../../src/netlink/netns.ts';
import { createFabric, enterMounts } from '../../test/kernel/overlay/three-hosts.ts';
import { TunnelHost } from '../../test/kernel/overlay/tunnel-host.ts';
import { LiveFrames } from '../tools/live-frames.ts';

const [flows, seconds] = process.argv.slice(2).map(Number);
const [client, entry, port, node] = ['198.51.100.77', '198.51.100.3', 8053, '192.0.2.1'];

enterMounts();
using fabric = createFabric();
await using near = TunnelHost.create('near', node, fabric);
await using asked = TunnelHost.create('third', '192.0.2.3', fabric);
asked.joinUplink();
asked.addNode(1, near, ['x']);
asked.addAddress(`${entry}/24`);
asked.ip(
  `neighbour replace ${node} lladdr ${near.link('uplink0').address} dev uplink0 nud permanent`,
  `neighbour replace ${client} lladdr 02:00:00:00:00:77 dev uplink0 nud permanent`,
);
asked.publish('x', 17, port, 53, { straight: true });
asked.maps.nodeAddrs.set(parseAddress(entry), 0);
using frames = new LiveFrames({
  ...{ source: '02:00:00:00:00:77', destination: asked.link('uplink0').address },
  ...{ from: client, to: entry, port, flows: flows ?? 1 },
});
using _sink = withNetns(fabric, () =>
  attachXdp({ program: frames.sink, ifindex: ifNameToIndex('third'), mode: 'native' }),
);
const program = asked.sendBeforeStack();
const sentOn = () =>
  (asked.maps.counters.get(Counter.STRAIGHT_BY_XDP) ?? []).reduce((sum, count) => sum + Number(count), 0);
// The flows begin: from_uplink sees their first packets.
withNetns(asked.netns, () => frames.run('uplink0', 0));
const before = sentOn();
const made = withNetns(asked.netns, () => frames.run('uplink0', seconds ?? 0.6, program));
const left = sentOn() - before;
if (left < made.frames * 0.9) throw new Error(`of ${made.frames} frames ${left} were sent on`);
process.stdout.write(`${JSON.stringify({ ...made, frames: left })}\n`);
