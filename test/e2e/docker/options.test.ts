import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Engine } from '../../lab/engine.ts';
import type { Host } from '../../lab/host.ts';
import type { Client } from '../../lab/lab.ts';
import { ask, ping, serve } from '../../lab/talk.ts';
import { askInVain, DockerLab, driver, families, transports } from './docker-lab.ts';

// Options of networks, with the names and the meaning that users of Docker know.

const bridge = 'com.docker.network.bridge';

let docker: DockerLab;
let engine: Engine;
let host: Host;
let outside: Client;

beforeAll(async () => {
  docker = await DockerLab.create();
  ({ engine, host, outside } = docker);
  await serve(outside, 'tcp', 7000);
  const { address4, address6 } = host;
  await outside.ip(`route add 10.95.0.0/16 via ${address4}`, `route add fd00:95::/64 via ${address6}`);
});
afterAll(() => docker?.[Symbol.asyncDispose]());

/** Runs a container on a network with these options, and removes both. */
async function withOptions(options: readonly string[], flags: readonly string[], act: () => Promise<void>) {
  await docker.network('chosen', 95, ...options.flatMap((option) => ['--opt', option]));
  try {
    await engine.run('box', ['--network', 'chosen', ...flags], [80, 81]);
    await act();
  } finally {
    await engine.attempt('rm', '--force', 'box');
    await engine.docker('network', 'rm', 'chosen');
  }
}

const box = () => engine.container('box');

test('trusted_host_interfaces: published ports, on loopback even, are reached at the own address by that device', async () => {
  const flags = ['--publish', '127.0.0.1:8095:80', '--publish', '[::1]:8095:80', '--publish', '8096:80/udp'];
  await withOptions([`${bridge}.trusted_host_interfaces=vxlan.1:eth0`], flags, async () => {
    for (const [family, name] of [
      [4, 'address4'],
      [6, 'address6'],
    ] as const) {
      const own = await box().address('chosen', family);
      for (const transport of transports) {
        expect(await ask(outside, transport, own, 80), `${transport} ${own}`).toMatchObject({ ok: true });
        expect(await askInVain(outside, transport, own, 81), `${transport} ${own}`).toMatchObject({ ok: false });
      }
      expect(await ping(outside, own, '-W', '1'), own).not.toBe(0);
      expect(await askInVain(outside, 'tcp', host[name], 8095), name).toMatchObject({ ok: false });
      expect((await ask(box(), 'tcp', outside[name], 7000)).reply, name).toContain(`peer=${host[name]},`);
    }
  });
});

test('trusted_host_interfaces: by a device that is not named no port is reached at the own address', async () => {
  await withOptions([`${bridge}.trusted_host_interfaces=vxlan.1`], ['--publish', '8095:80'], async () => {
    for (const [family, name] of [
      [4, 'address4'],
      [6, 'address6'],
    ] as const) {
      const own = await box().address('chosen', family);
      expect(await askInVain(outside, 'tcp', own, 80), own).toMatchObject({ ok: false });
      expect(await ask(outside, 'tcp', host[name], 8095), name).toMatchObject({ ok: true });
    }
  });
});

test('host_ipv4 and host_ipv6: containers leave under these addresses of the host', async () => {
  const [second4, second6] = ['198.51.100.77', '2001:db8:f::77'];
  await host.ip(`address add ${second4}/24 dev eth0`, `address add ${second6}/64 dev eth0 nodad`);
  const options = [`com.docker.network.host_ipv4=${second4}`, `com.docker.network.host_ipv6=${second6}`];
  await withOptions(options, ['--publish', '8095:80'], async () => {
    expect((await ask(box(), 'tcp', outside.address4, 7000)).reply).toContain(`peer=${second4},`);
    expect((await ask(box(), 'tcp', outside.address6, 7000)).reply).toContain(`peer=${second6},`);
    for (const family of families) {
      expect(await ping(box(), outside[family]), family).toBe(0);
      expect(await ask(outside, 'tcp', host[family], 8095), family).toMatchObject({ ok: true });
    }
  });
  await host.ip(`address delete ${second4}/24 dev eth0`, `address delete ${second6}/64 dev eth0`);
});

test('enable_ip_masquerade=false: containers leave under their own addresses, and are reached by none', async () => {
  await withOptions([`${bridge}.enable_ip_masquerade=false`], [], async () => {
    for (const [family, name] of [
      [4, 'address4'],
      [6, 'address6'],
    ] as const) {
      const own = await box().address('chosen', family);
      expect((await ask(box(), 'tcp', outside[name], 7000)).reply, name).toContain(`peer=${own},`);
      expect(await askInVain(outside, 'tcp', own, 80), own).toMatchObject({ ok: false });
    }
  });
});

test('host_binding_ipv4: a port that names no address is published there alone', async () => {
  await withOptions([`${bridge}.host_binding_ipv4=127.0.0.1`], ['--publish', '8095:80'], async () => {
    expect(await ask(host, 'tcp', '127.0.0.1', 8095)).toMatchObject({ ok: true });
    for (const family of families)
      expect(await askInVain(outside, 'tcp', host[family], 8095), family).toMatchObject({ ok: false });
  });
});

test('container_iface_prefix: devices are called so in the containers', async () => {
  await withOptions(['com.docker.network.container_iface_prefix=lan'], [], async () => {
    expect(await box().must('ip', '-o', 'link')).toContain(' lan0');
  });
});

test.each([
  ['vetch.network=shop', 'this host is alone'],
  ['vetch.rate.ingress=1MB', '100kbit to 100Gbit'],
  [`${bridge}.trusted_host_interfaces=a/b`, 'names of devices'],
  ['com.docker.network.host_ipv4=2001:db8::1', 'IPv4 address'],
])('the option %s is refused by name, with what to do, and leaves no network', async (option, hint) => {
  const result = await engine.attempt('network', 'create', '-d', driver, '-o', option, 'odd');
  expect(result.status).toBe(1);
  expect(result.stderr).toContain(option.slice(0, option.indexOf('=')));
  expect(result.stderr).toContain(hint);
  expect(await engine.docker('network', 'ls', '--format', '{{.Name}}')).not.toContain('odd');
});
