import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Engine } from '../../lab/engine.ts';
import type { EngineContainer } from '../../lab/engine-container.ts';
import type { Host } from '../../lab/host.ts';
import type { Client } from '../../lab/lab.ts';
import { ask, serve } from '../../lab/talk.ts';
import { askInVain, DockerLab } from './docker-lab.ts';

// Containers that are connected to networks, and disconnected, while they run.

let docker: DockerLab;
let engine: Engine;
let host: Host;
let outside: Client;
let left: EngineContainer;
let right: EngineContainer;

beforeAll(async () => {
  docker = await DockerLab.create();
  ({ engine, host, outside } = docker);
  await docker.network('aleph', 88);
  await docker.network('beth', 89);
  [left, right] = await Promise.all([
    engine.run('left', ['--network', 'aleph']),
    engine.run('right', ['--network', 'beth']),
  ]);
  await serve(outside, 'tcp', 7000);
});
afterAll(() => docker?.[Symbol.asyncDispose]());

test('a running container is connected to a network and disconnected again', async () => {
  const before = await docker.held();
  const addresses = [await right.address('beth'), await right.address('beth', 6)];
  for (const address of addresses)
    expect(await askInVain(left, 'tcp', address, 80), address).toMatchObject({ ok: false });
  await engine.docker('network', 'connect', '--alias', 'guest', 'beth', 'left');
  for (const address of addresses) expect(await ask(left, 'tcp', address, 80), address).toMatchObject({ ok: true });
  expect(await right.must('getent', 'ahostsv4', 'guest')).toContain(await left.address('beth'));
  expect(await left.must('ip', '-o', 'link')).toContain(' eth1');
  await engine.docker('network', 'disconnect', 'beth', 'left');
  expect(await left.must('ip', '-o', 'link')).not.toContain(' eth1');
  for (const address of addresses)
    expect(await askInVain(left, 'tcp', address, 80), address).toMatchObject({ ok: false });
  expect(await docker.held()).toEqual(before);
});

test('a container on two networks reaches both and the world, and carries no traffic between them', async () => {
  const both = await engine.run('both', ['--network', 'aleph']);
  await engine.docker('network', 'connect', 'beth', 'both');
  for (const [peer, network] of [
    [left, 'aleph'],
    [right, 'beth'],
  ] as const) {
    for (const family of [4, 6] as const) {
      const address = await peer.address(network, family);
      expect(await ask(both, 'tcp', address, 80), address).toMatchObject({ ok: true });
      expect(await ask(peer, 'tcp', await both.address(network, family), 80), network).toMatchObject({ ok: true });
    }
  }
  expect(await ask(both, 'tcp', outside.address4, 7000)).toMatchObject({ ok: true });
  expect(await ask(both, 'tcp', outside.address6, 7000)).toMatchObject({ ok: true });
  for (const family of [4, 6] as const)
    expect(await askInVain(left, 'tcp', await right.address('beth', family), 80)).toMatchObject({ ok: false });
  await engine.docker('rm', '--force', 'both');
});

test('the default route is where Docker puts it, and publishing goes with it', async () => {
  const route = async () => (await mover.must('ip', 'route', 'show', 'default')).trim();
  const answers = async () => (await ask(outside, 'tcp', host.address4, 8080)).ok;
  const expectPorts = (network: string) =>
    expect
      .poll(() => host.vetch('port', 'ls'), { timeout: 5000 })
      .toMatchObject([
        { endpoint: 'mover', network, hostAddress: '0.0.0.0', hostPort: 8080 },
        { endpoint: 'mover', network, hostAddress: '::', hostPort: 8080 },
      ]);
  // Of equal networks Docker takes the first by name.
  const mover = await engine.run('mover', ['--network', 'beth', '--publish', '8080:80']);
  expect(await route()).toContain('via 10.89.0.1');
  expect(await answers()).toBe(true);
  await engine.docker('network', 'connect', 'aleph', 'mover');
  expect(await route()).toContain('via 10.88.0.1');
  expect(await answers()).toBe(true);
  await expectPorts('aleph');
  await engine.docker('network', 'disconnect', 'aleph', 'mover');
  expect(await route()).toContain('via 10.89.0.1');
  expect(await answers()).toBe(true);
  await expectPorts('beth');
  await engine.docker('rm', '--force', 'mover');
});

test("a container on one of ours and one of Docker's own bridges reaches both, and nothing crosses", async () => {
  await engine.docker('network', 'create', 'plain');
  const neighbour = await engine.run('neighbour', ['--network', 'plain', '--cap-add', 'NET_ADMIN']);
  await engine.docker('network', 'connect', 'plain', 'left');
  expect(await ask(left, 'tcp', 'neighbour', 80)).toMatchObject({ ok: true });
  const friend = await engine.run('friend', ['--network', 'aleph', '--cap-add', 'NET_ADMIN']);
  expect(await ask(left, 'tcp', await friend.address('aleph'), 80)).toMatchObject({ ok: true });
  expect(await ask(friend, 'tcp', await left.address('aleph'), 80)).toMatchObject({ ok: true });
  expect(await ask(left, 'tcp', outside.address4, 7000)).toMatchObject({ ok: true });
  const [theirs, ours] = [await neighbour.address('plain'), await friend.address('aleph')];
  expect(await askInVain(friend, 'tcp', theirs, 80)).toMatchObject({ ok: false });
  expect(await askInVain(neighbour, 'tcp', ours, 80)).toMatchObject({ ok: false });
  // Nor by way of the container between them.
  await friend.must('ip', 'route', 'add', theirs, 'via', await left.address('aleph'));
  await neighbour.must('ip', 'route', 'add', ours, 'via', await left.address('plain'));
  expect(await askInVain(friend, 'tcp', theirs, 80)).toMatchObject({ ok: false });
  expect(await askInVain(neighbour, 'tcp', ours, 80)).toMatchObject({ ok: false });
  await engine.docker('network', 'disconnect', 'plain', 'left');
  expect(await ask(left, 'tcp', await friend.address('aleph'), 80)).toMatchObject({ ok: true });
  await engine.docker('rm', '--force', 'neighbour', 'friend');
});

test('the gateway bridge of the engine never appears', async () => {
  expect(await engine.docker('network', 'ls', '--format', '{{.Name}}')).not.toContain('docker_gwbridge');
  expect(await host.must('ip', '-o', 'link')).not.toContain('docker_gwbridge');
});
