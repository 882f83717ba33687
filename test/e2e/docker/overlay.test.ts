import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { EndpointView } from '../../../src/api/schemas/endpoint.ts';
import type { NetworkView } from '../../../src/api/schemas/network.ts';
import { ClusterLab, patient } from '../../lab/cluster-lab.ts';
import type { Container } from '../../lab/container.ts';
import { Engine } from '../../lab/engine.ts';
import type { EngineContainer } from '../../lab/engine-container.ts';
import type { Host } from '../../lab/host.ts';
import { dig, LabResolver } from '../../lab/resolver.ts';
import { ask, ping } from '../../lab/talk.ts';
import { askInVain } from './docker-lab.ts';

// Networks that span hosts, from Docker: an engine on each of three, and on h3 a container without one beside it. Docker's
// own driver needs a swarm.

const [subnet, gateway] = ['10.100.0.0/24', '10.100.0.1'];
const subnets = ['--ipv6', '--subnet', subnet, '--subnet', 'fd00:100::/64'];
const resolver = '/run/vetch-resolver';
const programs = new URL('../../lab/programs/', import.meta.url).pathname;

let cluster: ClusterLab;
let [h1, h2, h3]: Host[] = [];
let one: Engine;
let two: Engine;
let three: Engine;
let web: EngineContainer;
let peer: EngineContainer;
let third: EngineContainer;
let outsider: Container;

beforeAll(async () => {
  cluster = await ClusterLab.create([]);
  [h1, h2, h3] = cluster.hosts;
  const daemonFlags = [...cluster.store, '--resolver', resolver];
  // An engine takes no subnet that a name server of the host's is in, unless it is named.
  await host(h2).must(...['sh', '-ec', '(cat /etc/resolv.conf; echo nameserver 2001:db8::53) > /run/resolv.conf']);
  await host(h2).must('mount', '--bind', '/run/resolv.conf', '/etc/resolv.conf');
  const started = cluster.hosts.map((at) => Engine.start(at, { daemonFlags, liveRestore: at === h1 }));
  [one, two, three] = (await Promise.all(started)) as [Engine, Engine, Engine];
  await Promise.all(cluster.hosts.map((at) => new LabResolver(at).start()));
  await host(h3).vetch('network', 'create', 'app', '--driver', 'overlay', ...subnets.slice(1));
  await host(h3).vetch('network', 'create', 'plain', '--driver', 'overlay');
  [outsider] = await host(h3).attach('app', 'outsider');
  const flags = ['--network', 'app', '--dns', gateway];
  const join = async (engine: Engine, name: string, ...more: string[]) => {
    await vi.waitUntil(() => names(engine.host).then((all) => all.includes('app')), patient);
    await engine.docker(...joining('app', ...subnets), 'app');
    return engine.run(name, [...flags, ...more]);
  };
  const running = [join(one, 'web', '--publish', '8080:80'), join(two, 'peer'), join(three, 'third')];
  [web, peer, third] = (await Promise.all(running)) as [EngineContainer, EngineContainer, EngineContainer];
});
afterAll(() => cluster?.[Symbol.asyncDispose]());

function host(found: Host | undefined): Host {
  if (!found) throw new Error('the lab lacks a host');
  return found;
}

const joining = (network: string, ...flags: string[]) => [
  ...['network', 'create', '-d', 'vetch', '-o', 'vetch.driver=overlay', '-o', `vetch.network=${network}`],
  ...['--ipam-driver', 'vetch', '--ipam-opt', `vetch.network=${network}`, ...flags],
];

const names = async (at: Host) => (await at.vetch<NetworkView[]>('network', 'ls')).map(({ name }) => name);
const endpoints = (at: Host) => at.vetch<EndpointView[]>('endpoint', 'ls');
const idOf = async (at: Host, name: string) => (await at.vetch<NetworkView>('network', 'inspect', name)).id;

/** Calls our IPAM driver as an engine does. */
async function ipam(at: Host, call: string, body: unknown): Promise<Record<string, string>> {
  const url = `http://localhost/IpamDriver.${call}`;
  const said = await at.must(
    'curl',
    '-s',
    '--unix-socket',
    `${one.plugins}/vetch.sock`,
    '-d',
    JSON.stringify(body),
    url,
  );
  return JSON.parse(said) as Record<string, string>;
}

async function expectTalk(from: Container | EngineContainer, address: string, name: string): Promise<void> {
  expect(await ping(from, address), `${from.name} to ${name}`).toBe(0);
  const { ok, reply } = await ask(from, 'tcp', address, 80);
  expect([ok, reply?.startsWith(name)], `${from.name} to ${name}`).toEqual([true, true]);
}

test('containers of all engines are in one network, each with addresses of its own', async () => {
  const ids = await Promise.all(cluster.hosts.map((at) => idOf(at, 'app')));
  expect(new Set(ids).size).toBe(1);
  for (const at of cluster.hosts) {
    const all = () => endpoints(at).then((views) => views.map(({ name, node }) => `${name}@${node}`).sort());
    await expect.poll(all, patient).toEqual(['outsider@h3', 'peer@h2', 'third@h3', 'web@h1']);
    const addresses = (await endpoints(at)).flatMap((view) => view.addresses);
    expect([addresses.length, new Set(addresses).size]).toEqual([8, 8]);
  }
  expect(await web.must('ip', 'route')).toContain(`default via ${gateway} dev eth0`);
});

/** Small packets, the largest ones, none that is larger, fragments, and bulk: in one process, for each `docker exec` takes long. */
function talk(address: string, name: string): string[] {
  const headers = address.includes(':') ? 48 : 28;
  const script = `
    small() { ping -n -q -c 1 -W 2 "$@" $0; }
    small
    for transport in tcp udp; do python3 ${programs}client.py $transport $0 80 | grep '"reply": "${name} '; done
    small -M do -s ${1450 - headers}
    ! small -M do -s ${1451 - headers}
    small -s 4000
    test "$(python3 ${programs}bulk.py send $0 91 3000000)" = 3000000`;
  return ['sh', '-exc', script, address];
}

test('containers of every two engines talk, over both families: small and large packets, and bulk', async () => {
  const all = [web, peer, third];
  for (const one of all) await one.spawn('python3', `${programs}bulk.py`, 'serve', '91').until(/ready/);
  const reach = async (from: EngineContainer, to: EngineContainer) => {
    for (const family of [4, 6] as const) {
      const { status, stdout, stderr } = await from.exec(...talk(await to.address('app', family), to.name));
      expect(status, `${from.name} to ${to.name}, IPv${family}: ${stdout}${stderr}`).toBe(0);
    }
  };
  for (const from of all) for (const to of all) if (to !== from) await reach(from, to);
  // And whoever is on the same host without an engine.
  for (const to of all) await expectTalk(outsider, await to.address('app'), to.name);
});

test('a published port is served by the host that its container is on', async () => {
  const outside = cluster.lab.client('outside');
  expect((await ask(outside, 'tcp', host(h1).address4, 8080)).reply).toMatch(/^web /);
  expect(await askInVain(outside, 'tcp', host(h2).address4, 8080)).toMatchObject({ ok: false });
});

test("names of other hosts' containers are resolved", async () => {
  const [web4, peer4] = [await web.address('app'), await peer.address('app')];
  for (const [from, name, address] of [
    [web, 'peer', peer4],
    [peer, 'web', web4],
  ] as const) {
    for (const server of [gateway, '127.0.0.11']) {
      for (const question of [name, `${name}.app`]) {
        expect((await dig(from, server, 'A', question)).data, `${question} at ${server}`).toEqual([address]);
      }
    }
  }
});

test('a container that moves to another host keeps its addresses, and is reached there within a second', async () => {
  const addresses = ['10.100.0.200', 'fd00:100::200'] as const;
  const flags = ['--network', 'app', '--ip', addresses[0], '--ip6', addresses[1]];
  await one.run('mover', flags);
  for (const from of [peer, third, outsider]) {
    for (const address of addresses) await expectTalk(from, address, 'mover');
  }
  const elsewhere = await two.attempt(...two.runArguments('thief', flags), 'links', 'true');
  expect([elsewhere.status, elsewhere.stderr]).toEqual([125, expect.stringMatching(/10\.100\.0\.200 .*host h1/)]);
  await two.docker('rm', '--force', 'thief');
  await one.docker('rm', '--force', 'mover');
  await two.run('mover', flags);
  const late = Date.now() + 1_000;
  for (const address of addresses) {
    let status = 1;
    while (status !== 0 && Date.now() < late) status = await ping(outsider, address, '-W', '0.2');
    expect(status, address).toBe(0);
  }
  for (const from of [web, third, outsider]) {
    for (const address of addresses) await expectTalk(from, address, 'mover');
  }
  await two.docker('rm', '--force', 'mover');
});

test('an address that was asked for outlives our daemon, and is free once the engine gives it back', async () => {
  const address = '10.100.0.77';
  const { PoolID } = await ipam(host(h1), 'RequestPool', { Pool: subnet, Options: { 'vetch.network': 'app' } });
  expect(await ipam(host(h1), 'RequestAddress', { PoolID, Address: address })).toMatchObject({
    Address: `${address}/24`,
  });
  const automatic = await ipam(host(h1), 'RequestAddress', { PoolID });
  await host(h1).stopDaemon('SIGKILL');
  await expectTalk(peer, await web.address('app'), 'web');
  await host(h1).start(...one.vetchFlags);
  for (const engine of [one, two]) {
    const { status } = await engine.attempt(
      ...engine.runArguments('thief', ['--network', 'app', '--ip', address]),
      ...['links', 'true'],
    );
    expect(status, engine.host.name).toBe(125);
    await engine.docker('rm', '--force', 'thief');
  }
  expect((await ipam(host(h1), 'RequestAddress', { PoolID })).Address).not.toBe(automatic.Address);
  await ipam(host(h1), 'ReleaseAddress', { PoolID, Address: address });
  await two.run('late', ['--network', 'app', '--ip', address]);
  await expectTalk(web, address, 'late');
  await two.docker('rm', '--force', 'late');
  await ipam(host(h1), 'ReleasePool', { PoolID });
});

test('an engine that starts anew, in order or not, finds its containers and their addresses', async () => {
  const before = await web.address('app');
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    await one.restart(signal);
    expect(await web.address('app')).toBe(before);
    await expectTalk(peer, before, 'web');
    await expectTalk(web, await peer.address('app'), 'peer');
  }
  // Without --live-restore its containers stop with it.
  await two.restart();
  await two.docker('start', 'peer');
  await peer.serving([80]);
  await expect.poll(async () => (await askInVain(web, 'tcp', await peer.address('app'), 80)).ok, patient).toBe(true);
});

test('while etcd is away containers start with addresses that were held before, and are reached when it is back', async () => {
  cluster.pauseEtcd();
  const asker = one.attempt(
    ...one.runArguments('asker', ['--network', 'app', '--ip', '10.100.0.201']),
    'links',
    'true',
  );
  const late = await one.run('late', ['--network', 'app']).finally(() => asker.finally(() => cluster.resumeEtcd()));
  const { status, stderr } = await asker;
  expect([status, stderr]).toEqual([125, expect.stringMatching(/does not hold 10\.100\.0\.201 of network app/)]);
  await one.docker('rm', '--force', 'asker');
  const address = await late.address('app');
  await expectTalk(web, address, 'late');
  await expect.poll(async () => (await askInVain(peer, 'tcp', address, 80)).ok, patient).toBe(true);
  await one.docker('rm', '--force', 'late');
  const asking = ['--network', 'app', '--ip', '10.100.0.201'];
  await vi.waitFor(() => two.docker(...two.runArguments('asker', [...asking, '--rm']), 'links', 'true'), patient);
});

test('the first engine makes the network, others join it without its subnet; each leaves it alone', async () => {
  await one.docker(...joining('made', '--ipv6'), 'made');
  await vi.waitUntil(() => names(host(h2)).then((all) => all.includes('made')), patient);
  const { stderr } = await two.attempt(...joining('made'), 'elsewhere');
  expect(stderr).toMatch(/made of the cluster has .* and .* \(give --ipv6 too\)/);
  await two.docker(...joining('made', '--ipv6'), 'elsewhere');
  expect(await idOf(host(h2), 'made')).toBe(await idOf(host(h1), 'made'));
  const [left, right] = [
    await one.run('left', ['--network', 'made']),
    await two.run('right', ['--network', 'elsewhere']),
  ];
  for (const family of [4, 6] as const) await expectTalk(left, await right.address('elsewhere', family), 'right');
  // An engine asks on and on for another IPv4 subnet when it is told one that the host has a route to.
  const { subnets } = await host(h2).vetch<NetworkView>('network', 'inspect', 'made');
  const { IPAM } = await two.inspect<{ IPAM: { Config: { Subnet: string }[] } }>('--type', 'network', 'elsewhere');
  expect(IPAM.Config.map(({ Subnet }) => Subnet)).toEqual(['0.0.0.0/0', subnets[1]]);
  await one.docker('rm', '--force', 'left');
  await one.docker('network', 'rm', 'made');
  const [last] = await host(h3).attach('made', 'last');
  await expectTalk(last, await right.address('elsewhere'), 'right');
  for (const at of cluster.hosts) expect(await names(at)).toContain('made');
  await one.docker(...joining('made', '--ipv6'), 'again');
  await expectTalk(await one.run('left', ['--network', 'again']), await right.address('elsewhere'), 'right');
});

test('what an engine has lost with its disk goes, and it may join again', async () => {
  const at = join(host(h2).state, '..', 'docker', 'data', 'network', 'files', 'local-kv.db');
  await two.docker('stop', '--time', '1', 'right', 'peer');
  await two.down();
  rmSync(at);
  await two.up();
  await expect
    .poll(async () => (await two.attempt(...joining('made', '--ipv6'), 'anew')).status, {
      timeout: 30_000,
      interval: 1_000,
    })
    .toBe(0);
  await vi.waitUntil(async () => (await two.attempt(...joining('app', ...subnets), 'app')).status === 0, patient);
  peer = await two.run('other-peer', ['--network', 'app']);
  await expectTalk(web, await peer.address('app'), 'other-peer');
});

test.each<[string, readonly string[], RegExp]>([
  ['without our IPAM driver', ['-o', 'vetch.network=new'], /addresses of network new are the cluster's.*--ipam-opt/],
  ['without a network', [], /not said which network of the cluster.*-o vetch\.network=NAME/],
  [
    'of another network than its addresses',
    ['-o', 'vetch.network=new', '--ipam-driver', 'vetch', '--ipam-opt', 'vetch.network=other'],
    /addresses of network new are the cluster's.*--ipam-opt vetch\.network=new/,
  ],
  ['that the engine has already', joining('app', ...subnets).slice(6), /is network app of the cluster on this host/],
  ['of another subnet', joining('app', '--subnet', '10.9.0.0/24').slice(6), /app of the cluster has 10\.100\.0\.0\/24/],
  ['of a family that it has not', joining('plain', '--ipv6').slice(6), /plain of the cluster has no IPv6 subnet/],
])('a network %s is refused in one line, and nothing stays', async (_what, flags, words) => {
  const before = await names(host(h2));
  const create = ['network', 'create', '-d', 'vetch', '-o', 'vetch.driver=overlay'];
  const { status, stderr } = await two.attempt(...create, ...flags, 'refused');
  expect(status).not.toBe(0);
  expect(stderr.trim()).toMatch(words);
  expect(stderr.trim()).not.toContain('\n');
  expect(await names(host(h2))).toEqual(before);
});

test('addresses of the cluster are not for a network of one host', async () => {
  const flags = ['--ipam-driver', 'vetch', '--ipam-opt', 'vetch.network=new'];
  const { stderr } = await two.attempt('network', 'create', '-d', 'vetch', ...flags, 'refused');
  expect(stderr).toMatch(/vetch\.network=new is for networks of driver overlay/);
});

test('once no host has a container in it the network goes, whatever engines have joined it', async () => {
  await expect(host(h3).vetch('network', 'rm', 'app')).rejects.toMatchObject({ code: 'IN_USE' });
  await one.docker('rm', '--force', 'web');
  await two.docker('rm', '--force', 'peer', 'other-peer');
  await three.docker('rm', '--force', 'third');
  await host(h3).vetch('endpoint', 'detach', 'app/outsider');
  await vi.waitFor(() => host(h3).vetch('network', 'rm', 'app'), patient);
  await vi.waitUntil(async () => !(await names(host(h1))).includes('app'), patient);
  const { stderr } = await one.attempt(...one.runArguments('late', ['--network', 'app']), 'links', 'true');
  expect(stderr).toMatch(/the cluster has no network app any more/);
  await one.docker('rm', '--force', 'late');
  await one.docker('network', 'rm', 'app');
});
