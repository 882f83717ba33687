import { afterAll, beforeAll, expect, test } from 'vitest';
import type { EndpointView } from '../../src/api/schemas/endpoint.ts';
import type { NetworkView } from '../../src/api/schemas/network.ts';
import type { NodeView } from '../../src/api/schemas/node.ts';
import { withoutLength } from '../../src/model/address.ts';
import { ClusterLab, patient } from './cluster-lab.ts';
import type { Host } from './host.ts';

// What the hosts of a cluster agree upon: networks, addresses, and who has them. Packets are overlay.test.ts's.

let cluster: ClusterLab;
let h1: Host;
let h2: Host;
let h3: Host;

beforeAll(async () => {
  cluster = await ClusterLab.create(['h1', 'h2']);
  [h1, h2, h3] = cluster.hosts;
});
afterAll(() => cluster?.[Symbol.asyncDispose]());

const overlay = ['--driver', 'overlay', '--subnet', '10.100.0.0/16', '--subnet', 'fd00:100::/64'];
const networks = async (host: Host) => (await host.vetch<NetworkView[]>('network', 'ls')).map(({ name }) => name);
const endpoints = (host: Host) => host.vetch<EndpointView[]>('endpoint', 'ls');
const places = async (host: Host) => (await endpoints(host)).map(({ name, node }) => `${name}@${node}`).sort();
const bare = (view: { readonly addresses: readonly string[] }) => view.addresses.map(withoutLength);
const warnings = async (host: Host) => (await host.status()).warnings;
const away = async (host: Host) => (await warnings(host)).filter((line) => line.includes('is away for'));

/** Of all endpoints that a host knows: no two may have one. */
async function addresses(host: Host): Promise<string[]> {
  const all = (await endpoints(host)).flatMap(bare);
  expect(new Set(all).size, 'addresses that differ').toBe(all.length);
  return all;
}

async function attach(host: Host, name: string, ...flags: string[]): Promise<string[]> {
  const [, endpoint] = await host.attach('app', name, ...flags);
  return bare(endpoint);
}

/** Their keys, as etcd has them. */
const heldAddresses = () => cluster.servers.etcdctl('get', '--prefix', '--keys-only', '/vetch/lab/addresses/');

let refusals = 0;

/** What attaching a new container is refused with. */
async function refusal(host: Host, ...flags: string[]): Promise<unknown> {
  const container = await host.container(`refused-${refusals++}`);
  const attached = host.vetch('endpoint', 'attach', 'app', '--netns', container.netns, ...flags);
  return attached.then(
    () => 'attached',
    (error: unknown) => error,
  );
}

test('a network that is made on one host is on the others, and its name is taken there', async () => {
  await h1.vetch('network', 'create', 'app', ...overlay, '--gateway', '10.100.0.1', '--aux-address', 'x=10.100.0.3');
  await expect.poll(() => networks(h2), patient).toEqual(['app']);
  const [one, two] = await Promise.all([h1, h2].map((host) => host.vetch<NetworkView>('network', 'inspect', 'app')));
  expect(two).toEqual(one);
  await expect(h2.vetch('network', 'create', 'app')).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
  await expect(h2.vetch('network', 'create', 'other', '--subnet', '10.100.7.0/24')).rejects.toMatchObject({
    code: 'SUBNET_OVERLAP',
  });
});

test('a host that joins late has it', async () => {
  await cluster.start('h3');
  expect(await networks(h3)).toEqual(['app']);
});

test('two hosts that make networks at one moment give them numbers and subnets of their own', async () => {
  await Promise.all([h1, h2, h3].map((host, at) => host.vetch('network', 'create', `n${at}`, '--driver', 'overlay')));
  for (const host of [h1, h2, h3]) await expect.poll(() => networks(host), patient).toEqual(['app', 'n0', 'n1', 'n2']);
  const views = await h1.vetch<NetworkView[]>('network', 'ls');
  expect(new Set(views.flatMap(({ subnets }) => subnets)).size).toBe(5);
  await h3.vetch('network', 'rm', 'n0', 'n1', 'n2');
  for (const host of [h1, h2, h3]) await expect.poll(() => networks(host), patient).toEqual(['app']);
});

test('containers of all hosts have addresses that differ, and all hosts list them', async () => {
  await Promise.all([h1, h2, h3].flatMap((host) => [1, 2].map((i) => attach(host, `${host.name}-${i}`))));
  const all = ['h1-1@h1', 'h1-2@h1', 'h2-1@h2', 'h2-2@h2', 'h3-1@h3', 'h3-2@h3'];
  for (const host of [h1, h2, h3]) {
    await expect.poll(() => places(host), patient).toEqual(all);
    const taken = await addresses(host);
    expect(taken).toHaveLength(12);
    for (const reserved of ['10.100.0.0', '10.100.0.1', '10.100.0.3']) expect(taken).not.toContain(reserved);
  }
  const view = await h1.vetch<NetworkView>('network', 'inspect', 'app');
  expect(view.endpoints).toEqual(['h1-1', 'h1-2', 'h2-1', 'h2-2', 'h3-1', 'h3-2']);
  const [node] = await h2.vetch<NodeView[]>('node', 'ls');
  expect(node?.tunnel).toBe(h1.address4);
});

test('what is on another host is shown, and changed there alone', async () => {
  const view = await h1.vetch<EndpointView>('endpoint', 'inspect', 'app/h2-1');
  expect(view).toMatchObject({ name: 'h2-1', network: 'app', node: 'h2', hostIfname: '' });
  for (const command of ['detach', 'label']) {
    const more = command === 'label' ? ['team=red'] : [];
    await expect(h1.vetch('endpoint', command, 'app/h2-1', ...more)).rejects.toMatchObject({
      code: 'INVALID',
      message: 'endpoint app/h2-1 is on host h2',
    });
  }
  await h2.vetch('endpoint', 'label', 'app/h2-1', 'team=red');
  await expect
    .poll(async () => (await h1.vetch<EndpointView>('endpoint', 'inspect', 'app/h2-1')).labels, patient)
    .toMatchObject({ team: 'red' });
});

test('a name or an address that another host has is refused', async () => {
  expect(await refusal(h1, '--name', 'h2-1')).toMatchObject({ code: 'ALREADY_EXISTS' });
  const { addresses: taken } = await h2.vetch<EndpointView>('endpoint', 'inspect', 'h2-1');
  const [address = ''] = taken.map(withoutLength);
  expect(await refusal(h1, '--ip', address)).toMatchObject({
    code: 'ADDRESS_TAKEN',
    message: `address ${address} of network app is held by host h2`,
  });
});

test('an attach that fails leaves the address that it asked for to others', async () => {
  const container = await h1.container('crowded');
  // The name of the device that it would get, as nobody sees who lists devices.
  await container.ip('link add other0 type bridge', 'link property add dev other0 altname eth0');
  const attached = h1.vetch('endpoint', 'attach', 'app', '--netns', container.netns, '--ip', '10.100.9.8');
  await expect(attached).rejects.not.toMatchObject({ code: 'ADDRESS_TAKEN' });
  await expect.poll(heldAddresses, patient).not.toContain('/10.100.9.8');
  expect(await attach(h2, 'second-try', '--ip', '10.100.9.8')).toContain('10.100.9.8');
  await h2.vetch('endpoint', 'detach', 'second-try');
});

test('a container that moves keeps its addresses, asked for or not', async () => {
  for (const flags of [['--ip', '10.100.9.9', '--ip', 'fd00:100::9:9'], []]) {
    const name = flags.length > 0 ? 'mover' : 'other-mover';
    const before = await attach(h1, name, ...flags);
    await h1.vetch('endpoint', 'detach', name);
    const ips = before.flatMap((address) => ['--ip', address]);
    const [, second] = await h2.attach('app', name, ...ips);
    expect(bare(second)).toEqual(before);
    await h2.vetch('endpoint', 'detach', second.name);
  }
});

test('a network with endpoints anywhere does not go', async () => {
  await h3.vetch('endpoint', 'detach', 'h3-1', 'h3-2');
  await expect.poll(async () => (await places(h3)).length, patient).toBe(4);
  await expect(h3.vetch('network', 'rm', 'app')).rejects.toMatchObject({
    code: 'IN_USE',
    message: expect.stringMatching(/network app has 4 endpoints: h1-1 on host h1/),
  });
});

test('when the leader of etcd dies nothing stops', async () => {
  const leader = await cluster.servers.leader();
  await cluster.servers.kill(leader);
  await attach(h3, 'after-leader');
  await h3.vetch('network', 'create', 'after', '--driver', 'overlay');
  await expect.poll(() => networks(h1), patient).toEqual(['after', 'app']);
  await h1.vetch('network', 'rm', 'after');
  await cluster.servers.restart(leader);
  await h3.vetch('endpoint', 'detach', 'after-leader');
});

test('without etcd a host attaches from what it holds in advance, and then says that there is no more', async () => {
  const before = new Set(await addresses(h1));
  cluster.pauseEtcd();
  try {
    await expect.poll(() => away(h1), patient).toHaveLength(1);
    for (let i = 0; i < 8; i++) {
      for (const address of await attach(h1, `away-${i}`)) expect(before).not.toContain(address);
    }
    expect(await refusal(h1)).toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringMatching(/^this host does not hold .* of network app/),
    });
    expect(await refusal(h2, '--ip', '10.100.77.7')).toMatchObject({ code: 'UNAVAILABLE' });
    await expect(h1.vetch('network', 'create', 'more', '--driver', 'overlay')).rejects.toMatchObject({
      code: 'UNAVAILABLE',
    });
    // A host that starts again without etcd has all of it.
    await h1.stopDaemon();
    await cluster.start('h1');
    expect(await networks(h1)).toEqual(['app']);
    await h1.vetch('endpoint', 'detach', 'away-0');
    await attach(h2, 'away-h2');
  } finally {
    cluster.resumeEtcd();
  }
  await expect.poll(() => away(h1), patient).toEqual([]);
  await expect.poll(async () => (await places(h3)).filter((name) => name.startsWith('away')), patient).toHaveLength(8);
  await addresses(h3);
  await attach(h1, 'back');
  const names = [1, 2, 3, 4, 5, 6, 7].map((i) => `away-${i}`);
  await h1.vetch('endpoint', 'detach', ...names, 'back');
  await h2.vetch('endpoint', 'detach', 'away-h2');
});

test('whoever asks etcd for an address while it hangs keeps nobody else waiting, and leaves nothing behind', async () => {
  await h1.vetch('network', 'create', 'own', '--subnet', '10.104.0.0/24');
  cluster.pauseEtcd();
  try {
    const asked = refusal(h1, '--ip', '10.100.55.5').then((error) => ({ error, at: Date.now() }));
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    await h1.attach('own', 'neighbour');
    await attach(h1, 'in-advance');
    const attached = Date.now();
    const { error, at } = await asked;
    expect(error).toMatchObject({ code: 'UNAVAILABLE', message: expect.stringContaining('10.100.55.5') });
    expect(at).toBeGreaterThan(attached);
  } finally {
    cluster.resumeEtcd();
  }
  await expect.poll(() => away(h1), patient).toEqual([]);
  await expect.poll(heldAddresses, patient).not.toContain('/10.100.55.5');
  expect(await attach(h2, 'asked', '--ip', '10.100.55.5')).toContain('10.100.55.5');
  await h2.vetch('endpoint', 'detach', 'asked');
  await h1.vetch('endpoint', 'detach', 'neighbour', 'in-advance');
  await h1.vetch('network', 'rm', 'own');
});

test('a host that was cut off and is back has kept its addresses, and nobody else has them', async () => {
  await cluster.cable(h2, false);
  await expect.poll(() => away(h2), patient).toHaveLength(1);
  await attach(h2, 'island');
  await attach(h1, 'mainland');
  // Its lease ends; its addresses do not.
  await expect.poll(async () => (await places(h1)).some((name) => name.endsWith('@h2')), patient).toBe(false);
  const { addresses: own } = await h2.vetch<EndpointView>('endpoint', 'inspect', 'h2-1');
  expect(await refusal(h1, '--ip', withoutLength(own[0] ?? ''))).toMatchObject({ code: 'ADDRESS_TAKEN' });
  await cluster.cable(h2, true);
  await expect.poll(() => places(h1), patient).toContain('island@h2');
  await expect.poll(() => places(h2), patient).toContain('mainland@h1');
  expect(await places(h1)).toEqual(await places(h2));
  await addresses(h1);
  await h2.vetch('endpoint', 'detach', 'island');
  await h1.vetch('endpoint', 'detach', 'mainland');
});

test('a network that was removed while a host was cut off stays there until its containers are gone', async () => {
  await h1.vetch('network', 'create', 'isle', '--driver', 'overlay', '--subnet', '10.103.0.0/16');
  await expect.poll(() => networks(h2), patient).toContain('isle');
  const held = () => cluster.servers.etcdctl('get', '--prefix', '/vetch/lab/addresses/', '--print-value-only');
  const { id } = await h2.vetch<NetworkView>('network', 'inspect', 'isle');
  const inAdvance = async () => (await held()).split('\n').filter((line) => line.includes(id) && line.includes('"h2"'));
  // It has not used the network yet, so that it holds nothing of it.
  expect(await inAdvance()).toEqual([]);
  await h2.attach('isle', 'scout');
  await expect.poll(async () => (await inAdvance()).length, patient).toBe(9);
  await h2.vetch('endpoint', 'detach', 'isle/scout');
  await expect.poll(async () => (await inAdvance()).length, patient).toBe(8);
  await cluster.cable(h2, false);
  try {
    await expect.poll(() => away(h2), patient).toHaveLength(1);
    const [container] = await h2.attach('isle', 'robinson');
    await h1.vetch('network', 'rm', 'isle');
    await cluster.cable(h2, true);
    const removed = 'another host has removed network isle, and it goes when its endpoints here are detached';
    await expect.poll(() => warnings(h2), patient).toContain(removed);
    await h2.stopDaemon();
    await cluster.start('h2');
    expect(await warnings(h2)).toContain(removed);
    expect((await container.exec('ping', '-n', '-c', '1', '-W', '2', '10.103.0.1')).status).toBe(0);
    await h2.vetch('endpoint', 'detach', 'robinson');
    expect(await networks(h2)).not.toContain('isle');
    expect(await warnings(h2)).not.toContain(removed);
  } finally {
    await cluster.cable(h2, true);
  }
});

test('a daemon that is stopped in order stays known, with its endpoints; one that is killed goes, until it is back', async () => {
  await h2.stopDaemon();
  await new Promise((resolve) => setTimeout(resolve, 20_000));
  expect(await places(h1)).toEqual(['h1-1@h1', 'h1-2@h1', 'h2-1@h2', 'h2-2@h2']);
  await cluster.start('h2');
  await h2.stopDaemon('SIGKILL');
  await expect.poll(() => places(h1), patient).toEqual(['h1-1@h1', 'h1-2@h1']);
  await cluster.start('h2');
  await expect.poll(() => places(h1), patient).toEqual(['h1-1@h1', 'h1-2@h1', 'h2-1@h2', 'h2-2@h2']);
});

test('what a dead host held is given back when it is forgotten, and not while it is there', async () => {
  const [address = ''] = await attach(h3, 'last');
  await expect(h1.vetch('node', 'forget', 'h3')).rejects.toMatchObject({ code: 'IN_USE' });
  await h3.stopDaemon('SIGKILL');
  await expect.poll(async () => (await h1.vetch<NodeView[]>('node', 'ls')).length, patient).toBe(2);
  expect(await refusal(h1, '--ip', address)).toMatchObject({ code: 'ADDRESS_TAKEN' });
  await h1.vetch('node', 'forget', 'h3');
  await expect(h1.vetch('node', 'forget', 'h3')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  expect(await attach(h2, 'heir', '--ip', address)).toContain(address);
  // Back from the dead, it finds that its endpoint's address is another's, and says so.
  await cluster.start('h3');
  await expect
    .poll(() => warnings(h3), patient)
    .toContainEqual(expect.stringMatching(new RegExp(`address ${address} of app/last is held by host h2`)));
  await h3.vetch('endpoint', 'detach', 'last');
  await h2.vetch('endpoint', 'detach', 'heir');
  await expect.poll(() => warnings(h3), patient).not.toContainEqual(expect.stringMatching(/is held by host/));
});

test('a host whose route a network overlaps goes without it, and has it when the route is gone', async () => {
  await h3.ip('route add 10.101.3.0/24 via 198.51.100.1');
  await h1.vetch('network', 'create', 'wide', '--driver', 'overlay', '--subnet', '10.101.0.0/16');
  await expect.poll(() => networks(h2), patient).toContain('wide');
  await expect
    .poll(() => warnings(h3), patient)
    .toContainEqual(expect.stringMatching(/goes without network wide of the cluster: subnet 10.101.0.0\/16 overlaps/));
  expect(await networks(h3)).not.toContain('wide');
  await expect(h3.vetch('network', 'create', 'wide')).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
  await h3.ip('route del 10.101.3.0/24');
  await expect.poll(() => networks(h3), patient).toContain('wide');
  await h3.vetch('network', 'rm', 'wide');
  for (const host of [h1, h2, h3]) await expect.poll(() => networks(host), patient).toEqual(['app']);
});

test('a host that leaves its cluster keeps its containers, and takes them along when it is back', async () => {
  const [first = ''] = await attach(h3, 'stays');
  await h3.stopDaemon();
  await h3.start();
  expect(await networks(h3)).toEqual(['app']);
  expect(await places(h3)).toEqual(['stays@h3']);
  const [second = ''] = await attach(h3, 'alone');
  await h3.vetch('network', 'create', 'own', '--driver', 'overlay', '--subnet', '10.102.0.0/16');
  await h3.stopDaemon();
  await cluster.start('h3');
  await expect.poll(() => networks(h1), patient).toEqual(['app', 'own']);
  await expect.poll(() => places(h1), patient).toContain('stays@h3');
  const views = await endpoints(h1);
  expect(views.find(({ name }) => name === 'stays')?.addresses).toContain(`${first}/16`);
  // What it took while it was alone may be another's: then it says so.
  expect(second).not.toBe('');
  await h3.vetch('endpoint', 'detach', 'stays', 'alone');
  await h1.vetch('network', 'rm', 'own');
});

test('the last host that detaches may remove the network, whoever holds addresses of it in advance', async () => {
  await h1.vetch('endpoint', 'detach', 'h1-1', 'h1-2');
  await h2.vetch('endpoint', 'detach', 'h2-1', 'h2-2');
  await expect.poll(() => h3.vetch('network', 'rm', 'app').then(() => 'gone', String), patient).toBe('gone');
  for (const host of [h1, h2, h3]) await expect.poll(() => networks(host), patient).toEqual([]);
  expect(await cluster.servers.etcdctl('get', '--prefix', '/vetch/lab/addresses/')).toBe('');
  for (const host of [h1, h2, h3]) expect(await warnings(host)).toEqual([]);
});
