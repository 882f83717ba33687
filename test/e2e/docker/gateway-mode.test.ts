import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Engine } from '../../lab/engine.ts';
import type { EngineContainer } from '../../lab/engine-container.ts';
import type { Host } from '../../lab/host.ts';
import type { Client } from '../../lab/lab.ts';
import { ask, ping, serve } from '../../lab/talk.ts';
import { askInVain, DockerLab, families, transports } from './docker-lab.ts';

// What each gateway mode opens to those who route to the containers, and under which address these leave.

let docker: DockerLab;
let engine: Engine;
let host: Host;
let outside: Client;

beforeAll(async () => {
  docker = await DockerLab.create();
  ({ engine, host, outside } = docker);
  await docker.network('other', 89);
  await engine.run('stranger', ['--network', 'other']);
  await serve(outside, 'tcp', 7000);
  const { address4, address6 } = host;
  await outside.ip(`route add 10.94.0.0/16 via ${address4}`, `route add fd00:94::/64 via ${address6}`);
});
afterAll(() => docker?.[Symbol.asyncDispose]());

interface Modal {
  readonly container: EngineContainer;
  /** Of the container, IPv4 first. */
  readonly addresses: readonly [string, string];
}

const mode = (family: 4 | 6, name: string) => ['--opt', `com.docker.network.bridge.gateway_mode_ipv${family}=${name}`];

/** Runs a container that serves ports 80 and 81, whose port 80 of both transports is published at 8094, on a network. */
async function inNetwork(flags: readonly string[], act: (modal: Modal) => Promise<void>) {
  await docker.network('modal', 94, ...flags);
  try {
    const publish = ['--publish', '8094:80', '--publish', '8094:80/udp'];
    const container = await engine.run('modal', ['--network', 'modal', ...publish], [80, 81]);
    await act({ container, addresses: [await container.address('modal'), await container.address('modal', 6)] });
  } finally {
    await engine.attempt('rm', '--force', 'modal');
    await engine.docker('network', 'rm', 'modal');
  }
}

const inMode = (name: string, act: (modal: Modal) => Promise<void>) =>
  inNetwork([...mode(4, name), ...mode(6, name)], act);

test('gateway mode nat: published at the host alone, and left under its address', async () => {
  await inMode('nat', async ({ container, addresses }) => {
    for (const [index, family] of families.entries()) {
      for (const port of [80, 81])
        expect(await askInVain(outside, 'tcp', addresses[index] ?? '', port), family).toMatchObject({ ok: false });
      expect(await ping(outside, addresses[index] ?? '', '-W', '1'), family).not.toBe(0);
      expect(await ask(outside, 'tcp', host[family], 8094), family).toMatchObject({ ok: true });
      expect((await ask(container, 'tcp', outside[family], 7000)).reply, family).toContain(`peer=${host[family]},`);
    }
  });
});

test('gateway mode nat-unprotected: published at the host, and every port reached by routing', async () => {
  await inMode('nat-unprotected', async ({ container, addresses }) => {
    for (const [index, family] of families.entries()) {
      for (const port of [80, 81])
        expect(await ask(outside, 'tcp', addresses[index] ?? '', port), family).toMatchObject({ ok: true });
      expect(await ask(outside, 'tcp', host[family], 8094), family).toMatchObject({ ok: true });
      expect((await ask(container, 'tcp', outside[family], 7000)).reply, family).toContain(`peer=${host[family]},`);
    }
  });
});

test('gateway mode routed: published ports and pings are answered by routing, and nothing else is', async () => {
  await inMode('routed', async ({ addresses }) => {
    for (const address of addresses) {
      for (const transport of transports) {
        const reply = await ask(outside, transport, address, 80);
        expect(reply, `${transport} ${address}`).toMatchObject({ ok: true, replyFrom: [address, 80] });
        expect(await askInVain(outside, transport, address, 81), `${transport} ${address}`).toMatchObject({
          ok: false,
        });
      }
      expect(await askInVain(outside, 'tcp', address, 8094), address).toMatchObject({ ok: false });
      expect(await ping(outside, address), address).toBe(0);
      expect(await ask(host, 'tcp', address, 81), address).toMatchObject({ ok: true });
    }
  });
});

test('gateway mode routed: nothing is translated, whichever side begins', async () => {
  await inMode('routed', async ({ container, addresses }) => {
    for (const [index, family] of families.entries()) {
      const own = addresses[index] ?? '';
      expect((await ask(outside, 'tcp', own, 80)).reply, family).toContain(`peer=${outside[family]},`);
      expect((await ask(container, 'tcp', outside[family], 7000)).reply, family).toContain(`peer=${own},`);
    }
  });
});

test('gateway mode routed: no port of the host is taken or answered', async () => {
  await inMode('routed', async () => {
    expect(await host.vetch('port', 'ls')).toMatchObject(
      [
        { endpoint: 'modal', protocol: 'tcp', hostPort: 0, port: 80 },
        { endpoint: 'modal', protocol: 'udp', hostPort: 0, port: 80 },
        { endpoint: 'modal', protocol: 'tcp', hostPort: 0, port: 80 },
        { endpoint: 'modal', protocol: 'udp', hostPort: 0, port: 80 },
      ].sort((a, b) => a.protocol.localeCompare(b.protocol)),
    );
    for (const family of families)
      expect(await askInVain(outside, 'tcp', host[family], 8094), family).toMatchObject({ ok: false });
    await using _server = await serve(host, 'tcp', 8094);
    for (const family of families)
      expect((await ask(outside, 'tcp', host[family], 8094)).reply, family).toContain(`${host.name} peer=`);
    await engine.run('taker', ['--network', 'other', '--publish', '80:80']);
    for (const family of families)
      expect((await ask(outside, 'tcp', host[family], 80)).reply, family).toContain('taker peer=');
    await engine.docker('rm', '--force', 'taker');
  });
});

test('gateway mode routed: containers of other networks reach the published ports alone', async () => {
  const stranger = engine.container('stranger');
  await inMode('routed', async ({ addresses }) => {
    for (const address of addresses) {
      expect(await ask(stranger, 'tcp', address, 80), address).toMatchObject({ ok: true });
      expect(await askInVain(stranger, 'tcp', address, 81), address).toMatchObject({ ok: false });
    }
  });
});

test('gateway mode routed: a port that is published no more ends the connections that it had', async () => {
  const client = new URL('../../lab/programs/client.py', import.meta.url).pathname;
  await docker.network('better', 88);
  await inMode('routed', async ({ addresses: [address] }) => {
    const stream = outside.spawn('python3', client, 'tcp', address, '80', '--count', '600', '--interval', '0.1');
    const flows = () => host.vetch<{ destination: { ip: string } }[]>('conntrack', 'ls');
    await expect
      .poll(async () => (await flows()).some(({ destination }) => destination.ip === address), { timeout: 15_000 })
      .toBe(true);
    // Docker publishes on one network at a time: of equal ones the first by name.
    await engine.docker('network', 'connect', 'better', 'modal');
    expect(await askInVain(outside, 'tcp', address, 80)).toMatchObject({ ok: false });
    expect(await stream.ended(), stream.output).not.toBe(0);
  });
  await engine.docker('network', 'rm', 'better');
});

test('gateway modes of the two families are independent', async () => {
  await inNetwork([...mode(4, 'nat'), ...mode(6, 'routed')], async ({ container, addresses }) => {
    const [own4, own6] = addresses;
    expect(await ask(outside, 'tcp', host.address4, 8094)).toMatchObject({ ok: true });
    expect(await askInVain(outside, 'tcp', own4, 80)).toMatchObject({ ok: false });
    expect(await askInVain(outside, 'tcp', host.address6, 8094)).toMatchObject({ ok: false });
    expect(await ask(outside, 'tcp', own6, 80)).toMatchObject({ ok: true });
    expect(await askInVain(outside, 'tcp', own6, 81)).toMatchObject({ ok: false });
    expect((await ask(container, 'tcp', outside.address4, 7000)).reply).toContain(`peer=${host.address4},`);
    expect((await ask(container, 'tcp', outside.address6, 7000)).reply).toContain(`peer=${own6},`);
  });
});

test('gateway mode isolated: an internal network whose gateway the host does not have', async () => {
  await inNetwork(['--internal', ...mode(4, 'isolated'), ...mode(6, 'isolated')], async ({ container }) => {
    expect(await host.must('ip', '-o', 'address')).not.toContain('10.94.0.1');
    expect(await ping(container, '10.94.0.1', '-W', '1')).not.toBe(0);
    for (const family of families) expect(await ping(container, host[family], '-W', '1'), family).not.toBe(0);
  });
});
