import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sampleEndpoint, sampleNetwork } from '../../../test/compliance/store-records.ts';
import { PolicyCompiler } from '../../policy/compiler.ts';
import type { PolicyEndpoint } from '../../policy/identity/policy-endpoint.ts';
import type { ClusterStore } from '../../store/cluster-contract.ts';
import { type EmbeddedStore, openEmbeddedStore } from '../../store/embedded.ts';
import type { PolicyContext } from '../context.ts';
import { Mutex } from '../mutex.ts';
import type { PolicyEngine } from '../policy-engine.ts';
import { loadIntent, State } from '../state.ts';
import { explainPolicy } from './explain-policy.ts';
import { labelNamespace } from './namespaces.ts';
import { applyPolicies, deletePolicy, getPolicy, listPolicies } from './policies.ts';

/** By `NODE/ID`. */
function remoteNumbers({ remotes }: Pick<State['index'], 'remotes'>): Map<string, number> {
  return new Map([...remotes.keys()].map((key, i) => [key, 16_384 + i]));
}

/** The compiler, without a kernel that follows it. */
function compiled({ index }: State, capacities?: { readonly pairs: number }): PolicyEngine {
  const compiler = () => {
    const fresh = new PolicyCompiler({ node: 'a', ...(capacities ? { capacities } : {}) });
    const { policies: documents, namespaces } = index;
    const endpoints = Array.from(index.endpoints.values(), ({ number, name, labels, addresses }) => {
      return [number, { number, name, labels, addresses, network: 'network-1', driver: 'bridge' }] as const;
    });
    const remotes = [...index.remotes].map(([key, { name, labels, addresses }]) => {
      const number = remoteNumbers(index).get(key) ?? 0;
      return [
        number,
        { number, name, labels, addresses, network: 'network-1', driver: 'bridge', remote: true },
      ] as const;
    });
    const gateways = [...index.networks.values()].flatMap(({ subnets }) => subnets.map(({ gateway }) => gateway));
    const all = new Map<number, PolicyEndpoint>([...endpoints, ...remotes]);
    fresh.update({ documents, namespaces, endpoints: all, hostAddresses: gateways });
    return fresh;
  };
  return {
    get tables() {
      return compiler().tables;
    },
    isHost: () => false,
    remoteNumber: (key) => remoteNumbers(index).get(key),
    domainsOf: (number) => compiler().domainsOf(number),
    onStandings: () => () => {},
    documentNumbered: (number) => compiler().documentNumbered(number),
    selected: (key) => compiler().selected(key),
    async change(update, store) {
      compiler().update(update);
      await store?.();
    },
  };
}

const directory = mkdtempSync(join(tmpdir(), 'vetch-policies-'));
let store: EmbeddedStore;
let context: PolicyContext;

async function start(capacities?: { readonly pairs: number }): Promise<void> {
  store = await openEmbeddedStore(directory);
  const log = pino({ level: 'silent' });
  const { intent } = await loadIntent(store, await store.cluster.load(), [], log);
  const state = new State(intent);
  const policy = compiled(state, capacities);
  context = { lock: new Mutex(), log, policy, state, cluster: store.cluster };
}

const network = sampleNetwork(1);
beforeEach(async () => {
  await start();
  for (const number of [1, 2]) {
    const endpoint = sampleEndpoint(number, network, { labels: { app: number === 1 ? 'web' : 'db' } });
    context.state.index.putNetwork(network);
    context.state.index.putEndpoint(endpoint);
  }
  await store.putNetwork(network);
  for (const endpoint of context.state.index.endpoints.values()) await store.putEndpoint(endpoint);
});
afterEach(async () => {
  await store.close();
  rmSync(directory, { recursive: true, force: true });
});

const apply = (spec: string, name = 'p') =>
  applyPolicies(context, {
    file: 'p.yaml',
    text: `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: ${name}, namespace: network-1}\nspec: ${spec}\n`,
  });
const verdict = (from: string, to: string) => explainPolicy(context, { from, to, port: '80' }).verdict;

test('what is applied holds, is stored, and holds after a restart under the same number', async () => {
  const [applied] = await apply('{podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: {}}]}]}');
  expect(applied).toMatchObject({ namespace: 'network-1', name: 'p', selects: ['web-2'], rules: 1 });
  expect([verdict('web-1', 'web-2'), verdict('world', 'web-2'), verdict('192.0.2.1', 'web-2')]).toEqual([
    'allow',
    'deny',
    'deny',
  ]);
  const before = context.state.index.policies;
  await store.close();
  await start();
  expect(context.state.index.policies).toEqual(before);
  expect([verdict('world', 'web-2'), verdict('world', 'web-1'), verdict('host', 'web-2')]).toEqual([
    'deny',
    'allow',
    'allow',
  ]);
});

test('a document keeps its number when it is replaced, and no other soon gets that of one that is gone', async () => {
  const numbers = () => [...context.state.index.policies.values()].map(({ name, number }) => `${name} ${number}`);
  await apply('{podSelector: {}}', 'a');
  await apply('{podSelector: {}}', 'b');
  await apply('{podSelector: {matchLabels: {app: web}}}', 'a');
  expect(numbers()).toEqual(['a 1', 'b 2']);
  await deletePolicy(context, 'a', undefined);
  await apply('{podSelector: {}}', 'c');
  expect(numbers()).toEqual(['b 2', 'c 3']);
  expect(listPolicies(context).map(({ name }) => name)).toEqual(['b', 'c']);
  expect(getPolicy(context, 'netpol/c', 'network-1')).toEqual({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'c', namespace: 'network-1', labels: undefined, annotations: undefined },
    spec: { podSelector: {} },
  });
});

test('what does not fit is refused, and neither holds nor is stored', async () => {
  await store.close();
  await start({ pairs: 1 });
  await expect(apply('{podSelector: {}, policyTypes: [Ingress, Egress]}')).rejects.toMatchObject({ code: 'MAP_FULL' });
  expect([verdict('world', 'web-1'), (await store.cluster.load()).policies.size, listPolicies(context)]).toEqual([
    'allow',
    0,
    [],
  ]);
});

test('what cannot be stored does not hold either', async () => {
  const failing = async () => {
    throw new Error('the disk is full');
  };
  context = { ...context, cluster: { ...context.cluster, transaction: failing } as ClusterStore };
  await expect(apply('{podSelector: {}}')).rejects.toThrow('the disk is full');
  expect([verdict('world', 'web-1'), listPolicies(context)]).toEqual(['allow', []]);
});

test('the labels of a namespace select, and are stored', async () => {
  await apply('{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {team: red}}}]}]}');
  expect(verdict('web-1', 'web-2')).toBe('deny');
  const labelled = await labelNamespace(context, 'network-1', { set: { team: 'red' }, remove: [] });
  expect(labelled.labels).toEqual({ team: 'red', 'kubernetes.io/metadata.name': 'network-1' });
  expect(verdict('web-1', 'web-2')).toBe('allow');
  expect((await store.cluster.load()).namespaces).toEqual(new Map([['network-1', { team: 'red' }]]));
  await labelNamespace(context, 'network-1', { set: {}, remove: ['team'] });
  expect([verdict('web-1', 'web-2'), (await store.cluster.load()).namespaces.size]).toEqual(['deny', 0]);
});

test('a bad label of a namespace is refused', () => {
  const label = (set: Record<string, string>) => () => labelNamespace(context, 'network-1', { set, remove: [] });
  expect(label({ 'a b': 'c' })).toThrow('"a b" is not a label key');
  expect(label({ a: 'x y' })).toThrow('"x y" is not a label value');
  expect(label({ 'kubernetes.io/metadata.name': 'other' })).toThrow("is always the namespace's name");
});

test('an endpoint on another host is explained by what its own host decides', async () => {
  const { index } = context.state;
  index.putNode('far', { name: 'far', version: '1', addresses: [], started: '2026-01-31T12:00:00Z' });
  const { id, name, owner, mac, labels, ports } = sampleEndpoint(3, network, { labels: { app: 'cache' } });
  const remote = {
    id,
    name,
    owner,
    mac,
    labels,
    ports,
    network: network.id,
    addresses: ['10.88.0.200/24'],
    node: 'far',
  };
  index.putRemote(`far/${id}`, remote);
  await apply(
    '{podSelector: {matchLabels: {app: cache}}, ingress: [{from: [{podSelector: {matchLabels: {app: web}}}]}]}',
  );
  expect([verdict('web-1', 'network-1/web-3'), verdict('web-2', '10.88.0.200'), verdict('world', 'web-3')]).toEqual([
    ...['allow', 'deny', 'deny'],
  ]);
  const explained = explainPolicy(context, { from: 'web-2', to: 'web-3', port: '80' });
  expect(explained.ingress).toMatchObject({ verdict: 'deny', decidedBy: { name: 'p' } });
  await apply(
    '{podSelector: {matchLabels: {app: web}}, ingress: [{from: [{podSelector: {matchLabels: {app: db}}}]}]}',
    'q',
  );
  expect([verdict('web-3', 'web-1'), verdict('web-3', 'web-2'), verdict('web-3', 'web-3')]).toEqual([
    ...['deny', 'allow', 'allow'],
  ]);
});
