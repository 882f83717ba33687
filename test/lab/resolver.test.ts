import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Container } from './container.ts';
import type { Host } from './host.ts';
import type { Background } from './process.ts';
import { dig, type LabResolver } from './resolver.ts';
import { gateways, ResolverLab, soon } from './resolver-lab.ts';

// The resolver on a host's gateways, with real containers and a real upstream.

let lab: ResolverLab;
let host: Host;
let resolver: LabResolver;
let upstream: Background;
let till: Container;
let spy: Container;
let safe: Container;

const asked = (name: string) => lab.asked(name);

beforeAll(async () => {
  lab = await ResolverLab.create();
  ({ host, resolver, upstream, till, spy, safe } = lab);
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

test('a service has the name that it was given, while it is there', async () => {
  const flags = ['--network', 'web', '--vip', '10.88.9.9', '--port', '80', '--select', 'app=none'];
  await host.vetch('service', 'create', 'store', ...flags);
  const answer = () => dig(till, '10.88.0.1', 'A', 'store');
  await expect.poll(answer, soon).toMatchObject({ status: 'NOERROR', data: ['10.88.9.9'] });
  await host.vetch('service', 'rm', 'store');
  await expect.poll(answer, soon).toMatchObject({ status: 'NXDOMAIN', data: [] });
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
