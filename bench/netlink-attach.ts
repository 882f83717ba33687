/**
 * How long the devices of one attach take by each way to speak rtnetlink: a veth pair with its peer in a sandbox, the
 * sandbox's addresses and default routes of both families, clsact with the shared block, and all of it up. Each
 * sandbox is a new network namespace, made before the clock starts.
 *
 *   sudo node bench/netlink-attach.ts [repeats, default 200]
 */
import { execFileSync } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import { Netlink } from '../src/netlink/netlink.ts';
import { createNetns, type Netns, withNetns } from '../src/netlink/netns.ts';
import * as request from '../src/netlink/requests.ts';
import { writeSysctls } from '../src/netlink/sysctl.ts';

const repeats = Number(process.argv[2] ?? 200);
const block = 30309;

interface Attach {
  readonly host: Netns;
  readonly inHost: Netlink;
  readonly box: Netns;
  readonly name: string;
}

/** Each step by its name, so that what is slow can be told. */
type Steps = Map<string, number[]>;

function timed<T>(steps: Steps, step: string, work: () => T): T {
  const start = performance.now();
  const result = work();
  const times = steps.get(step) ?? [];
  times.push(performance.now() - start);
  steps.set(step, times);
  return result;
}

function inProcess({ host, inHost, box, name }: Attach, steps: Steps): void {
  const { index, peerIndex } = timed(steps, 'create veth, peer in the sandbox', () =>
    inHost.createVeth({ name, mac: mac(1), mtu: 1500, peer: { name: 'tmp0', mac: mac(2), mtu: 1500, netns: box } }),
  );
  timed(steps, 'addresses, routes, rename, up: one send in the sandbox', () => {
    using inBox = Netlink.open(box);
    inBox.batch([
      request.setLink('lo', { up: true }),
      request.setLink(peerIndex, { name: 'eth0' }),
      request.addAddress(peerIndex, '10.88.0.2/16'),
      request.addAddress(peerIndex, 'fd00:88::2/64', { noDad: true }),
      request.setLink(peerIndex, { up: true }),
      request.addRoute({ destination: '0.0.0.0/0', gateway: '10.88.0.1', ifindex: peerIndex }),
      request.addRoute({ destination: '::/0', gateway: 'fd00:88::1', ifindex: peerIndex }),
    ]);
  });
  timed(steps, 'clsact with the shared block', () => inHost.addClsact(index, { ingressBlock: block }));
  timed(steps, 'four sysctls of the host end', () =>
    writeSysctls(host, [
      { path: `net/ipv6/conf/${name}/disable_ipv6`, value: '1' },
      { path: `net/ipv6/conf/${name}/accept_ra`, value: '0' },
      { path: `net/ipv6/conf/${name}/forwarding`, value: '0' },
      { path: `net/ipv4/conf/${name}/forwarding`, value: '0' },
    ]),
  );
  timed(steps, 'host end up, route', () =>
    inHost.batch([
      request.setLink(index, { up: true }),
      request.replaceRoute({ destination: '10.88.0.2/32', ifindex: index }),
    ]),
  );
}

const ofHost = (name: string, pid: number) => [
  `link add ${name} address ${mac(1)} mtu 1500 type veth peer name eth0 address ${mac(2)} mtu 1500 netns ${pid}`,
];
const ofBox = [
  'link set lo up',
  'address add 10.88.0.2/16 dev eth0',
  'address add fd00:88::2/64 dev eth0 nodad',
  'link set eth0 up',
  'route add default via 10.88.0.1 dev eth0',
  'route add default via fd00:88::1 dev eth0',
];
const ofHostUp = (name: string) => [`link set ${name} up`, `route replace 10.88.0.2/32 dev ${name}`];
const clsact = (name: string) => `qdisc add dev ${name} ingress_block ${block} clsact`;

/** One process an operation. The sandbox has a process of its own to be named by, started before the clock. */
function spawned({ host, box, name }: Attach, pid: number): void {
  const ip = (line: string) => execFileSync('ip', line.split(' '), { stdio: ['ignore', 'ignore', 'inherit'] });
  withNetns(host, () => {
    for (const line of ofHost(name, pid)) ip(line);
  });
  withNetns(box, () => {
    for (const line of ofBox) ip(line);
  });
  withNetns(host, () => {
    execFileSync('tc', clsact(name).split(' '));
    for (const line of ofHostUp(name)) ip(line);
  });
}

/** Four processes: `ip -batch` for each namespace and turn, and `tc`. */
function batched({ host, box, name }: Attach, pid: number): void {
  const ip = (lines: readonly string[]) =>
    execFileSync('ip', ['-batch', '-'], { input: lines.join('\n'), stdio: ['pipe', 'ignore', 'inherit'] });
  withNetns(host, () => ip(ofHost(name, pid)));
  withNetns(box, () => ip(ofBox));
  withNetns(host, () => {
    execFileSync('tc', clsact(name).split(' '));
    ip(ofHostUp(name));
  });
}

function mac(number: number): string {
  return `02:00:00:00:00:0${number}`;
}

/** @returns milliseconds, sorted */
function measure(count: number, attach: (attach: Attach, i: number) => void): number[] {
  using host = createNetns();
  using inHost = Netlink.open(host);
  // Keeps the block while there is no endpoint.
  const { index } = inHost.createVeth({ name: 'keep', peer: { name: 'keep1' } });
  inHost.addClsact(index, { ingressBlock: block });
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    using box = createNetns();
    const start = performance.now();
    attach({ host, inHost, box, name: `vt${i}` }, i);
    times.push(performance.now() - start);
    inHost.deleteLink(`vt${i}`);
  }
  return times.sort((a, b) => a - b);
}

function report(what: string, times: readonly number[]): void {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number) => (sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(3).padStart(9);
  console.log(`${what.padEnd(60)} median ${at(0.5)} ms   p95 ${at(0.95)} ms   n ${sorted.length}`);
}

/** A process in a namespace, for `ip` to name it by. */
function withProcess(box: Netns, work: (pid: number) => void): void {
  const pid = withNetns(box, () =>
    Number(execFileSync('sh', ['-c', 'sleep 30 >/dev/null 2>&1 & echo $!'], { encoding: 'utf8' })),
  );
  try {
    work(pid);
  } finally {
    process.kill(pid);
  }
}

function measureSpawned(count: number, attach: (attach: Attach, pid: number) => void): number[] {
  const times: number[] = [];
  measure(count, (one) =>
    withProcess(one.box, (pid) => {
      const start = performance.now();
      attach(one, pid);
      times.push(performance.now() - start);
    }),
  );
  return times;
}

const steps: Steps = new Map();
measure(10, (attach) => inProcess(attach, new Map()));
report(
  'in-process, one socket, batches',
  measure(repeats, (attach) => inProcess(attach, steps)),
);
for (const [step, times] of steps) report(`  ${step}`, times);
const fewer = Math.min(repeats, 40);
report('ip -batch and tc: 4 processes', measureSpawned(fewer, batched));
report('ip and tc: 10 processes', measureSpawned(fewer, spawned));
