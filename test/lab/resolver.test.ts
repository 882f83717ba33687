import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Container } from './container.ts';
import type { Host } from './host.ts';
import { type Client, Lab } from './lab.ts';
import { type Background, slowness } from './process.ts';
import { dig, LabResolver } from './resolver.ts';

// The resolver on a host's gateways, with real containers, a real upstream, and those who mean it harm.

const programs = new URL('./programs/', import.meta.url).pathname;
const gateways = ['10.88.0.1', 'fd00:88::1'];

let lab: Lab;
let host: Host;
let outside: Client;
let resolver: LabResolver;
let upstream: Background;
let shop: Container;
let till: Container;
let spy: Container;
let safe: Container;

const asked = (name: string) => upstream.output.split('\n').filter((line) => line.startsWith(`asked ${name} `));
const soon = { timeout: 10_000 * slowness };

beforeAll(async () => {
  lab = await Lab.create({ start: false, clients: ['outside', 'broken'] });
  host = lab.host();
  outside = lab.client('outside');
  await host.start('--resolver', '/run/vetch-resolver');
  upstream = outside.spawn('python3', `${programs}upstream.py`, outside.address4, '192.0.2.7');
  await upstream.until(/ready/);
  resolver = new LabResolver(host, '--upstream', lab.client('broken').address4, '--upstream', outside.address4);
  await resolver.start();
  await host.vetch('network', 'create', 'web', '--subnet', '10.88.0.0/16', '--subnet', 'fd00:88::/64');
  await host.vetch('network', 'create', 'other', '--subnet', '10.89.0.0/16', '--subnet', 'fd00:89::/64');
  const internal = ['--internal', '--subnet', '10.90.0.0/16', '--subnet', 'fd00:90::/64'];
  await host.vetch('network', 'create', 'vault', ...internal);
  [shop] = await host.attach('web', 'shop');
  [till] = await host.attach('web', 'till');
  [spy] = await host.attach('other', 'spy');
  [safe] = await host.attach('vault', 'safe');
  await resolver.process.until(/(answers on[\s\S]*){6}/);
});
afterAll(() => lab?.[Symbol.asyncDispose]());

test('a container finds the others of its network, by name, by name and network, and by address', async () => {
  for (const server of gateways) {
    for (const way of ['+notcp', '+tcp']) {
      for (const name of ['shop', 'shop.web', 'SHOP', 'Shop.Web.']) {
        const answer = await dig(till, server, way, 'A', name);
        expect(answer, `${server} ${way} ${name}`).toMatchObject({ status: 'NOERROR', data: ['10.88.0.2'] });
        expect(answer.flags).toEqual(expect.arrayContaining(['qr', 'aa', 'rd', 'ra']));
      }
      expect(await dig(till, server, way, 'AAAA', 'shop')).toMatchObject({ data: ['fd00:88::2'] });
      for (const address of ['10.88.0.2', 'fd00:88::2'])
        expect(await dig(till, server, way, '-x', address), address).toMatchObject({ data: ['shop.web.'] });
    }
  }
});

test('programs find names by the resolv.conf that `ip netns exec` gives them', async () => {
  // The machine's own /etc stays as it is
  await host.must(
    ...['sh', '-ec'],
    `mkdir /run/etc /run/work
     mount -t overlay overlay -o lowerdir=/etc,upperdir=/run/etc,workdir=/run/work /etc
     mkdir -p /etc/netns/till
     printf 'nameserver 10.88.0.1\\nnameserver fd00:88::1\\n' > /etc/netns/till/resolv.conf`,
  );
  const getent = (...args: string[]) => host.must('ip', 'netns', 'exec', 'till', 'getent', ...args);
  expect(await getent('ahostsv4', 'shop')).toContain('10.88.0.2');
  expect(await getent('ahostsv6', 'shop.web')).toContain('fd00:88::2');
  expect(await getent('hosts', '10.88.0.2')).toContain('shop.web');
  expect(await getent('ahostsv4', 'www.example.org')).toContain('192.0.2.7');
});

test('what is not there is denied, and what has no such record has none', async () => {
  expect(await dig(till, '10.88.0.1', 'A', 'nobody')).toMatchObject({ status: 'NXDOMAIN', data: [] });
  expect(await dig(till, '10.88.0.1', '-x', '10.88.7.7')).toMatchObject({ status: 'NXDOMAIN', data: [] });
  expect(await dig(till, '10.88.0.1', 'MX', 'shop')).toMatchObject({ status: 'NOERROR', data: [] });
  expect(upstream.output).not.toMatch(/asked (nobody|shop|7\.7\.88\.10)/);
});

test('names of another network are not told, and its gateway does not answer', async () => {
  expect(await dig(spy, '10.89.0.1', 'A', 'shop')).toMatchObject({ status: 'NXDOMAIN' });
  expect(await dig(spy, '10.89.0.1', '-x', '10.88.0.2')).toMatchObject({ data: [] });
  const { ISOLATED: before = 0 } = (await host.status()).drops;
  for (const way of ['+notcp', '+tcp'])
    expect(await dig(spy, '10.88.0.1', way, '+timeout=1', 'A', 'shop'), way).toMatchObject({ status: 'none' });
  expect(await host.drops('ISOLATED')).toBeGreaterThan(before);
});

test('a container on two networks finds the names of both, at either gateway', async () => {
  const [both] = await host.attach('web', 'both');
  await host.vetch('endpoint', 'attach', 'other', '--netns', both.netns, '--name', 'both');
  await expect.poll(() => dig(both, '10.88.0.1', 'A', 'spy'), soon).toMatchObject({ data: ['10.89.0.2'] });
  expect(await dig(both, '10.88.0.1', 'A', 'shop')).toMatchObject({ data: ['10.88.0.2'] });
  expect(await dig(both, '10.89.0.1', 'A', 'shop')).toMatchObject({ data: ['10.88.0.2'] });
  expect(await dig(both, '10.88.0.1', 'A', 'both')).toMatchObject({ data: ['10.88.0.4'] });
  expect(await dig(both, '10.89.0.1', 'A', 'both')).toMatchObject({ data: ['10.89.0.3'] });
  await host.vetch('endpoint', 'detach', 'web/both', 'other/both');
  await host.destroy(both);
  await expect.poll(() => dig(till, '10.88.0.1', 'A', 'both'), soon).toMatchObject({ status: 'NXDOMAIN' });
});

test("other names are the upstream's, past a server that does not answer", async () => {
  expect(await dig(till, '10.88.0.1', 'A', 'a.example.org')).toMatchObject({ status: 'NOERROR', data: ['192.0.2.7'] });
  expect(await dig(till, 'fd00:88::1', 'A', 'nx.example.org')).toMatchObject({ status: 'NXDOMAIN' });
  expect(await dig(till, '10.88.0.1', 'A', 'fail.example.org')).toMatchObject({ status: 'SERVFAIL' });
  expect(await dig(till, '10.88.0.1', '+timeout=8', 'A', 'silent.example.org')).toMatchObject({ status: 'SERVFAIL' });
});

test('each question goes out under a number and from a port of its own', async () => {
  for (let turn = 0; turn < 8; turn++) await dig(till, '10.88.0.1', 'A', 'again.example.org');
  const lines = asked('again.example.org').map((line) => line.split(' '));
  expect(lines.length).toBe(8);
  for (const field of [3, 4]) expect(new Set(lines.map((words) => words[field])).size).toBeGreaterThan(6);
});

test('an answer to another question, or under another number, is not taken', async () => {
  expect(await dig(till, '10.88.0.1', 'A', 'forged.example.org')).toMatchObject({ data: ['192.0.2.7'] });
});

test('an answer that is too large for UDP comes by TCP', async () => {
  const answer = await dig(till, '10.88.0.1', '+notcp', '+ignore', 'A', 'big.example.org');
  expect(answer.flags).toContain('tc');
  expect((await dig(till, '10.88.0.1', 'A', 'big.example.org')).data.length).toBe(100);
  expect(asked('big.example.org').some((line) => line.includes(' tcp '))).toBe(true);
});

test('EDNS goes to the upstream as the container sent it', async () => {
  // OPT, 1400 bytes, DO
  const [data = ''] = (await dig(till, '10.88.0.1', '+bufsize=1400', '+dnssec', 'TXT', 'edns.example.org')).data;
  expect(data).toContain('00002905780000800000');
  expect((await dig(till, '10.88.0.1', '+noedns', 'TXT', 'edns.example.org')).data).toEqual(['"none"']);
});

test('an internal network has its names, and forwards nothing', async () => {
  for (const server of ['10.90.0.1', 'fd00:90::1']) {
    expect(await dig(safe, server, 'A', 'safe')).toMatchObject({ status: 'NOERROR', data: ['10.90.0.2'] });
    expect(await dig(safe, server, 'A', 'secret.example.org')).toMatchObject({ status: 'REFUSED' });
  }
  expect(asked('secret.example.org')).toEqual([]);
});

test('a name is there as soon as its endpoint is, and gone with it', async () => {
  const [brief] = await host.attach('web', 'brief');
  await expect.poll(() => dig(till, '10.88.0.1', 'A', 'brief'), soon).toMatchObject({ status: 'NOERROR' });
  await host.vetch('endpoint', 'detach', 'brief');
  await host.destroy(brief);
  await expect.poll(() => dig(till, '10.88.0.1', 'A', 'brief'), soon).toMatchObject({ status: 'NXDOMAIN' });
});

test('the daemon killed, names are answered from what was known, and the resolver says so', async () => {
  await host.stopDaemon('SIGKILL');
  await expect.poll(async () => (await resolver.status()).daemon, soon).toBe('away');
  expect(resolver.process.output).toContain('the daemon is away: the last known names are served');
  const holds = async () => {
    for (const server of gateways) expect(await dig(till, server, 'A', 'shop')).toMatchObject({ data: ['10.88.0.2'] });
    expect(await dig(till, '10.88.0.1', 'A', 'b.example.org')).toMatchObject({ data: ['192.0.2.7'] });
  };
  await holds();
  // Its own death changes nothing: the names are on disk
  await resolver.stop('SIGKILL');
  await resolver.start();
  await holds();
  await host.start('--resolver', '/run/vetch-resolver');
  await expect.poll(async () => (await resolver.status()).daemon, soon).toBe('follows');
  await host.attach('web', 'late');
  await expect.poll(() => dig(till, '10.88.0.1', 'A', 'late'), soon).toMatchObject({ data: ['10.88.0.4'] });
});

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
  expect(sockets).toBeLessThan(256 + 100);
  expect(waited.length).toBeGreaterThan(1);
  await expect.poll(async () => (await resolver.status()).queries.forwarding, soon).toBe(0);
});

test('a gateway whose port is taken is told once, hinders no other, and is served when it is free', async () => {
  const busy = await host.vetch<{ gateways: string[] }>('network', 'create', 'busy', '--subnet', '10.91.0.0/16');
  await expect
    .poll(async () => (await resolver.status()).gateways.find(({ network }) => network === 'busy'), soon)
    .toMatchObject({ address: busy.gateways[0], error: null });
  await resolver.stop();
  const taker = host.spawn(
    ...['python3', '-c'],
    'import socket, time; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("10.91.0.1", 53)); print("ready", flush=True); time.sleep(600)',
  );
  await taker.until(/ready/);
  await resolver.start();
  const line = /cannot answer on 10\.91\.0\.1, names of network busy are not resolved there: port 53 is taken/g;
  await resolver.process.until(line);
  await host.attach('busy', 'worker');
  const failed = { check: 'resolver', ok: false, detail: expect.stringContaining('10.91.0.1') };
  await expect.poll(() => doctor(), soon).toMatchObject({ ...failed, remedy: expect.stringContaining('ss ') });
  expect(await dig(till, '10.88.0.1', 'A', 'shop')).toMatchObject({ data: ['10.88.0.2'] });
  await new Promise((resolve) => setTimeout(resolve, 3000));
  expect(resolver.process.output.match(line)?.length).toBe(1);
  await taker.stop();
  await expect.poll(() => dig(host, '10.91.0.1', 'A', 'worker'), soon).toMatchObject({ data: ['10.91.0.2'] });
});

test('port 53 is published on an address of the host beside it, and on all addresses it is refused', async () => {
  await expect(host.vetch('port', 'publish', 'shop', '53:53/udp')).rejects.toMatchObject({ code: 'PORT_ALLOCATED' });
  await host.vetch('port', 'publish', 'shop', `${host.address4}:53:53/udp`);
  expect(await dig(till, '10.88.0.1', 'A', 'shop')).toMatchObject({ data: ['10.88.0.2'] });
  await host.vetch('port', 'unpublish', 'shop', `${host.address4}:53:53/udp`);
});

async function doctor() {
  const { stdout } = await host.exec(
    new URL('../../bin/vetch', import.meta.url).pathname,
    ...['--socket', host.socket, 'doctor', '--json'],
  );
  const checks = JSON.parse(stdout) as { check: string; ok: boolean; detail: string; remedy: string | null }[];
  return checks.find(({ check }) => check === 'resolver');
}

test('status and doctor say when it does not run, and whom that hurts', async () => {
  expect(await doctor()).toMatchObject({ ok: true });
  expect((await host.status()).warnings).toEqual([]);
  await resolver.stop();
  expect(await doctor()).toMatchObject({ ok: false, remedy: expect.stringContaining('vetch resolver run') });
  const [warning] = (await host.status()).warnings;
  expect(warning).toContain('the resolver: it does not run: containers of busy, other, vault, web find no names');
});
