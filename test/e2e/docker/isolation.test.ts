import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Engine } from '../../lab/engine.ts';
import type { EngineContainer } from '../../lab/engine-container.ts';
import type { Host } from '../../lab/host.ts';
import type { Client } from '../../lab/lab.ts';
import type { Background } from '../../lab/process.ts';
import { ask, ping, serve } from '../../lab/talk.ts';
import { askInVain, DockerLab, families } from './docker-lab.ts';

// Who reaches whom, and what a network hides.

const programs = new URL('../../lab/programs/', import.meta.url).pathname;
const bridge = 'com.docker.network.bridge';

let docker: DockerLab;
let engine: Engine;
let host: Host;
let outside: Client;
let web: EngineContainer;
let peer: EngineContainer;
let stranger: EngineContainer;
/** What a container asks for the names that no container has. */
let dns: Background;

beforeAll(async () => {
  docker = await DockerLab.create();
  ({ engine, host, outside } = docker);
  await docker.network('app', 88);
  await docker.network('other', 89);
  [web, peer, stranger] = await Promise.all([
    engine.run('web', ['--network', 'app', '--network-alias', 'shop', '--dns', outside.address4]),
    engine.run('peer', ['--network', 'app', '--dns', outside.address4]),
    engine.run('stranger', ['--network', 'other', '--dns', outside.address4]),
  ]);
  await serve(outside, 'tcp', 7000);
  dns = outside.spawn('python3', `${programs}dns.py`, outside.address4, '192.0.2.7');
  await dns.until(/ready/);
});
afterAll(() => docker?.[Symbol.asyncDispose]());

/** Both addresses of a container on a network. */
const addresses = (container: EngineContainer, network: string) =>
  Promise.all(([4, 6] as const).map((family) => container.address(network, family)));

test('containers of a network reach each other, the host and what lies outside', async () => {
  for (const address of await addresses(web, 'app')) {
    expect(await ping(peer, address), address).toBe(0);
    for (const transport of ['tcp', 'udp'] as const)
      expect(await ask(peer, transport, address, 80), `${transport} ${address}`).toMatchObject({ ok: true });
  }
  for (const family of families) {
    expect((await ask(web, 'tcp', outside[family], 7000)).reply, family).toContain(`peer=${host[family]},`);
    expect(await ping(web, host[family]), family).toBe(0);
  }
});

test('containers of two networks do not reach each other', async () => {
  for (const address of await addresses(web, 'app')) {
    expect(await ping(stranger, address, '-W', '1'), address).not.toBe(0);
    expect(await askInVain(stranger, 'tcp', address, 80), address).toMatchObject({ ok: false });
  }
});

test("containers of ours and of Docker's own bridge do not reach each other, and both reach the world", async () => {
  const plain = await engine.run('plain');
  for (const address of await addresses(web, 'app'))
    expect(await askInVain(plain, 'tcp', address, 80), address).toMatchObject({ ok: false });
  expect(await askInVain(web, 'tcp', await plain.address('bridge'), 80)).toMatchObject({ ok: false });
  expect(await ask(plain, 'tcp', outside.address4, 7000)).toMatchObject({ ok: true });
  await engine.docker('rm', '--force', 'plain');
});

test('containers are found by name, by alias and by address', async () => {
  const [address = '', address6 = ''] = await addresses(web, 'app');
  for (const name of ['web', 'shop', 'web.app']) {
    expect(await peer.must('getent', 'ahostsv4', name), name).toContain(address);
    expect(await peer.must('getent', 'ahostsv6', name), name).toContain(address6);
  }
  for (const own of [address, address6]) expect(await peer.must('getent', 'hosts', own), own).toContain('web.app');
  expect(await stranger.must('getent', 'ahostsv4', 'web')).not.toContain(address);
});

test('an internal network joins its containers, and leads nowhere else, not even by name', async () => {
  expect(await peer.must('getent', 'ahostsv4', 'a.example.org')).toContain('192.0.2.7');

  await docker.network('vault', 92, '--internal');
  const flags = ['--network', 'vault', '--dns', outside.address4, '--publish', '8092:80'];
  const [safe, keeper] = await Promise.all([engine.run('safe', flags.slice(0, 4)), engine.run('keeper', flags)]);
  for (const address of await addresses(keeper, 'vault'))
    expect(await ask(safe, 'tcp', address, 80), address).toMatchObject({ ok: true });
  expect(await safe.must('getent', 'ahostsv4', 'keeper')).toContain((await addresses(keeper, 'vault'))[0]);
  for (const family of families) {
    expect(await askInVain(safe, 'tcp', outside[family], 7000), family).toMatchObject({ ok: false });
    expect(await askInVain(outside, 'tcp', host[family], 8092), family).toMatchObject({ ok: false });
  }
  await safe.exec('timeout', '3', 'getent', 'ahostsv4', 'b.example.org');
  expect(dns.output).not.toContain('b.example.org');
  await engine.docker('rm', '--force', 'safe', 'keeper');
  await engine.docker('network', 'rm', 'vault');
});

test('without ICC containers of a network do not reach each other, and their published ports answer', async () => {
  await docker.network('apart', 93, '--opt', `${bridge}.enable_icc=false`);
  const [one, two] = await Promise.all([
    engine.run('one', ['--network', 'apart', '--publish', '8093:80']),
    engine.run('two', ['--network', 'apart']),
  ]);
  for (const address of await addresses(one, 'apart'))
    expect(await askInVain(two, 'tcp', address, 80), address).toMatchObject({ ok: false });
  for (const family of families) {
    expect(await ask(outside, 'tcp', host[family], 8093), family).toMatchObject({ ok: true });
    expect(await ask(two, 'tcp', host[family], 8093), family).toMatchObject({ ok: true });
    expect(await ask(two, 'tcp', outside[family], 7000), family).toMatchObject({ ok: true });
  }
  await engine.docker('rm', '--force', 'one', 'two');
  await engine.docker('network', 'rm', 'apart');
});
