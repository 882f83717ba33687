import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Engine } from '../../lab/engine.ts';
import type { EngineContainer } from '../../lab/engine-container.ts';
import type { Host } from '../../lab/host.ts';
import type { Client } from '../../lab/lab.ts';
import type { Background } from '../../lab/process.ts';
import { dig } from '../../lab/resolver.ts';
import { DockerLab } from './docker-lab.ts';

// Docker's own resolver, 127.0.0.11 in each container, on networks of ours.

const programs = new URL('../../lab/programs/', import.meta.url).pathname;
const embedded = '127.0.0.11';

let docker: DockerLab;
let engine: Engine;
let host: Host;
let outside: Client;
let upstream: Background;
let web: EngineContainer;
let peer: EngineContainer;

beforeAll(async () => {
  docker = await DockerLab.create();
  ({ engine, host, outside } = docker);
  upstream = outside.spawn('python3', `${programs}upstream.py`, outside.address4, '192.0.2.7');
  await upstream.until(/ready/);
  await docker.network('app', 88);
  await docker.network('other', 89);
  const flags = ['--network', 'app', '--dns', outside.address4];
  [web, peer] = await Promise.all([
    engine.run('web', [...flags, '--network-alias', 'shop']),
    engine.run('peer', flags),
  ]);
});
afterAll(() => docker?.[Symbol.asyncDispose]());

test('names, aliases and name.network are answered with both addresses, by UDP and TCP', async () => {
  const [v4, v6] = [await web.address('app'), await web.address('app', 6)];
  for (const way of ['+notcp', '+tcp'])
    for (const name of ['web', 'shop', 'web.app', 'shop.app']) {
      expect(await dig(peer, embedded, way, 'A', name), name).toMatchObject({ status: 'NOERROR', data: [v4] });
      expect(await dig(peer, embedded, way, 'AAAA', name), name).toMatchObject({ status: 'NOERROR', data: [v6] });
    }
});

test('addresses of both families are answered with name.network', async () => {
  for (const family of [4, 6] as const) {
    const { data } = await dig(peer, embedded, '-x', await web.address('app', family));
    expect(data, String(family)).toContain('web.app.');
  }
});

test('a container of another network is told nothing of them', async () => {
  const stranger = await engine.run('stranger', ['--network', 'other', '--dns', outside.address4]);
  for (const name of ['web', 'shop', 'web.app'])
    expect((await dig(stranger, embedded, 'A', name)).data, name).not.toContain(await web.address('app'));
  await engine.docker('rm', '--force', 'stranger');
});

test('other names are forwarded from the container, also what is too large for UDP', async () => {
  expect(await dig(peer, embedded, 'A', 'a.example.org')).toMatchObject({ status: 'NOERROR', data: ['192.0.2.7'] });
  expect((await dig(peer, embedded, 'A', 'big.example.org')).data.length).toBe(100);
});

test('names follow a container that is connected, disconnected, renamed and removed', async () => {
  const mover = await engine.run('mover', ['--network', 'other', '--dns', outside.address4]);
  await engine.docker('network', 'connect', '--alias', 'guest', 'app', 'mover');
  const address = await mover.address('app');
  for (const name of ['mover', 'guest'])
    expect(await dig(peer, embedded, 'A', name)).toMatchObject({ data: [address] });
  expect((await dig(mover, embedded, 'A', 'web')).data).toEqual([await web.address('app')]);
  await engine.docker('network', 'disconnect', 'app', 'mover');
  expect((await dig(peer, embedded, 'A', 'guest')).data).not.toContain(address);
  await engine.docker('rm', '--force', 'mover');
});

test('names are answered with vetch stopped, and after it has come back', async () => {
  const address = await web.address('app');
  await host.stopDaemon('SIGKILL');
  expect(await dig(peer, embedded, 'A', 'web')).toMatchObject({ data: [address] });
  expect(await dig(peer, embedded, 'A', 'b.example.org')).toMatchObject({ data: ['192.0.2.7'] });
  await docker.startVetch();
  expect(await dig(peer, embedded, 'AAAA', 'shop')).toMatchObject({ data: [await web.address('app', 6)] });
});

test('an internal network has its names, and the engine forwards nothing from it', async () => {
  await docker.network('vault', 92, '--internal');
  const flags = ['--network', 'vault', '--dns', outside.address4];
  const [safe, keeper] = await Promise.all([
    engine.run('safe', flags),
    engine.run('keeper', [...flags, '--network-alias', 'gold']),
  ]);
  for (const family of [4, 6] as const) {
    const address = await keeper.address('vault', family);
    const type = family === 4 ? 'A' : 'AAAA';
    for (const name of ['keeper', 'gold', 'gold.vault'])
      expect(await dig(safe, embedded, type, name), name).toMatchObject({ data: [address] });
    expect((await dig(safe, embedded, '-x', address)).data).toContain('keeper.vault.');
  }
  const refused = await dig(safe, embedded, '+timeout=3', 'A', 'secret.example.org');
  process.stdout.write(`the engine answers ${refused.status} to a question that it does not forward\n`);
  expect(refused.data).toEqual([]);
  expect(['SERVFAIL', 'REFUSED', 'none']).toContain(refused.status);
  expect(upstream.output).not.toContain('secret.example.org');
  await engine.docker('rm', '--force', 'safe', 'keeper');
  await engine.docker('network', 'rm', 'vault');
});
