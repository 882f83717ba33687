import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Container } from './container.ts';
import type { Host } from './host.ts';
import { type Client, Lab } from './lab.ts';
import { ask, ping, serve, type Transport } from './talk.ts';

// The lab that other kernels run too: one host, the main job, both families, all three protocols.

let lab: Lab;
let host: Host;
let outside: Client;
let shop: Container;
let till: Container;
let spy: Container;
/** SCTP needs the kernel's own, which not every kernel has; our programs need nothing of it. */
let transports: readonly Transport[] = ['tcp', 'udp'];

beforeAll(async () => {
  lab = await Lab.create();
  host = lab.host('h1');
  outside = lab.client('outside');
  await host.vetch('network', 'create', 'web', '--subnet', '10.88.0.0/16', '--subnet', 'fd00:88::/64');
  await host.vetch('network', 'create', 'other', '--subnet', '10.89.0.0/16', '--subnet', 'fd00:89::/64');
  const publishes = ['8080:80', '8080:80/udp', '8080:80/sctp', '127.0.0.1:8099:80'].flatMap((spec) => [
    '--publish',
    spec,
  ]);
  [shop] = await host.attach('web', 'shop', ...publishes);
  [till] = await host.attach('web', 'till');
  [spy] = await host.attach('other', 'spy');
  if (
    (await host.exec('python3', '-c', 'import socket as s; s.socket(s.AF_INET, s.SOCK_STREAM, s.IPPROTO_SCTP)'))
      .status === 0
  ) {
    transports = ['tcp', 'udp', 'sctp'];
  }
  // Debian's kernels have it: there nothing may be left out
  if (process.env.VETCH_TEST_SCTP) expect(transports).toContain('sctp');
  for (const transport of transports) await serve(shop, transport, 80);
});
afterAll(() => lab?.[Symbol.asyncDispose]());

const shopAddresses = ['10.88.0.2', 'fd00:88::2'];

test('containers of a network reach each other', async () => {
  for (const address of shopAddresses) {
    expect(await ping(till, address), address).toBe(0);
    for (const transport of transports)
      expect(await ask(till, transport, address, 80), transport).toMatchObject({ ok: true });
  }
});

test('a container of another network does not reach them', async () => {
  for (const address of shopAddresses) {
    expect(await ping(spy, address), address).not.toBe(0);
    expect(await ask(spy, 'tcp', address, 80, '--timeout', '1'), address).toMatchObject({ ok: false });
  }
  expect(await host.drops('ISOLATED')).toBeGreaterThan(0);
});

test('containers reach the world under the address of the host, and the host itself', async () => {
  await serve(outside, 'tcp', 7000);
  await serve(host, 'tcp', 7001);
  for (const family of ['address4', 'address6'] as const) {
    expect((await ask(till, 'tcp', outside[family], 7000)).reply, family).toContain(`peer=${host[family]},`);
    expect(await ask(till, 'tcp', host[family], 7001), family).toMatchObject({ ok: true });
    expect(await ping(till, outside[family]), family).toBe(0);
  }
});

test('a published port answers from outside with the address of the client kept', async () => {
  for (const transport of transports) {
    for (const family of ['address4', 'address6'] as const) {
      const reply = await ask(outside, transport, host[family], 8080);
      expect(reply, `${transport} ${family}`).toMatchObject({ ok: true, replyFrom: [host[family], 8080] });
      expect(reply.reply).toContain(`shop peer=${outside[family]},`);
    }
  }
});

test('a published port answers the host by localhost and by its own addresses', async () => {
  for (const address of ['127.0.0.1', '::1', host.address4, host.address6]) {
    for (const transport of ['tcp', 'udp'] as const) {
      expect(await ask(host, transport, address, 8080), `${transport} ${address}`).toMatchObject({
        ok: true,
        peer: [address, 8080],
      });
    }
  }
});

test('a published port answers containers of the same network, of another, and the very container', async () => {
  for (const container of [till, spy, shop]) {
    for (const transport of ['tcp', 'udp'] as const) {
      for (const family of ['address4', 'address6'] as const) {
        expect(
          await ask(container, transport, host[family], 8080),
          `${container.name} ${transport} ${family}`,
        ).toMatchObject({
          ok: true,
          replyFrom: [host[family], 8080],
        });
      }
    }
  }
});

test('a port published on 127.0.0.1 answers nobody but the host', async () => {
  expect(await ask(host, 'tcp', '127.0.0.1', 8099)).toMatchObject({ ok: true });
  for (const machine of [outside, till]) {
    expect(await ask(machine, 'tcp', host.address4, 8099, '--timeout', '1'), machine.name).toMatchObject({ ok: false });
  }
});

test('an unpublished port is unreachable from outside, also by routing to the container', async () => {
  await outside.ip(`route add 10.88.0.0/16 via ${host.address4}`, `route add fd00:88::/64 via ${host.address6}`);
  for (const address of shopAddresses) {
    expect(await ask(outside, 'tcp', address, 80, '--timeout', '1'), address).toMatchObject({ ok: false });
  }
  expect(await host.drops('NOT_PUBLISHED')).toBeGreaterThan(0);
});

test('a process of the host cannot bind a published port', async () => {
  const result = await host.exec('python3', '-c', 'import socket; socket.socket().bind(("0.0.0.0", 8080))');
  expect(result.stderr).toContain('Address already in use');
});

test('a denied source is dropped before the stack, and comes back', async () => {
  await host.vetch('deny', 'add', `${outside.address4}/32`);
  expect(await ask(outside, 'tcp', host.address4, 8080, '--timeout', '1')).toMatchObject({ ok: false });
  expect(await host.vetch('deny', 'ls')).toMatchObject([{ cidr: `${outside.address4}/32` }]);
  await host.vetch('deny', 'rm', `${outside.address4}/32`);
  expect(await ask(outside, 'tcp', host.address4, 8080)).toMatchObject({ ok: true });
});

test('a killed daemon takes nothing with it, and finds everything as it was', async () => {
  const stream = outside.spawn(
    'python3',
    new URL('./programs/client.py', import.meta.url).pathname,
    'tcp',
    host.address4,
    '8080',
    '--count',
    '40',
    '--interval',
    '0.1',
  );
  await host.stopDaemon('SIGKILL');
  expect(await ask(outside, 'tcp', host.address4, 8080)).toMatchObject({ ok: true });
  expect(await ask(host, 'tcp', '127.0.0.1', 8080)).toMatchObject({ ok: true });
  await host.start();
  expect(await stream.ended(), stream.output).toBe(0);
  expect(await host.status()).toMatchObject({ networks: 2, endpoints: 3 });
  expect(await ask(till, 'tcp', '10.88.0.2', 80)).toMatchObject({ ok: true });
});

test('uninstalling leaves nothing in the kernel', async () => {
  await host.stopDaemon();
  await host.uninstall();
  expect(await host.must('ip', '-o', 'link')).not.toMatch(/vetch0|vt[0-9a-f]{11}/);
  expect((await host.exec('ls', host.bpffs)).stdout).toBe('');
  expect(await host.must('bpftool', 'net')).not.toMatch(/from_|xdp_uplink/);
  expect(await host.must('bpftool', 'cgroup', 'show', host.place.cgroup)).not.toMatch(/sock_/);
  expect(await host.must('ip', 'route')).not.toMatch(/vetch0/);
});
