/**
 * One operation and one long list by each way to speak rtnetlink, side by side: our codec, libnl-3 through koffi,
 * `ip -batch` and `ip`. libnl is measured only where libnl-route-3-200 is installed.
 *
 *   sudo node bench/netlink-operations.ts
 */
import { execFileSync } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import koffi from 'koffi';
import { Netlink } from '../src/netlink/netlink.ts';
import { createNetns, withNetns } from '../src/netlink/netns.ts';
import * as request from '../src/netlink/requests.ts';

const cidr = '10.1.0.1/32';
const routeCount = 10_000;

function report(what: string, repeats: number, warmUp: number, work: () => void): void {
  for (let i = 0; i < warmUp; i++) work();
  const times = Array.from({ length: repeats }, () => {
    const start = performance.now();
    work();
    return performance.now() - start;
  }).sort((a, b) => a - b);
  const at = (share: number) => (times[Math.floor(share * (times.length - 1))] ?? 0).toFixed(3).padStart(9);
  console.log(`${what.padEnd(44)} median ${at(0.5)} ms   p95 ${at(0.95)} ms   n ${repeats}, after ${warmUp}`);
}

using host = createNetns();
using netlink = Netlink.open(host);
const index = netlink.createLink({ kind: 'bridge', name: 'br0', up: true });

/** Adds and deletes an address, as a C program would. undefined: libnl is not here. */
function libnl(): (() => void) | undefined {
  let core: ReturnType<typeof koffi.load>;
  let route: ReturnType<typeof koffi.load>;
  try {
    core = koffi.load('libnl-3.so.200');
    route = koffi.load('libnl-route-3.so.200');
  } catch {
    return undefined;
  }
  const c = {
    socketAlloc: core.func('uintptr_t nl_socket_alloc()'),
    connect: core.func('int nl_connect(uintptr_t sk, int protocol)'),
    parse: core.func('int nl_addr_parse(const char *text, int hint, _Out_ uintptr_t *result)'),
    addrPut: core.func('void nl_addr_put(uintptr_t addr)'),
    alloc: route.func('uintptr_t rtnl_addr_alloc()'),
    setIfindex: route.func('void rtnl_addr_set_ifindex(uintptr_t addr, int ifindex)'),
    setLocal: route.func('int rtnl_addr_set_local(uintptr_t addr, uintptr_t local)'),
    add: route.func('int rtnl_addr_add(uintptr_t sk, uintptr_t addr, int flags)'),
    delete: route.func('int rtnl_addr_delete(uintptr_t sk, uintptr_t addr, int flags)'),
    put: route.func('void rtnl_addr_put(uintptr_t addr)'),
  };
  const socket = withNetns(host, () => {
    const made = c.socketAlloc();
    if (c.connect(made, 0) < 0) throw new Error('libnl cannot connect');
    return made;
  });
  const CREATE_AND_EXCL = 0x600;
  const step = (change: (socket: unknown, address: unknown, flags: number) => number, flags: number) => {
    const local = [0n];
    c.parse(cidr, 0, local);
    const address = c.alloc();
    c.setIfindex(address, index);
    c.setLocal(address, local[0]);
    if (change(socket, address, flags) < 0) throw new Error('libnl was refused');
    c.put(address);
    c.addrPut(local[0]);
  };
  return () => {
    step(c.add, CREATE_AND_EXCL);
    step(c.delete, 0);
  };
}

console.log('add and delete an address');
report('  own codec', 1000, 200, () => {
  netlink.addAddress(index, cidr);
  netlink.deleteAddress(index, cidr);
});
report('  own codec, one send', 1000, 200, () =>
  netlink.batch([request.addAddress(index, cidr), request.deleteAddress(index, cidr)]),
);
const byLibnl = libnl();
if (byLibnl) report('  libnl-3 through koffi', 1000, 200, byLibnl);
const ip = (args: readonly string[], input?: string) =>
  execFileSync('ip', args, { encoding: 'utf8', maxBuffer: 1 << 28, ...(input === undefined ? {} : { input }) });
withNetns(host, () => {
  report('  ip -batch: one process', 40, 3, () =>
    ip(['-batch', '-'], `address add ${cidr} dev br0\naddress del ${cidr} dev br0\n`),
  );
  report('  ip: two processes', 40, 3, () => {
    ip(['address', 'add', cidr, 'dev', 'br0']);
    ip(['address', 'del', cidr, 'dev', 'br0']);
  });
});

console.log(`read ${routeCount} routes`);
netlink.batch(
  Array.from({ length: routeCount }, (_, i) =>
    request.addRoute({ destination: `10.100.${i >> 8}.${i & 255}/32`, ifindex: index }),
  ),
);
for (const warmUp of [0, 20]) report('  own codec', 20, warmUp, () => netlink.routes({ family: 4 }));
withNetns(host, () => {
  for (const warmUp of [0, 20]) report('  ip -j, parsed', 20, warmUp, () => JSON.parse(ip(['-j', '-4', 'route'])));
});

console.log('where the peer of a veth pair is made');
using box = createNetns();
using inBox = Netlink.open(box);
const variants: Readonly<Record<string, (name: string) => void>> = {
  'in its namespace': (name) => {
    netlink.createVeth({ name, mac: '02:00:00:00:00:01', peer: { name: 'eth0', netns: box } });
  },
  'in its namespace, renamed': (name) => {
    const { peerIndex } = netlink.createVeth({ name, mac: '02:00:00:00:00:01', peer: { name: 'tmp0', netns: box } });
    inBox.setLink(peerIndex, { name: 'eth0' });
  },
  'here, moved': (name) => {
    netlink.createVeth({ name, mac: '02:00:00:00:00:01', peer: { name: 'tmp0' } });
    netlink.setLink('tmp0', { netns: box });
  },
};
for (const [what, make] of Object.entries(variants)) {
  const times: number[] = [];
  for (let i = 0; i < 100; i++) {
    const start = performance.now();
    make('v0');
    times.push(performance.now() - start);
    netlink.deleteLink('v0');
  }
  times.sort((a, b) => a - b);
  console.log(`  ${what.padEnd(42)} median ${(times[50] ?? 0).toFixed(3).padStart(9)} ms   n 100`);
}
