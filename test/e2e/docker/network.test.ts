import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Engine } from '../../lab/engine.ts';
import type { Host } from '../../lab/host.ts';
import { ask, ping } from '../../lab/talk.ts';
import { DockerLab, driver } from './docker-lab.ts';

// Networks and the life of a container, as `docker` shows them.

let docker: DockerLab;
let engine: Engine;
let host: Host;

beforeAll(async () => {
  docker = await DockerLab.create();
  ({ engine, host } = docker);
  await docker.network('app', 88);
});
afterAll(() => docker?.[Symbol.asyncDispose]());

const runTrue = (...flags: string[]) =>
  engine.attempt('run', '--rm', '--volume', '/usr:/usr:ro', ...flags, 'links', 'true');

test('a network is created, inspected, listed on both sides and removed', async () => {
  const id = await docker.network('brief', 90, '--label', 'tier=back');
  const network = await engine.inspect<{ Id: string; Driver: string; EnableIPv6: boolean }>('brief');
  expect(network).toMatchObject({ Id: id, Driver: driver, EnableIPv6: true, Labels: { tier: 'back' } });
  const ours = await host.vetch<{ id: string; subnets: string[] }[]>('network', 'ls');
  expect(ours.find((one) => one.id === id)?.subnets).toEqual(['10.90.0.0/16', 'fd00:90::/64']);
  await expect(host.vetch('network', 'rm', id)).rejects.toThrow(/belongs to Docker/);
  await engine.docker('network', 'rm', 'brief');
  expect(JSON.stringify(await host.vetch('network', 'ls'))).not.toContain(id);
});

test('a network without a subnet gets one, with the addresses of the engine or with ours', async () => {
  for (const flags of [[], ['--ipam-driver', driver === 'vetch' ? 'vetch' : 'default']]) {
    await engine.docker('network', 'create', '--driver', driver, ...flags, 'any');
    expect((await runTrue('--network', 'any')).stderr).toBe('');
    await engine.docker('network', 'rm', 'any');
  }
});

test('networks never share addresses, whoever hands them out', async () => {
  const again = await engine.attempt('network', 'create', '-d', driver, '--subnet', '10.88.3.0/24', 'again');
  expect(again.status).toBe(1);
  expect(again.stderr).toMatch(/overlap/i);
});

test('an option that nobody knows is refused by its name, and leaves no network', async () => {
  const result = await engine.attempt('network', 'create', '-d', driver, '-o', 'com.example.speed=ludicrous', 'odd');
  expect(result.stderr).toContain('com.example.speed');
  expect(await engine.docker('network', 'ls', '--format', '{{.Name}}')).not.toContain('odd');
});

test('a network in use is not removed', async () => {
  await engine.run('user', ['--network', 'app']);
  expect((await engine.attempt('network', 'rm', 'app')).stderr).toContain('has active endpoints');
  await engine.docker('rm', '--force', 'user');
});

test('a container runs, is entered, stopped, started, restarted and removed, and leaves nothing', async () => {
  const before = await docker.held();
  const box = await engine.run('box', ['--network', 'app']);
  const address = await box.address('app');
  expect(await box.must('ip', '-4', '-o', 'address', 'show', 'eth0')).toContain(`inet ${address}/16`);
  await engine.docker('stop', 'box');
  expect(await docker.held()).toEqual(before);
  for (const verb of ['start', 'restart']) {
    await engine.docker(verb, 'box');
    await box.serving([80]);
    expect(await ask(host, 'tcp', await box.address('app'), 80), verb).toMatchObject({ ok: true });
  }
  await engine.docker('rm', '--force', 'box');
  expect(await docker.held()).toEqual(before);
});

test('a container that cannot start leaves nothing', async () => {
  const before = await docker.held();
  const result = await engine.attempt('run', '--rm', '--network', 'app', '-p', '8090:80', 'links', '/no/such/program');
  expect(result.status).toBe(127);
  expect(await docker.held()).toEqual(before);
});

test('the addresses asked for stay across a restart, and one outside the subnet is refused', async () => {
  const flags = ['--network', 'app', '--ip', '10.88.7.7', '--ip6', 'fd00:88::77'];
  const fixed = await engine.run('fixed', flags);
  await engine.docker('restart', 'fixed');
  await fixed.serving([80]);
  for (const address of ['10.88.7.7', 'fd00:88::77'])
    expect(await ask(host, 'tcp', address, 80), address).toMatchObject({ ok: true });
  expect((await runTrue(...flags)).stderr).toMatch(/already in use/i);
  for (const outsider of [
    ['--ip', '10.99.0.7'],
    ['--ip6', 'fd00:99::7'],
  ]) {
    const refused = await runTrue('--network', 'app', ...outsider);
    expect(refused.status, outsider.join(' ')).toBe(125);
    expect(refused.stderr, outsider.join(' ')).toMatch(/subnet|pool|range/i);
  }
  await engine.docker('rm', '--force', 'fixed');
});

test('a container has the MAC that it was given, before its peers and itself', async () => {
  const mac = '02:42:ac:11:65:43';
  const [marked, other] = await Promise.all([
    engine.run('marked', ['--network', 'app', '--mac-address', mac]),
    engine.run('other', ['--network', 'app']),
  ]);
  expect(await marked.must('ip', 'link', 'show', 'eth0')).toContain(mac);
  const address = await marked.address('app');
  expect(await ping(other, address)).toBe(0);
  expect(await other.must('ip', 'neighbour', 'show', address)).toContain(mac);
  await engine.docker('rm', '--force', 'marked', 'other');
});

test('the MTU of a network is that of its devices', async () => {
  await docker.network('narrow', 91, '--opt', 'com.docker.network.driver.mtu=1400');
  const box = await engine.run('box', ['--network', 'narrow']);
  expect(await box.must('ip', 'link', 'show', 'eth0')).toContain('mtu 1400');
  await engine.docker('rm', '--force', 'box');
  await engine.docker('network', 'rm', 'narrow');
});

test('docker stats counts what a container receives and what it sends', async () => {
  const box = await engine.run('box', ['--network', 'app']);
  await ask(host, 'tcp', await box.address('app'), 80, '--size', '9000', '--count', '4');
  const io = await engine.docker('stats', '--no-stream', '--format', '{{.NetIO}}', 'box');
  const [received, sent] = io.split(' / ');
  expect(received).toMatch(/^[1-9][\d.]*kB$/);
  expect(sent).toMatch(/^[1-9][\d.]*kB$|^[1-9]\d\dB$/);
  await engine.docker('rm', '--force', 'box');
});

test('names, labels and compose projects of the engine are those that we show', async () => {
  await engine.run('shown', [
    '--network',
    'app',
    '--label',
    'tier=front',
    '--label',
    'com.docker.compose.project=shop',
  ]);
  await expect
    .poll(async () => (await host.vetch<{ name: string; labels: Record<string, string> }[]>('endpoint', 'ls'))[0], {
      timeout: 5000,
    })
    .toMatchObject({ name: 'shown', labels: { tier: 'front', 'com.docker.compose.project': 'shop' } });
  await engine.docker('rename', 'shown', 'renamed');
  await expect
    .poll(async () => (await host.vetch<{ name: string }[]>('endpoint', 'ls'))[0]?.name, { timeout: 5000 })
    .toBe('renamed');
  await engine.docker('rm', '--force', 'renamed');
});

test('the gateway bridge of the engine never appears', async () => {
  expect(await engine.docker('network', 'ls', '--format', '{{.Name}}')).not.toContain('docker_gwbridge');
  expect(await host.must('ip', '-o', 'link')).not.toContain('docker_gwbridge');
});
