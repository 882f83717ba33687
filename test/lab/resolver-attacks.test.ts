import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Container } from './container.ts';
import type { Host } from './host.ts';
import type { Client } from './lab.ts';
import { dig, type LabResolver } from './resolver.ts';
import { gateways, ResolverLab, soon } from './resolver-lab.ts';

// What the resolver makes of those who mean it harm, and of what no resolver sends.

let lab: ResolverLab;
let host: Host;
let outside: Client;
let resolver: LabResolver;
let shop: Container;
let till: Container;
let spy: Container;

beforeAll(async () => {
  lab = await ResolverLab.create();
  ({ host, outside, resolver, shop, till, spy } = lab);
});
afterAll(() => lab?.[Symbol.asyncDispose]());

test('nobody outside the network is answered, not even under an address of it', async () => {
  await outside.ip(`route add 10.88.0.0/16 via ${host.address4}`, `route add fd00:88::/64 via ${host.address6}`);
  for (const server of gateways)
    for (const way of ['+notcp', '+tcp'])
      expect(await dig(outside, server, way, '+timeout=1', 'A', 'shop'), server).toMatchObject({ status: 'none' });
  // What reaches it, and is of no network: the host under an address of its uplink
  const { foreign = 0, answered } = (await resolver.status()).queries;
  for (const way of ['+notcp', '+tcp'])
    expect(await dig(host, '10.88.0.1', way, '-b', host.address4, '+timeout=1', 'A', 'shop')).toMatchObject({
      status: 'none',
    });
  expect((await resolver.status()).queries.foreign).toBeGreaterThanOrEqual(foreign + 2);
  const spoofed = await host.drops('SPOOFED');
  await outside.ip('address add 10.88.0.77/32 dev eth0');
  expect(await dig(outside, '10.88.0.1', '-b', '10.88.0.77', '+timeout=1', 'A', 'shop')).toMatchObject({
    status: 'none',
  });
  expect((await resolver.status()).queries.answered).toBe(answered);
  expect(await host.drops('SPOOFED')).toBeGreaterThan(spoofed);
  await outside.ip('address del 10.88.0.77/32 dev eth0');
});

test('packets that are no queries are refused or passed over, and harm nothing', async () => {
  const question = '0473686f70000001 0001'.replace(' ', '');
  const packets: [hex: string, reply: string | null][] = [
    ['', null],
    ['0001', null],
    // A response
    [`000180000001000000000000${question}`, null],
    // No question, two, and one that does not end
    ['000101000000000000000000', '0001818100000000'],
    [`000101000002000000000000${question}${question}`, '00018181'],
    ['00010100000100000000000004', '00018181'],
    // A pointer to itself; a label of a kind that there is not; records that are not there
    ['000101000001000000000000c00c00010001', '00018181'],
    ['0001010000010000000000008061610000010001', '00018181'],
    [`000101000001000000000004${question}`, '00018181'],
    [`00010100000100000000ffff${question}`, '00018181'],
    // NOTIFY; class CH; EDNS version 1
    [`000120000001000000000000${question}`, '0001a084'],
    ['0001010000010000000000000473686f700000010003', '00018185'],
    [`000101000001000000000001${question}00002904d00001000000 00`.replaceAll(' ', ''), '00018180'],
    ['00'.repeat(5000), null],
    ['ff'.repeat(600), null],
  ];
  const script = `
import socket, sys
for line in sys.stdin.read().split("\\n"):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(0.4)
    s.sendto(bytes.fromhex(line), ("10.88.0.1", 53))
    try:
        print(s.recv(4096).hex())
    except socket.timeout:
        print("nothing")`;
  const input = packets.map(([hex]) => hex).join('\n');
  const { stdout } = await till.execWith({ input }, 'python3', '-c', script);
  const replies = stdout.trim().split('\n');
  for (const [index, [hex, reply]] of packets.entries()) {
    if (reply === null) expect(replies[index], hex.slice(0, 60)).toMatch(/^nothing$|^[0-9a-f]{7}1[0-9a-f]{16}$/);
    else expect(replies[index]?.slice(0, reply.length), hex).toBe(reply.slice(0, replies[index]?.length));
  }
  // From a link-local address, which is of no network
  const local = `
import socket
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.settimeout(0.4)
mine = next(line.split()[0] for line in open("/proc/net/if_inet6") if line.startswith("fe80"))
s.bind((socket.inet_ntop(socket.AF_INET6, bytes.fromhex(mine)), 0, 0, socket.if_nametoindex("eth0")))
s.sendto(bytes.fromhex("0001010000010000000000000473686f700000010001"), ("fd00:88::1", 53))
try:
    print(s.recv(4096).hex())
except socket.timeout:
    print("nothing")`;
  expect(await till.must('python3', '-c', local)).toBe('nothing\n');
  // From port 0, to which nothing can be sent
  const { malformed = 0 } = (await resolver.status()).queries;
  const portless = `
import socket
query = bytes.fromhex("0001010000010000000000000473686f700000010001")
datagram = bytes([0, 0, 0, 53, 0, 8 + len(query), 0, 0]) + query
socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP).sendto(datagram, ("10.88.0.1", 0))
s = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_UDP)
s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_CHECKSUM, 6)
s.sendto(datagram, ("fd00:88::1", 0))`;
  await till.must('python3', '-c', portless);
  await expect.poll(async () => (await resolver.status()).queries.malformed, soon).toBe(malformed + 2);
  // By TCP: a length without its packet, one that is too large, and noise
  await till.must(
    ...['python3', '-c'],
    `import socket, os
held = []
for data in [b"\\x00\\x20abc", b"\\xff\\xff" + b"x" * 70000, os.urandom(3000), b"\\x00\\x00"] * 8:
    s = socket.create_connection(("10.88.0.1", 53))
    try:
        s.sendall(data)
    except OSError:
        pass
    held.append(s)`,
  );
  expect(await dig(till, '10.88.0.1', 'A', 'shop')).toMatchObject({ data: ['10.88.0.2'] });
  expect((await resolver.status()).queries.malformed).toBeGreaterThan(10);
});

test('a container that floods it takes neither its sockets nor the answers of others', async () => {
  const flood = till.spawn(
    ...['python3', '-c'],
    `import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
end = time.time() + 6
print("ready", flush=True)
n = 0
while time.time() < end:
    n += 1
    s.sendto(n.to_bytes(4, "big")[2:] + b"\\x01\\0\\0\\1\\0\\0\\0\\0\\0\\0\\6silent\\7example\\3org\\0\\0\\1\\0\\1", ("10.88.0.1", 53))
    if n % 20 == 0:
        time.sleep(0.001)`,
  );
  await flood.until(/ready/);
  let sockets = 0;
  const waited: number[] = [];
  while (flood.running) {
    const begun = performance.now();
    expect(await dig(shop, '10.88.0.1', '+tries=3', '+timeout=2', 'A', 'till')).toMatchObject({ data: ['10.88.0.3'] });
    expect(await dig(spy, '10.89.0.1', '+tries=3', '+timeout=2', 'A', 'c.example.org')).toMatchObject({
      data: ['192.0.2.7'],
    });
    waited.push(performance.now() - begun);
    sockets = Math.max(sockets, readdirSync(`/proc/${resolver.process.pid}/fd`).length);
  }
  const { queries } = await resolver.status();
  expect(queries.overload).toBeGreaterThan(1000);
  expect(sockets).toBeLessThan(64 + 100);
  expect(waited.length).toBeGreaterThan(1);
  await expect.poll(async () => (await resolver.status()).queries.forwarding, soon).toBe(0);
});
