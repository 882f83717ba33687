import { afterAll, beforeAll, expect, test } from 'vitest';
import type { NodeView } from '../../src/api/schemas/node.ts';
import type { NamespaceView, PolicyView } from '../../src/api/schemas/policy.ts';
import type { Container } from './container.ts';
import { EtcdServers } from './etcd-servers.ts';
import type { Host } from './host.ts';
import { Lab } from './lab.ts';
import { ping } from './talk.ts';

// Two hosts and three members of etcd on one wire; a third host comes while etcd is away.

const patient = { timeout: 20_000, interval: 100 };

let lab: Lab;
let servers: EtcdServers;
let store: readonly string[];
let hosts: readonly [Host, Host];
/** On the second host, beside one that policy guards. */
let asking: Container;

beforeAll(async () => {
  lab = await Lab.create({ hosts: ['h1', 'h2', 'h3'], clients: ['etcd'], start: false });
  servers = await EtcdServers.start({ count: 3, machine: lab.client('etcd') });
  store = ['--store', `etcd://${servers.endpoints.join(',')}`, '--store-prefix', '/vetch/lab'];
  hosts = [lab.host('h1'), lab.host('h2')];
  await Promise.all(hosts.map((host) => host.start(...store)));
  for (const host of hosts) await host.vetch('network', 'create', 'app', '--subnet', '10.88.0.0/16');
  await hosts[1].attach('app', 'guarded', '--label', 'app=web');
  [asking] = await hosts[1].attach('app', 'asking');
  expect(await ping(asking, '10.88.0.2')).toBe(0);
});
afterAll(async () => {
  await servers?.[Symbol.asyncDispose]();
  await lab?.[Symbol.asyncDispose]();
});

const closed = (name: string) => `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: ${name}, namespace: app}
spec: {podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress]}`;

async function apply(host: Host, name: string): Promise<void> {
  await host.must('sh', '-c', `cat > /run/${name}.yaml <<E\n${closed(name)}\nE`);
  await host.vetch('policy', 'apply', '-f', `/run/${name}.yaml`);
}

const documents = async (host: Host) => (await host.vetch<PolicyView[]>('policy', 'ls')).map(({ name }) => name);
const away = async (host: Host) => (await host.status()).warnings.filter((line) => line.includes('is away for'));

function each(what: (index: number) => void): void {
  for (let i = 0; i < servers.count; i++) what(i);
}

test('the hosts know each other', async () => {
  for (const host of hosts) {
    await expect
      .poll(async () => (await host.vetch<NodeView[]>('node', 'ls')).map(({ name }) => name), patient)
      .toEqual(['h1', 'h2']);
  }
  const [first] = await hosts[1].vetch<NodeView[]>('node', 'ls');
  expect(first?.addresses).toEqual([hosts[0].address6, hosts[0].address4].sort());
});

test('a document that is applied on one host is enforced on the other, until a third deletes it', async () => {
  await apply(hosts[0], 'closed');
  await expect.poll(() => documents(hosts[1]), patient).toEqual(['closed']);
  const [view] = await hosts[1].vetch<PolicyView[]>('policy', 'ls');
  expect(view?.selects).toEqual(['guarded']);
  expect(await ping(asking, '10.88.0.2')).not.toBe(0);
  await hosts[1].vetch('policy', 'delete', '-n', 'app', 'closed');
  await expect.poll(() => documents(hosts[0]), patient).toEqual([]);
  expect(await ping(asking, '10.88.0.2')).toBe(0);
});

test('labels of a namespace are the same on both', async () => {
  await hosts[0].vetch('namespace', 'label', 'app', 'team=red');
  await hosts[1].daemon.until(/"namespaces":\["app"\].*changed by another host/);
  const labelled = await hosts[1].vetch<NamespaceView>('namespace', 'label', 'app', 'tier=front');
  expect(labelled.labels).toMatchObject({ team: 'red', tier: 'front' });
});

test('documents applied on both at once are all there, on both', async () => {
  await Promise.all(hosts.flatMap((host, at) => [0, 1].map((i) => apply(host, `both-${at}-${i}`))));
  const all = ['both-0-0', 'both-0-1', 'both-1-0', 'both-1-1'];
  for (const host of hosts) await expect.poll(() => documents(host), patient).toEqual(all);
  for (const name of all) await hosts[0].vetch('policy', 'delete', '-n', 'app', name);
  await expect.poll(() => documents(hosts[1]), patient).toEqual([]);
});

test('with etcd away a host goes on, starts again with what it knew, and says what does not work', async () => {
  await apply(hosts[0], 'closed');
  await expect.poll(() => documents(hosts[1]), patient).toEqual(['closed']);
  each((i) => servers.pause(i));
  try {
    for (const host of hosts) await expect.poll(() => away(host), patient).toHaveLength(1);
    // What is a host's own goes on.
    const [container] = await hosts[1].attach('app', 'late');
    expect(await ping(container, '10.88.0.3')).toBe(0);
    await hosts[1].vetch('endpoint', 'detach', 'late');
    // What is everybody's does not. A change that is sent in the first 3 s waits for an answer, and may be made after all.
    await new Promise((resolve) => setTimeout(resolve, 3_500));
    await expect(hosts[0].vetch('policy', 'delete', '-n', 'app', 'closed')).rejects.toMatchObject({
      code: 'UNAVAILABLE',
    });
    await hosts[1].stopDaemon();
    await hosts[1].start(...store);
    expect(await documents(hosts[1])).toEqual(['closed']);
    expect(await away(hosts[1])).toHaveLength(1);
    expect(await ping(asking, '10.88.0.2')).not.toBe(0);
  } finally {
    each((i) => servers.resume(i));
  }
  for (const host of hosts) await expect.poll(() => away(host), patient).toEqual([]);
  await hosts[1].vetch('policy', 'delete', '-n', 'app', 'closed');
  await expect.poll(() => documents(hosts[0]), patient).toEqual([]);
  expect(await ping(asking, '10.88.0.2')).toBe(0);
});

test('a host that joins while etcd is away says what it waits for, and is in when it is back', async () => {
  const h3 = lab.host('h3');
  await apply(hosts[0], 'closed');
  each((i) => servers.pause(i));
  const starting = h3.start(...store);
  try {
    await expect.poll(() => outputOf(h3), patient).toMatch(/waiting for the cluster's store.*no answer in time/);
  } finally {
    each((i) => servers.resume(i));
  }
  await starting;
  expect(await documents(h3)).toEqual(['closed']);
});

function outputOf(host: Host): string {
  try {
    return host.daemon.output;
  } catch {
    return '';
  }
}

test('policies go along with a host that leaves the cluster, and with one that joins', async () => {
  const h3 = lab.host('h3');
  await h3.stopDaemon();
  await h3.start();
  expect(await documents(h3)).toEqual(['closed']);
  await apply(h3, 'own');
  await h3.stopDaemon();
  await h3.start(...store);
  expect(await documents(h3)).toEqual(['closed', 'own']);
  await expect.poll(() => documents(hosts[0]), patient).toEqual(['closed', 'own']);
});

test('a host whose daemon is killed is gone for the others after its lease, and back with it', async () => {
  const names = async () => (await hosts[0].vetch<NodeView[]>('node', 'ls')).map(({ name }) => name);
  await expect.poll(names, patient).toEqual(['h1', 'h2', 'h3']);
  await lab.host('h3').stopDaemon('SIGKILL');
  await expect.poll(names, { ...patient, timeout: 40_000 }).toEqual(['h1', 'h2']);
  await lab.host('h3').start(...store);
  await expect.poll(names, patient).toEqual(['h1', 'h2', 'h3']);
});

test('a second host of one name is refused', async () => {
  const h3 = lab.host('h3');
  await h3.stopDaemon();
  await expect(h3.start(...store, '--node', 'h1')).rejects.toThrow(/IN_USE.*another host is in the cluster as h1/);
});
