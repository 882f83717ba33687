import pino from 'pino';
import { beforeEach, expect, test } from 'vitest';
import { samplePolicy } from '../../test/compliance/store-records.ts';
import { VetchError } from '../api/error.ts';
import type { ClusterChanges } from '../model/cluster.ts';
import { type PolicyDocument, policyKey } from '../model/policy.ts';
import { aNetwork, aRemote } from '../reconcile/testing.ts';
import type { ClusterFollower, ClusterStore } from '../store/cluster-contract.ts';
import { ClusterFollowing, type FollowContext } from './follow-cluster.ts';
import { Mutex } from './mutex.ts';
import type { PolicyEngine } from './policy-engine.ts';
import { State } from './state.ts';

const nothing = { networks: new Map(), endpoints: new Map(), deny: new Set<string>(), services: new Map() };

let state: State;
let tell: ClusterFollower;
let following: ClusterFollowing;
/** What the host can enforce: so many documents. */
let room: number;
/** Whose flows the host has been asked to forget. */
let forgotten: string[];

beforeEach(() => {
  state = new State({ ...nothing, policies: new Map(), namespaces: new Map(), nodes: new Map(), remotes: new Map() });
  room = 10;
  const enforced = new Set<string>();
  const policy: Pick<PolicyEngine, 'change'> = {
    async change({ documents = new Map() }) {
      const after = new Set(enforced);
      for (const [key, document] of documents) document ? after.add(key) : after.delete(key);
      if (after.size > room) throw new VetchError('MAP_FULL', `no room for ${after.size}`, 'raise it');
      enforced.clear();
      for (const key of after) enforced.add(key);
    },
  };
  const cluster: Pick<ClusterStore, 'follow'> = {
    follow(follower) {
      tell = follower;
    },
  };
  forgotten = [];
  const forgetAddresses = async (network: number, addresses: readonly string[]) => {
    forgotten.push(`${network} ${addresses.join(' ')}`);
  };
  const others = { addresses: { follow: () => {} }, networks: { follow: async () => {} }, applyRemotes: () => {} };
  const context = {
    lock: new Mutex(),
    log: pino({ level: 'silent' }),
    state,
    policy,
    cluster,
    forgetAddresses,
    ...others,
  };
  following = new ClusterFollowing(context as unknown as FollowContext);
});

function changes(policies: readonly (readonly [number, PolicyDocument | undefined])[]): ClusterChanges {
  const keyed = policies.map(([number, document]) => [policyKey(samplePolicy(number)), document] as const);
  return {
    ...{ networks: new Map(), addresses: new Map(), identities: new Map(), nodes: new Map(), endpoints: new Map() },
    policies: new Map(keyed),
    namespaces: new Map(),
  };
}

const put = (...numbers: number[]) => changes(numbers.map((number) => [number, samplePolicy(number)]));
const known = () => [...state.index.policies.values()].map(({ number }) => number).sort();

test('what other hosts apply and delete is enforced, and known', async () => {
  await tell(put(1, 2));
  await tell(changes([[1, undefined]]));
  expect([known(), following.warnings]).toEqual([[2], []]);
});

test('what this host cannot enforce keeps nothing else from it, and is told of', async () => {
  room = 2;
  await tell(put(1, 2, 3));
  expect(known()).toHaveLength(2);
  expect(following.warnings).toEqual([
    expect.stringMatching(/^document NetworkPolicy\/shop\/web-\d of the cluster .*no room/),
  ]);
});

test('what could not be enforced is, as soon as it can be', async () => {
  room = 1;
  await tell(put(1, 2));
  await tell(changes([[1, undefined]]));
  expect([known(), following.warnings]).toEqual([[2], []]);
});

test('what could not be enforced and was deleted since is forgotten', async () => {
  room = 1;
  await tell(put(1, 2));
  await tell(changes([[2, undefined]]));
  expect([known(), following.warnings]).toEqual([[1], []]);
});

test('hosts come and go', async () => {
  const node = { name: 'h2', version: '1', addresses: [], started: '2026-01-31T12:00:00.000Z' };
  await tell({ ...changes([]), nodes: new Map([['h2', node]]) });
  expect([...state.index.nodes.keys()]).toEqual(['h2']);
  await tell({ ...changes([]), nodes: new Map([['h2', undefined]]) });
  expect(state.index.nodes.size).toBe(0);
});

test('what came in from outside for an endpoint of another host is forgotten with it', async () => {
  const wide = aNetwork({ driver: 'overlay', number: 2048 });
  state.putNetwork(wide);
  const ports = [{ protocol: 'tcp', hostAddress: '0.0.0.0', hostPort: 8080, port: 80, scope: 'cluster' } as const];
  const web = aRemote({ name: 'web', addresses: ['10.88.1.9/16'], ports });
  const db = aRemote({ name: 'db', ports: ports.map(({ scope: _, ...port }) => port) });
  const told = (there: boolean) => {
    const endpoints = [web, db].map((one) => [`alpha/${one.id}`, there ? one : undefined] as const);
    return tell({ ...changes([]), endpoints: new Map(endpoints) });
  };
  await told(true);
  expect(forgotten).toEqual([]);
  await told(false);
  expect(forgotten).toEqual(['2048 10.88.1.9']);
});
