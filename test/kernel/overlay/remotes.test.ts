import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { EndpointFlag, NetworkFlag, PublishFlag } from '../../../src/maps/generated/abi.ts';
import { formatAddress, linkLocalFromMac, parseAddress, parseMac } from '../../../src/model/address.ts';
import type { ClusterEndpoint, Node } from '../../../src/model/cluster.ts';
import type { PublishedPort } from '../../../src/model/endpoint.ts';
import type { Intent } from '../../../src/model/intent.ts';
import type { Network } from '../../../src/model/network.ts';
import { policyKey } from '../../../src/model/policy.ts';
import { numbered } from '../../../src/policy/testing/world.ts';
import { nodeValue } from '../../../src/reconcile/desired/remotes.ts';
import type { Host } from '../../../src/reconcile/host.ts';
import { observeLinks } from '../../../src/reconcile/observed/attachments.ts';
import { aNetwork, aNode, anIntent, aRemote } from '../../../src/reconcile/testing.ts';
import { slowness } from '../../lab/process.ts';
import { ip, OwnHost } from './own-host.ts';

// What a host's kernel holds of other hosts, by an intent that a cluster could have told: over real maps and devices.

const wide = aNetwork({ driver: 'overlay', number: 2048, mtu: 1450, name: 'wide' });
const local = aNetwork({ ...{ id: 'c'.repeat(64), number: 1, name: 'local' }, subnets: [] });
const [alpha, beta] = [aNode({ name: 'alpha' }), aNode({ name: 'beta', tunnel: '192.0.2.3' })];
const web = aRemote({ name: 'web', labels: { app: 'web' } });
const db = aRemote({ name: 'db', node: 'beta' });
const keyOf = ({ node, id }: ClusterEndpoint) => `${node}/${id}`;
const memberNode = 0x8000_0000;

function intentOf(
  networks: readonly Network[],
  nodes: readonly Node[] = [],
  remotes: readonly ClusterEndpoint[] = [],
  policies: Intent['policies'] = new Map(),
): Intent {
  return {
    ...anIntent(networks, []),
    ...{ policies, nodes: new Map(nodes.map((node) => [node.name, node])) },
    remotes: new Map(remotes.map((remote) => [keyOf(remote), remote])),
  };
}

const all = intentOf([wide], [alpha, beta], [web, db]);

let own: OwnHost;
let host: Host;
beforeAll(async () => {
  own = await OwnHost.create('192.0.2.1/24', '2001:db8::1/64');
});
afterAll(async () => own?.[Symbol.asyncDispose]());
beforeEach(async () => {
  const former = await own.open();
  await former.reconcile(intentOf([]));
  own.failures.length = 0;
  host = await own.open();
});

const overlay = () => own.netlink.link('vetchx0');
const far = () =>
  [...own.maps.endpoints.entries()]
    .filter(([{ network }]) => network === wide.number)
    .map(([{ addr }, { number, ifindex, flags }]) => `${formatAddress(addr)} ${number} at ${ifindex} flags ${flags}`)
    .sort();
const nodes = () =>
  [...own.maps.nodes.entries()].flatMap(([number, { addr }]) => {
    return addr.some((byte) => byte !== 0) ? [`${number} ${formatAddress(addr)}`] : [];
  });
const numbersOfNodes = () =>
  [...own.maps.nodeNumbers.entries()].map(([addr, number]) => `${number} ${formatAddress(addr)}`).sort();
const members = () => [...own.maps.members.entries()].map(([, member]) => member - memberNode).sort();
const generation = () => own.maps.config.get(0)?.generation ?? 0;
const entriesOf = (remote: ClusterEndpoint, number: number, node: number) =>
  [
    ...remote.addresses.map((address) => address.replace(/\/.*/, '')),
    formatAddress(linkLocalFromMac(parseMac(remote.mac))),
  ].map((address) => `${formatAddress(parseAddress(address))} ${number} at ${node} flags ${EndpointFlag.REMOTE}`);
const entriesOfBoth = () => [...entriesOf(web, 16_384, 1), ...entriesOf(db, 16_385, 2)].sort();
/** How many programs meet what comes from other hosts. */
const filters = () => {
  const ifindex = overlay()?.index ?? 0;
  const links = observeLinks(own.tree).filter((link) => link.hook === 'from_overlay' && link.ifindex === ifindex);
  const names = own.netlink.filters({ ifindex, parent: 'ingress' }).filter(({ name }) => name === 'from_overlay');
  return links.filter(({ live }) => live).length + names.length;
};

describe('what is on other hosts', () => {
  test('is in the maps after a pass, and gone with its network', async () => {
    await host.reconcile(all);
    expect([nodes(), far(), members()]).toEqual([
      ['0 192.0.2.1', '1 192.0.2.2', '2 192.0.2.3'],
      entriesOfBoth(),
      [1, 2],
    ]);
    const network = own.maps.networks.get(wide.number);
    expect([network?.members, (network?.flags ?? 0) & NetworkFlag.OVERLAY]).toEqual([2, NetworkFlag.OVERLAY]);
    // Nothing of it where the host's own processes look.
    expect([...own.maps.endpoints.entries()].filter(([{ network }]) => network !== wide.number)).toEqual([]);
    await host.reconcile(intentOf([], [alpha, beta], [web, db]));
    expect([far(), members(), overlay()]).toEqual([[], [], undefined]);
    expect(own.failures).toEqual([]);
  });

  test('is followed change by change to what a pass makes of it, which finds nothing to repair', async () => {
    await host.reconcile(intentOf([]));
    host.addNetwork(wide, [wide]);
    await host.applyRemotes(intentOf([wide], [alpha], [web]), { nodes: ['alpha'], remotes: [keyOf(web)] });
    await host.applyRemotes(all, { remotes: [keyOf(db)], nodes: ['beta'] });
    expect([far(), members()]).toEqual([entriesOfBoth(), [1, 2]]);
    await host.reconcile(all);
    expect([host.drift.total, own.failures]).toEqual([0, []]);
    const before = generation();
    await host.applyRemotes(intentOf([wide], [alpha], [web]), { nodes: ['beta'], remotes: [keyOf(db)] });
    expect([far(), members(), nodes()]).toEqual([
      entriesOf(web, 16_384, 1).sort(),
      [1],
      ['0 192.0.2.1', '1 192.0.2.2'],
    ]);
    expect(generation()).toBeGreaterThan(before);
    expect(numbersOfNodes()).toEqual(['1 192.0.2.2']);
    host.removeNetwork(wide, []);
    expect([far(), members(), overlay()]).toEqual([[], [], undefined]);
    await host.reconcile(intentOf([], [alpha], [web]));
    expect([host.drift.total, own.failures]).toEqual([0, []]);
  });

  test('has ports of this host lead there, change by change as by a pass, and not where something here has them', async () => {
    const at = (hostPort: number): PublishedPort[] =>
      ['0.0.0.0', '::'].map((hostAddress) => ({ protocol: 'tcp', hostAddress, hostPort, port: 80, scope: 'cluster' }));
    const leading = () =>
      [...own.maps.published.entries()]
        .map(
          ([{ addr, port }, value]) => `${formatAddress(addr)} ${port} to ${formatAddress(value.addr)} ${value.flags}`,
        )
        .sort();
    const bound = () => [...own.maps.boundPorts.entries()].map(([{ port, family }]) => `${port} ${family}`).sort();
    const [v4, v6] = web.addresses.map((address) => address.replace(/\/.*/, ''));
    const asked = { ...web, ports: at(8080) };
    await host.reconcile(intentOf([wide], [alpha, beta], [web, db]));
    await host.applyRemotes(intentOf([wide], [alpha, beta], [asked, db]), { remotes: [keyOf(web)] });
    const entries = [
      `0.0.0.0 8080 to ${v4} ${PublishFlag.REMOTE}`,
      `:: 8080 to ${formatAddress(parseAddress(v6 ?? ''))} ${PublishFlag.REMOTE}`,
    ];
    expect([leading(), bound()]).toEqual([entries, ['8080 4', '8080 6']]);
    expect([...own.maps.publishedLo.entries()]).toEqual([]);
    const rival = { ...db, ports: at(8080) };
    const all = intentOf([wide], [alpha, beta], [rival, asked]);
    await host.applyRemotes(all, { remotes: [keyOf(db)] });
    expect(host.warnings).toContainEqual(expect.stringMatching(/tcp port 8080 does not lead to wide\/db on host beta/));
    await host.reconcile(all);
    expect([leading(), host.drift.total]).toEqual([entries, 0]);
    const again = await own.open();
    await again.reconcile(all);
    expect(leading()).toEqual(entries);
    await again.applyRemotes(intentOf([wide], [alpha, beta], [rival]), { remotes: [keyOf(web)] });
    expect(leading()).toHaveLength(2);
    expect(leading()).not.toEqual(entries);
    await again.applyRemotes(intentOf([wide], [alpha, beta], [db]), { remotes: [keyOf(db)] });
    expect([leading(), bound(), again.drift.total]).toEqual([[], [], 0]);
  });

  test('is known by its tunnel for as long as a node under another name has the same one', async () => {
    const renamed = { ...beta, name: 'gamma' };
    await host.reconcile(all);
    await host.applyRemotes(intentOf([wide], [alpha, beta, renamed], [web, db]), { nodes: ['gamma'] });
    await host.applyRemotes(intentOf([wide], [alpha, renamed], [web]), { nodes: ['beta'], remotes: [keyOf(db)] });
    expect(numbersOfNodes()).toEqual(['1 192.0.2.2', '3 192.0.2.3']);
    await host.applyRemotes(intentOf([wide], [alpha], [web]), { nodes: ['gamma'] });
    expect(numbersOfNodes()).toEqual(['1 192.0.2.2']);
  });

  test('moves with its addresses, in whatever order its hosts tell', async () => {
    await host.reconcile(all);
    const moved = { ...web, node: 'beta', id: 'd'.repeat(64) };
    const before = generation();
    // The new host is faster than the old one.
    await host.applyRemotes(intentOf([wide], [alpha, beta], [web, db, moved]), { remotes: [keyOf(moved)] });
    expect(far()).toEqual([...entriesOf(moved, 16_386, 2), ...entriesOf(db, 16_385, 2)].sort());
    await host.applyRemotes(intentOf([wide], [alpha, beta], [db, moved]), { remotes: [keyOf(web)] });
    expect([far(), members()]).toEqual([[...entriesOf(moved, 16_386, 2), ...entriesOf(db, 16_385, 2)].sort(), [2]]);
    expect(generation()).toBeGreaterThan(before);
    await host.reconcile(intentOf([wide], [alpha, beta], [db, moved]));
    expect(host.drift.total).toBe(0);
  });

  test('keeps its numbers when a daemon starts anew', async () => {
    await host.reconcile(all);
    const again = await own.open();
    const order = intentOf([wide], [beta, alpha], [db, web]);
    const before = generation();
    await again.reconcile(order);
    expect([far(), nodes()]).toEqual([entriesOfBoth(), ['0 192.0.2.1', '1 192.0.2.2', '2 192.0.2.3']]);
    expect(again.remoteNumbered(16_384)?.remote.name).toBe('web');
    // A start takes everything back that a killed daemon may have wanted to, and nothing else.
    expect(generation() - before).toBeLessThanOrEqual(2);
  });

  test('is told to policy, as nobody who decides here', async () => {
    const documents = numbered(`
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: closed, namespace: wide }
spec: { podSelector: { matchLabels: { app: web } }, policyTypes: [Ingress, Egress] }
`);
    const policies = new Map(documents.map((document) => [policyKey(document), document]));
    await host.reconcile(intentOf([wide], [alpha, beta], [web, db], policies));
    const standings = (number: number) => own.maps.identities.get(2 * number)?.standing ?? [];
    const identities = () => [16_384, 16_385].flatMap((number) => standings(number).map(({ identity }) => identity));
    // The halves that no packet reads follow when those who did are gone.
    await expect.poll(() => new Set(identities()).size).toBe(2);
    for (const number of [16_384, 16_385]) expect(standings(number).map(({ flags }) => flags)).toEqual([0, 0]);
    expect([...own.maps.policy.entries()]).toEqual([]);
    const relabelled = { ...db, labels: { app: 'web' } };
    const other = intentOf([wide], [alpha, beta], [web, relabelled], policies);
    await host.applyRemotes(other, { remotes: [keyOf(db)] });
    expect(host.policy.standings(16_385)).toEqual(host.policy.standings(16_384));
    await host.reconcile(other);
    expect([host.drift.total, own.failures]).toEqual([0, []]);
  });
});

describe('the way to other hosts', () => {
  test('is there with the first network that spans them, open only after its program, and gone with the last', async () => {
    await host.reconcile(intentOf([local]));
    expect(overlay()).toBeUndefined();
    host.addNetwork(wide, [local, wide]);
    expect(overlay()).toMatchObject({ kind: 'vxlan', up: true, noarp: true, vxlan: { port: 4789, external: true } });
    expect(overlay()?.mtu).toBeGreaterThan(65_000);
    expect([filters(), own.maps.config.get(0)?.overlayIfindex]).toEqual([1, overlay()?.index]);
    const details = execFileSync('ip', ['-d', 'link', 'show', 'vetchx0'], { encoding: 'utf8' });
    expect(details).toMatch(/udp6zerocsumrx/);
    expect(execFileSync('cat', ['/proc/sys/net/ipv6/conf/vetchx0/disable_ipv6'], { encoding: 'utf8' })).toBe('1\n');
    host.removeNetwork(wide, [local]);
    expect([overlay(), own.maps.config.get(0)?.overlayIfindex]).toEqual([undefined, 0]);
  });

  test('is repaired, whatever somebody did to it, and each repair is counted', async () => {
    await host.reconcile(all);
    const repaired = async () => {
      await host.reconcile(all);
      expect([filters(), overlay()?.up, far()]).toEqual([1, true, entriesOfBoth()]);
      expect(own.maps.config.get(0)?.overlayIfindex).toBe(overlay()?.index);
      return host.drift.total;
    };
    expect(await repaired()).toBe(0);
    ip('link delete vetchx0');
    expect(await repaired()).toBe(1);
    ip('link set vetchx0 down');
    expect(await repaired()).toBe(2);
    ip('link delete vetchx0', 'link add vetchx0 type vxlan id 5 dstport 4790');
    expect(await repaired()).toBe(3);
    const [entry] = own.maps.endpoints.entries();
    if (entry) own.maps.endpoints.delete(entry[0]);
    own.maps.nodes.set(2, nodeValue(parseAddress('198.51.100.1')));
    own.maps.nodes.set(9, nodeValue(parseAddress('198.51.100.1')));
    const [slot] = own.maps.members.entries();
    if (slot) own.maps.members.set(slot[0], 77);
    expect(await repaired()).toBe(7);
    expect([nodes(), members()]).toEqual([
      ['0 192.0.2.1', '1 192.0.2.2', '2 192.0.2.3'],
      [1, 2],
    ]);
    expect(own.failures).toEqual([]);
  });

  test.each([
    ['vxlan external', 'link add other type vxlan external dstport 4789'],
    ['vxlan id 7 local 192.0.2.1 dev eth0', 'link add other type vxlan id 7 dstport 4789 dev eth0'],
  ])('is refused in one line where another device has the port: %s', async (_, line) => {
    await host.reconcile(intentOf([local]));
    ip(line, 'link set other up');
    try {
      const failure = expect.objectContaining({
        ...{ code: 'UNSUPPORTED', message: 'networks cannot span hosts here: device other has UDP port 4789' },
      });
      expect(() => host.addNetwork(wide, [local, wide])).toThrow(failure);
      host.removeNetwork(wide, [local]);
      expect([overlay(), own.maps.config.get(0)?.overlayIfindex]).toEqual([undefined, 0]);
      // One that is intended is told of, and all else is done.
      await host.reconcile(all);
      expect([own.failures.length, own.failures.at(0), far()]).toEqual([
        ...[1, expect.stringContaining('device other has UDP port 4789'), entriesOfBoth()],
      ]);
      expect(host.warnings).toContainEqual(expect.stringContaining('device other has UDP port 4789'));
    } finally {
      ip('link delete other');
    }
    await host.reconcile(all);
    expect([overlay()?.up, host.warnings.filter((line) => line.includes('4789'))]).toEqual([true, []]);
  });

  test('waits for an address, and follows it', async () => {
    ip('address delete 192.0.2.1/24 dev eth0', 'address delete 2001:db8::1/64 dev eth0');
    try {
      await host.reconcile(all);
      expect([overlay(), nodes(), own.failures]).toEqual([undefined, ['1 192.0.2.2', '2 192.0.2.3'], []]);
      expect(host.warnings).toContainEqual(expect.stringMatching(/no uplink of this host has an address/));
      ip('address add 192.0.2.99/24 dev eth0');
      await host.reconcile(all);
      expect([overlay()?.up, filters(), nodes()[0]]).toEqual([true, 1, '0 192.0.2.99']);
      expect(host.warnings.filter((line) => /uplink/.test(line))).toEqual([]);
    } finally {
      ip('address flush dev eth0', 'address add 192.0.2.1/24 dev eth0', 'address add 2001:db8::1/64 dev eth0 nodad');
    }
    await host.reconcile(all);
    expect([nodes()[0], host.drift.total]).toEqual(['0 192.0.2.1', 0]);
  });

  test('is told of where a node has no tunnel, or one of another family', async () => {
    const { tunnel, ...mute } = alpha;
    await host.reconcile(intentOf([wide], [mute, { ...beta, tunnel: '2001:db8::3' }], [web, db]));
    expect(tunnel).toBeDefined();
    expect(host.warnings.filter((line) => line.includes('host '))).toEqual([
      'host alpha has no address for tunnels: its endpoints are not reached from here',
      'host beta has its tunnel at 2001:db8::3 and this one at 192.0.2.1, of two families: they do not reach each other',
    ]);
  });
});

test(
  'a hundred thousand endpoints on other hosts are there in seconds, and one more costs what one does',
  async () => {
    // Under emulation a tenth says as much: what it takes is not meant there.
    const count = slowness > 1 ? 10_000 : 100_000;
    const remotes = Array.from({ length: count }, (_, i) => {
      const bytes = [i >> 16, (i >> 8) & 255, i & 255];
      return aRemote({
        ...{ id: i.toString(16).padStart(64, '0'), name: `far-${i}`, node: i % 2 ? 'alpha' : 'beta' },
        mac: `02:42:00:${bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(':')}`,
        addresses: [
          `10.${88 + (bytes[0] ?? 0)}.${bytes[1]}.${bytes[2]}/8`,
          `fd00:88::1${bytes[0]}:${(i & 0xffff).toString(16)}/64`,
        ],
      });
    });
    const intent = intentOf([wide], [alpha, beta], remotes);
    // Of the processor: what else the machine does is not meant.
    const seconds = async (work: () => Promise<void>) => {
      const began = process.cpuUsage();
      await work();
      const { user, system } = process.cpuUsage(began);
      return (user + system) / 1e6;
    };
    const first = await seconds(() => host.reconcile(intent));
    const again = await seconds(() => host.reconcile(intent));
    expect([host.drift.total, own.failures]).toEqual([0, []]);
    const next = aRemote({ name: 'next', addresses: ['10.99.0.1/8'], mac: '02:42:99:00:00:01' });
    const more = { ...intent, remotes: new Map([...intent.remotes, [keyOf(next), next]]) };
    const one = await seconds(() => host.applyRemotes(more, { remotes: [keyOf(next)] }));
    const gone = await seconds(() => host.applyRemotes(intent, { remotes: [keyOf(next)] }));
    expect(far()).toHaveLength(3 * count);
    expect(first).toBeLessThan(20 * slowness);
    expect(again).toBeLessThan(10 * slowness);
    expect(one).toBeLessThan(0.1 * slowness);
    expect(gone).toBeLessThan(0.1 * slowness);
  },
  120_000 * slowness,
);
