import { afterAll, beforeAll, expect, test } from 'vitest';
import type { NetworkView } from '../../src/api/schemas/network.ts';
import type { NodeView } from '../../src/api/schemas/node.ts';
import type { DoctorCheck } from '../../src/api/schemas/status.ts';
import { WireguardControl } from '../../src/netlink/wireguard-control.ts';
import { Api } from './api.ts';
import { ClusterLab, patient } from './cluster-lab.ts';
import type { Host } from './host.ts';

// A network that is to be encrypted, on hosts whose kernel cannot: everything says so, and nothing is sent.

const wireguard = WireguardControl.open();
const present = 'this kernel has WireGuard';
const reason = 'networks cannot be encrypted here: this kernel has no WireGuard';

let cluster: ClusterLab;
let h1: Host;
let h2: Host;

beforeAll(async () => {
  if (wireguard) return wireguard.close();
  cluster = await ClusterLab.create(['h1', 'h2'], { members: 1 });
  [h1, h2] = cluster.hosts;
});
afterAll(() => cluster?.[Symbol.asyncDispose]());

const networks = async (host: Host) => (await host.vetch<NetworkView[]>('network', 'ls')).map(({ name }) => name);

test('such a network is not made', async ({ skip }) => {
  skip(wireguard !== undefined, present);
  const made = h1.vetch('network', 'create', 'app', '--driver', 'overlay', '--opt', 'encrypted');
  await expect(made).rejects.toMatchObject({
    code: 'UNSUPPORTED',
    message: `network app: ${reason}`,
    hint: expect.stringMatching(/^load the module wireguard, .* or leave out the option encrypted$/),
  });
  expect(await networks(h1)).toEqual([]);
  expect(await networks(h2)).toEqual([]);
});

test('one that a host with another kernel has made is there, and nobody is attached to it', async ({ skip }) => {
  skip(wireguard !== undefined, present);
  await h1.vetch('network', 'create', 'plain', '--driver', 'overlay', '--subnet', '10.101.0.0/24');
  const text = await cluster.servers.etcdctl('get', '--prefix', '/vetch/lab/networks/', '--print-value-only');
  const { id, number, ...plain } = JSON.parse(text) as { id: string; number: number };
  const other = {
    ...{ ...plain, id: `ff${id.slice(2)}`, number: number + 1, name: 'app', options: { encrypted: '' } },
    subnets: [{ cidr: '10.100.0.0/24', gateway: '10.100.0.1', aux: {} }],
  };
  await cluster.servers.etcdctl('put', `/vetch/lab/networks/${other.id}`, JSON.stringify(other));
  await expect.poll(() => networks(h2), patient).toContain('app');
  const container = await h2.container('c');
  const attached = h2.vetch('endpoint', 'attach', 'app', '--netns', container.netns);
  await expect(attached).rejects.toMatchObject({ code: 'UNSUPPORTED', message: `network app: ${reason}` });
  expect(await h2.vetch('endpoint', 'ls')).toEqual([]);
  expect(await h2.must('ip', '-o', 'link')).not.toContain('vetchwg');
  await h2.vetch('endpoint', 'attach', 'plain', '--netns', container.netns);
});

test('`status`, `doctor` and `node ls` say so, and there is no key to change', async ({ skip }) => {
  skip(wireguard !== undefined, present);
  const { warnings } = await h2.status();
  expect(warnings).toContainEqual(expect.stringMatching(new RegExp(`^${reason}: load the module wireguard`)));
  using api = new Api(h2);
  const checks = await api.call<DoctorCheck[]>('GET', '/doctor');
  expect(checks).toContainEqual(
    expect.objectContaining({ check: 'encryption', ok: false, detail: expect.stringContaining(reason) }),
  );
  const [first] = await h2.vetch<NodeView[]>('node', 'ls');
  expect(first).toMatchObject({ name: 'h1', rotating: false });
  expect(first).not.toHaveProperty('wireguard');
  await expect(h2.vetch('node', 'rotate-key')).rejects.toMatchObject({
    code: 'UNSUPPORTED',
    message: expect.stringMatching(new RegExp(`^host h2 has no key: ${reason}`)),
  });
});
