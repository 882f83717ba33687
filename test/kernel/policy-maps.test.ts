import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { VetchError } from '../../src/api/error.ts';
import { Counter, DropReason, type PolicyKey, StandingFlag } from '../../src/maps/generated/abi.ts';
import type { Maps } from '../../src/maps/open.ts';
import { parseAddress } from '../../src/model/address.ts';
import {
  type LearnedIdentity,
  type PolicyPair,
  type PolicyTables,
  type PortEntry,
  pairKey,
} from '../../src/policy/tables.ts';
import { allKeys } from '../../src/reconcile/policy/difference.ts';
import { type HalvedMap, policyHalf } from '../../src/reconcile/policy/encode.ts';
import { PolicyMaps } from '../../src/reconcile/policy/policy-maps.ts';
import { slowness } from '../lab/process.ts';
import * as build from './packet/build.ts';
import { between } from './tables/say.ts';
import { endpoints } from './world/plan.ts';
import { allow, deny } from './world/policy.ts';
import { skbContext, World } from './world/world.ts';

let world: World;
beforeAll(() => {
  world = World.create();
});
afterAll(() => world[Symbol.dispose]());
beforeEach(() => {
  world.restore();
  world.forget();
  failures.length = 0;
});

const { a, b } = endpoints;
const failures: unknown[] = [];
const aToB = between('a', 'b', 4, build.udp({ source: 40_000, destination: 80 }));

function open(maps: Pick<Maps, HalvedMap | 'policyPorts'> = world.maps): Promise<PolicyMaps> {
  const generation = {
    get parity() {
      return (world.config.generation & 1) as 0 | 1;
    },
    turn() {
      const { config } = world;
      world.maps.config.set(0, { ...config, generation: config.generation + 1 });
    },
  };
  return PolicyMaps.open(maps, generation, (error) => failures.push(error));
}

const apply = (policy: PolicyMaps, to: PolicyTables) => policy.apply(to, allKeys(policy.applied, to));

/** `a` may send, `b` may receive, by these decisions. */
function tables(
  egress: number,
  ingress: number,
  more: {
    blocks?: [string, number][];
    learned?: [string, LearnedIdentity][];
    portSets?: [number, PortEntry[]][];
    pairs?: PolicyPair[];
  } = {},
): PolicyTables {
  const standing = (identity: number, flags: number) => ({ v4: { identity, flags }, v6: { identity, flags } });
  const pairs: PolicyPair[] = [
    { subject: a.identity, peer: 0, direction: 1, decision: egress },
    { subject: b.identity, peer: 0, direction: 0, decision: ingress },
    ...(more.pairs ?? []),
  ];
  const standings = Object.values(endpoints).map(({ number, identity }) => {
    const flags = identity === a.identity ? StandingFlag.EGRESS : identity === b.identity ? StandingFlag.INGRESS : 0;
    return [number, standing(identity, flags)] as const;
  });
  return {
    standings: new Map(standings),
    blocks: new Map(more.blocks ?? []),
    learned: new Map(more.learned ?? []),
    pairs: new Map(pairs.map((pair) => [pairKey(pair.subject, pair.peer, pair.direction), pair])),
    portSets: new Map(more.portSets ?? []),
  };
}

/** Writes what a pair says under even and odd generations. */
function decides(key: PolicyKey, decisions: readonly [even: number, odd: number]): void {
  world.maps.policy.set(key, { half: decisions.map((decision) => policyHalf(key, decision)) });
}

const sends = () => world.run('from_endpoint', aToB, { device: a.device }).verdict;
const halvesOf = (map: 'policy' | 'addressBlocks' | 'identities' | 'policyPorts') =>
  [...world.maps[map].raw.entries()].map(([, value]) => value);
const counter = (index: number) => world.maps.counters.get(index).reduce((sum, value) => sum + Number(value), 0);

test('what is applied is what packets are judged by, and both halves are the same once it has settled', async () => {
  const policy = await open();
  await apply(policy, tables(allow, allow));
  expect(sends()).toBe('redirect');
  await apply(policy, tables(allow, deny));
  expect(sends()).toBe('drop');
  await policy.settled();
  for (const value of halvesOf('policy')) expect(value.subarray(0, 8)).toEqual(value.subarray(8));
  for (const value of halvesOf('identities')) expect(value.subarray(0, 8)).toEqual(value.subarray(8));
  expect(failures).toEqual([]);
});

test('what is gone from the tables is gone from the maps', async () => {
  const policy = await open();
  const ports: PortEntry[] = [
    { protocol: 0, port: 0, bits: 0, decision: deny },
    { protocol: 17, port: 80, bits: 16, decision: allow },
  ];
  const pairs: PolicyPair[] = [{ subject: a.identity, peer: b.identity, direction: 1, decision: 7 }];
  await apply(policy, tables(deny, allow, { blocks: [['10.0.0.0/8', 300]], portSets: [[7, ports]], pairs }));
  expect(sends()).toBe('redirect');
  await apply(policy, tables(deny, allow));
  expect(sends()).toBe('drop');
  await policy.settled();
  expect([halvesOf('policy').length, halvesOf('addressBlocks').length, halvesOf('policyPorts').length]).toEqual([
    2, 0, 0,
  ]);
});

test('an address is nobody of whom nothing is decided, neither when it is learned nor when it is forgotten', async () => {
  const seen: string[] = [];
  /** After each call of the kernel: whether the address is known, and whether something is decided about who it is. */
  const look = () => {
    const learned = world.maps.learned.get({ endpoint: a.number, addr: parseAddress('203.0.113.9') })?.half[0]
      ?.identity;
    const decided = world.maps.policy.get({ subject: a.identity, peer: 300, direction: 1 })?.half[0]?.decision;
    seen.push(`${learned ? 'known' : 'unknown'}, ${decided ? 'decided' : 'undecided'}`);
  };
  const watched = <M extends { readonly raw: object }>(map: M): M => {
    const raw = new Proxy(map.raw, {
      get(target, key) {
        const value = Reflect.get(target, key);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          const result: unknown = value.apply(target, args);
          look();
          return result;
        };
      },
    });
    return Object.assign(Object.create(map), { raw });
  };
  const { policy: pairsMap, learned: learnedMap } = world.maps;
  const policy = await open({ ...world.maps, policy: watched(pairsMap), learned: watched(learnedMap) });
  await apply(policy, tables(deny, allow));
  await policy.settled();
  const [without, withLearned] = [
    tables(deny, allow),
    tables(deny, allow, {
      learned: [[`${a.number} 203.0.113.9`, { identity: 300, expired: false }]],
      pairs: [{ subject: a.identity, peer: 300, direction: 1, decision: allow }],
    }),
  ];
  for (const to of [withLearned, without]) await policy.applyUnread(to, allKeys(policy.applied, to));
  expect(seen).toContain('known, decided');
  expect(seen.at(-1)).toBe('unknown, undecided');
  expect(seen).not.toContain('known, undecided');
});

test('a block that comes or goes never hides a wider one', async () => {
  const policy = await open();
  const wide: [string, number] = ['203.0.112.0/22', 300];
  const narrow: [string, number] = ['203.0.113.0/24', 301];
  await apply(policy, tables(allow, allow, { blocks: [wide] }));
  await policy.settled();
  await apply(policy, tables(allow, allow, { blocks: [wide, narrow] }));
  const halves = [...world.maps.addressBlocks.entries()].map(([{ prefixlen }, { identity }]) => [
    prefixlen,
    ...identity,
  ]);
  expect(
    halves
      .find(([length]) => length === 32 + 96 + 24)
      ?.slice(1)
      .sort(),
  ).toEqual([300, 301]);
  await policy.settled();
  await apply(policy, tables(allow, allow, { blocks: [wide] }));
  await policy.settled();
  expect([...world.maps.addressBlocks.entries()].map(([, { identity }]) => identity)).toEqual([[300, 300]]);
});

test('tables that do not fit are refused, and the old ones stay to the last byte', async () => {
  const policy = await open();
  await apply(policy, tables(allow, allow));
  await policy.settled();
  const before = [...world.maps.policy.raw.entries()].map(([key, value]) => [...key, ...value]).sort();
  const { generation } = world.config;
  const pairs = Array.from({ length: 2000 }, (_, index): PolicyPair => {
    return { subject: a.identity, peer: 1000 + index, direction: 1, decision: allow };
  });
  await expect(apply(policy, tables(deny, deny, { pairs }))).rejects.toThrow(VetchError);
  expect([...world.maps.policy.raw.entries()].map(([key, value]) => [...key, ...value]).sort()).toEqual(before);
  expect(world.config.generation).toBe(generation);
  expect(sends()).toBe('redirect');
});

test('what is to be stored counts when it is, and what cannot be at no moment', async () => {
  const policy = await open();
  await apply(policy, tables(deny, allow));
  await policy.settled();
  const before = [...world.maps.policy.raw.entries()].map(([key, value]) => [...key, ...value]).sort();
  const { generation } = world.config;
  const judged: string[] = [];
  const storing = (then: () => void) => {
    const to = tables(allow, allow);
    return policy.apply(to, allKeys(policy.applied, to), async () => {
      judged.push(sends());
      then();
    });
  };
  const refuse = () => {
    throw new VetchError('UNAVAILABLE', 'the store is away', 'wait');
  };
  // Twice: after the first time the maps are read anew.
  for (let i = 0; i < 2; i++) {
    await expect(storing(refuse)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect([sends(), world.config.generation]).toEqual(['drop', generation]);
    expect([...world.maps.policy.raw.entries()].map(([key, value]) => [...key, ...value]).sort()).toEqual(before);
  }
  await storing(() => {});
  expect([judged, sends()]).toEqual([['drop', 'drop', 'drop'], 'redirect']);
  // Also what changes nothing here is stored.
  await storing(() => {});
  expect(judged).toHaveLength(4);
  await policy.settled();
  expect(failures).toEqual([]);
});

test('a daemon that is killed between writing and turning leaves the old policy, and the next one mends it', async () => {
  const first = await open();
  await apply(first, tables(deny, allow));
  await first.settled();
  const parity = world.config.generation & 1;
  decides({ subject: a.identity, peer: 0, direction: 1 }, parity === 0 ? [deny, allow] : [allow, deny]);
  decides({ subject: a.identity, peer: 9, direction: 1 }, parity === 0 ? [0, allow] : [allow, 0]);
  expect(sends()).toBe('drop');
  const second = await open();
  expect([...world.maps.policy.entries()].map(([, { half }]) => half.map(({ decision }) => decision))).toEqual(
    expect.arrayContaining([
      [deny, deny],
      [allow, allow],
    ]),
  );
  expect(halvesOf('policy')).toHaveLength(2);
  expect(await second.reconcile(tables(deny, allow))).toBe(0);
});

test('what somebody else has changed is repaired and counted', async () => {
  const policy = await open();
  const wanted = tables(deny, allow, { blocks: [['10.0.0.0/8', 300]] });
  await apply(policy, wanted);
  await policy.settled();
  decides({ subject: a.identity, peer: 0, direction: 1 }, [allow, allow]);
  world.maps.addressBlocks.deleteManyRaw([...world.maps.addressBlocks.rawEntries()].map(([key]) => key));
  decides({ subject: 999, peer: 0, direction: 1 }, [allow, allow]);
  expect(await policy.reconcile(wanted)).toBe(3);
  expect(sends()).toBe('drop');
  await policy.settled();
  expect(await policy.reconcile(wanted)).toBe(0);
});

test('an entry that is not its key’s denies, and is repaired', async () => {
  const policy = await open();
  const wanted = tables(allow, allow);
  await apply(policy, wanted);
  await policy.settled();
  expect(sends()).toBe('redirect');
  world.forget();
  const half = policyHalf({ subject: b.identity, peer: 0, direction: 1 }, allow);
  world.maps.policy.set({ subject: a.identity, peer: 0, direction: 1 }, { half: [half, half] });
  expect(sends()).toBe('drop');
  world.forget();
  expect(await policy.reconcile(wanted)).toBe(1);
  expect(sends()).toBe('redirect');
});

test(
  'no packet sees a mixture of two policies, over 1,000 changes',
  async () => {
    const policy = await open();
    // Either way one end denies: a packet that is judged by half of each would pass, and begin a flow.
    const [one, other] = [tables(allow, deny), tables(deny, allow)];
    await apply(policy, one);
    const begun = counter(Counter.FLOWS_CREATED);
    const denied = world.dropCounts()[DropReason.POLICY_DENIED] ?? 0;
    const stop = new Int32Array(new SharedArrayBuffer(4));
    const worker = new Worker(new URL('./policy-runner.ts', import.meta.url), {
      workerData: {
        fd: world.program('from_endpoint').fd,
        packet: aToB,
        context: skbContext(world.index(a.device), 0),
        stop,
      },
    });
    await once(worker, 'message');
    try {
      for (let change = 0; change < 500; change++) {
        await apply(policy, other);
        await apply(policy, one);
      }
    } finally {
      Atomics.store(stop, 0, 1);
    }
    const [runs] = (await once(worker, 'message')) as [number];
    expect(runs).toBeGreaterThan(10_000);
    expect(counter(Counter.FLOWS_CREATED) - begun).toBe(0);
    expect((world.dropCounts()[DropReason.POLICY_DENIED] ?? 0) - denied).toBe(runs);
  },
  // Each change waits for a grace period, of some tens of milliseconds.
  180_000 * slowness,
);
