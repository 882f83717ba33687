import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { bootClock, DomainNames, recordsOf } from '../../src/daemon/domain-names/domain-names.ts';
import { LearnedFile } from '../../src/daemon/domain-names/learned-file.ts';
import { Mutex } from '../../src/daemon/mutex.ts';
import { State } from '../../src/daemon/state.ts';
import { LearnedFlag } from '../../src/maps/generated/abi.ts';
import type { Maps } from '../../src/maps/open.ts';
import { parseAddress } from '../../src/model/address.ts';
import type { Endpoint } from '../../src/model/endpoint.ts';
import type { Intent } from '../../src/model/intent.ts';
import { policyKey } from '../../src/model/policy.ts';
import { LearnedNames, type LearnedRecord } from '../../src/policy/learned-names.ts';
import { numbered } from '../../src/policy/testing/world.ts';
import { HostPolicy, type HostPolicyOptions } from '../../src/reconcile/policy/host-policy.ts';
import { aNetwork, anEndpoint, anIntent, hostFacts } from '../../src/reconcile/testing.ts';
import { World } from './world/world.ts';

// Policy with domain names over the kernel's maps: what the book of what was learned, the compiler and the maps say is one.

let world: World;
beforeAll(() => {
  world = World.create();
});
afterAll(() => world?.[Symbol.dispose]());
beforeEach(() => {
  world.restore();
  world.forget();
});

const documents = numbered(`
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: { name: names }
spec:
  tier: Admin
  priority: 1
  subject: { namespaces: {} }
  egress: [{ action: Accept, to: [{ domainNames: ["*.example.com"] }] }]
`);
const [shop, web] = [aNetwork(), anEndpoint()];
const successor = anEndpoint({ id: 'c'.repeat(64), name: 'successor' });
const [address, name] = ['192.0.2.1', 'a.example.com'];

function intentOf(...endpoints: Endpoint[]): Intent {
  const policies = new Map(documents.map((document) => [policyKey(document), document]));
  return { ...anIntent([shop], endpoints), policies };
}

const record = (change: Partial<LearnedRecord> = {}): LearnedRecord => ({
  ...{ endpoint: web.number, address, names: new Map([[name, bootClock() + 60_000]]), expired: undefined },
  ...change,
});

function open(options: Partial<HostPolicyOptions> = {}): Promise<HostPolicy> {
  const generation = {
    get parity() {
      return (world.config.generation & 1) as 0 | 1;
    },
    turn() {
      const { config } = world;
      world.maps.config.set(0, { ...config, generation: config.generation + 1 });
    },
  };
  const failed = (error: unknown) => {
    throw error;
  };
  return HostPolicy.open({ maps: world.maps, generation, node: 'node-1', failed, ...options });
}

/** With what an endpoint was told by an earlier daemon. */
function withRecords(...records: LearnedRecord[]): LearnedNames {
  const learned = new LearnedNames();
  for (const one of records) learned.put(one);
  return learned;
}

const inKernel = () => [...world.maps.learned.rawEntries()].length;
const known = (policy: HostPolicy) => Array.from(policy.learned.records(), (one) => one.address);
const expiryOf = (of: string) =>
  world.maps.learned
    .get({ endpoint: web.number, addr: parseAddress(of) })
    ?.half.map(({ flags }) => (flags & LearnedFlag.EXPIRED) !== 0);

test('whoever has the number of an endpoint that was cut off has learned nothing', async () => {
  const policy = await open({ learned: withRecords(record()), awaitsLabels: ({ id }) => id === web.id });
  await policy.reconcile(intentOf(web), hostFacts());
  expect([policy.awaitingLabels, known(policy)]).toEqual([1, [address]]);
  await policy.removeEndpoint(web);
  await policy.addEndpoint(successor, shop);
  expect([known(policy), inKernel()]).toEqual([[], 0]);
});

test.each([
  ['was cut off', ({ id }: Endpoint) => id === web.id],
  ['was there', () => false],
])(
  'a pass over the host that finds another endpoint by the number of one that %s forgets what that learned',
  async (_, awaitsLabels) => {
    const policy = await open({ learned: withRecords(record()), awaitsLabels });
    await policy.reconcile(intentOf(web), hostFacts());
    expect(known(policy)).toEqual([address]);
    await policy.reconcile(intentOf(successor), hostFacts());
    expect(known(policy)).toEqual([]);
    await expect.poll(inKernel).toBe(0);
  },
);

test('who follows standings is told of a change that the kernel did not take, since nobody speaks of it again', async () => {
  let fails = true;
  const raw = new Proxy(world.maps.learned.raw, {
    get(target, key) {
      if (key === 'batches' && fails) throw new Error('no');
      const value = Reflect.get(target, key);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const maps: Maps = { ...world.maps, learned: Object.assign(Object.create(world.maps.learned), { raw }) };
  fails = false;
  const policy = await open({ maps });
  const told: number[] = [];
  policy.onStandings((numbers) => told.push(...numbers));
  fails = true;
  await expect(policy.reconcile(intentOf(web), hostFacts())).rejects.toThrow('no');
  fails = false;
  await policy.reconcile(intentOf(web), hostFacts());
  expect([told, policy.domainsOf(web.number)]).toEqual([[web.number], ['*.example.com']]);
});

/** A daemon's part, over a file of its own. */
async function domainNames(learned: LearnedNames) {
  const directory = mkdtempSync(join(tmpdir(), 'vetch-learned-'));
  const file = new LearnedFile(join(directory, 'learned-names'));
  const [state, lock] = [new State(intentOf(web)), new Mutex()];
  const policy = await open({ learned });
  await policy.reconcile(state.index, hostFacts());
  const names = new DomainNames({ ...{ policy, state, lock, file }, log: pino({ level: 'silent' }) });
  return {
    ...{ policy, state, lock, names, file },
    async [Symbol.asyncDispose]() {
      await names[Symbol.asyncDispose]();
      rmSync(directory, { recursive: true });
    },
  };
}

test('a daemon that starts anew does not know again what had to make room', async () => {
  await using daemon = await domainNames(new LearnedNames({ each: 3 }));
  for (let last = 1; last <= 9; last++) {
    const addresses = [{ address: `192.0.2.${last}`, ttl: 60 + last }];
    const source = '10.88.0.2';
    expect(await daemon.names.learn({ network: shop.id, source, name, addresses })).toMatchObject({ refused: [] });
  }
  const kept = ['192.0.2.7', '192.0.2.8', '192.0.2.9'];
  expect(known(daemon.policy)).toEqual(kept);
  expect(recordsOf(daemon.file.read(), daemon.state).map((one) => one.address)).toEqual(kept);
});

test('the collector begins to look for flows when what has expired is marked in the kernel', async () => {
  const expired = bootClock();
  const over = record({ address: '192.0.2.2', names: new Map([[name, expired]]), expired });
  await using daemon = await domainNames(withRecords(record(), over));
  const { lock, policy, names } = daemon;
  let go = () => {};
  const gate = new Promise<void>((resolve) => (go = resolve));
  const marking = lock.run(async () => {
    await gate;
    await policy.expireLearned(bootClock() + 60_000);
  });
  const seen: unknown[] = [];
  const collected = { live: 0, deleted: 0 };
  const collecting = names.collecting({
    expire: async () => collected,
    async expireAndFindUse() {
      seen.push(expiryOf(address));
      return { ...collected, inUse: [{ endpoint: web.number, addr: parseAddress(address) }] };
    },
    flush: async () => 0,
  });
  const looking = collecting.expire();
  await new Promise((resolve) => setImmediate(resolve));
  go();
  await Promise.all([marking, looking]);
  expect(seen).toEqual([[true, true]]);
  expect(known(policy)).toEqual([address]);
});
