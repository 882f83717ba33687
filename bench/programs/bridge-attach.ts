/**
 * What the kernel alone takes to attach a container to one of its bridges, which has so many ports: a cable into a new
 * network namespace, addresses and routes of both families there, all of it up. No process is started, and nothing is stored.
 *
 *   sudo node bench/programs/bridge-attach.ts PRESENT MEASURED     prints [milliseconds, …]
 */
import { performance } from 'node:perf_hooks';
import { Netlink } from '../../src/netlink/netlink.ts';
import { createNetns, type Netns } from '../../src/netlink/netns.ts';
import * as request from '../../src/netlink/requests.ts';

const [present, measured] = process.argv.slice(2).map(Number);

using host = createNetns();
using inHost = Netlink.open(host);
const bridge = inHost.createLink({ name: 'bridge', kind: 'bridge', up: true });
inHost.addAddress(bridge, '10.88.0.1/16');

function attach(name: string, box: Netns, inside: string): void {
  const { index, peerIndex } = inHost.createVeth({ name, peer: { name: inside, netns: box } });
  using inBox = Netlink.open(box);
  inBox.batch([
    request.setLink('lo', { up: true }),
    request.addAddress(peerIndex, '10.88.0.2/16'),
    request.addAddress(peerIndex, 'fd00:88::2/64', { noDad: true }),
    request.setLink(peerIndex, { up: true }),
    request.replaceRoute({ destination: '0.0.0.0/0', gateway: '10.88.0.1', ifindex: peerIndex }),
    request.replaceRoute({ destination: '::/0', gateway: 'fd00:88::1', ifindex: peerIndex }),
  ]);
  inHost.batch([request.setLink(index, { master: bridge }), request.setLink(index, { up: true })]);
}

const perBox = 10;
const boxes: Netns[] = [];
for (let index = 0; index < Number(present); index++) {
  if (index % perBox === 0) boxes.push(createNetns());
  const box = boxes.at(-1);
  if (box) attach(`port${index}`, box, `eth${index % perBox}`);
}
const times: number[] = [];
for (let index = 0; index < Number(measured); index++) {
  using box = createNetns();
  const start = performance.now();
  attach('measured', box, 'eth0');
  times.push(performance.now() - start);
  inHost.deleteLink('measured');
}
for (const box of boxes) box[Symbol.dispose]();
process.stdout.write(`${JSON.stringify(times)}\n`);
