import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ClusterChanges, ClusterRecords } from '../../src/model/cluster.ts';
import { policyKey } from '../../src/model/policy.ts';
import type { ClusterStore } from '../../src/store/cluster-contract.ts';
import { sampleClusterEndpoint, sampleHeld, sampleNetwork, samplePolicies, samplePolicy } from './store-records.ts';
import { startWriter } from './writer.ts';

/** What the suite needs of a cluster's store that it judges. */
export interface ClusterUnderTest {
  readonly name: string;
  /** A place that holds nothing yet, and how to clear it away. */
  place(): Promise<{ readonly place: string; remove(): Promise<void> }>;
  /** @param node absent: the one host of the tests with one */
  open(place: string, node?: string): Promise<ClusterStore>;
  /** Program and arguments that open `place` and write for ever, as cluster-writer.ts does. */
  writer(place: string): readonly [string, ...string[]];
  /** False: it serves one host by itself, so that nobody is ever told of anything. */
  readonly spansHosts: boolean;
}

const empty: ClusterRecords = {
  networks: new Map(),
  addresses: new Map(),
  identities: new Map(),
  policies: new Map(),
  namespaces: new Map(),
  nodes: new Map(),
  endpoints: new Map(),
};

/** Every store of a cluster passes this. */
export function clusterCompliance(under: ClusterUnderTest): void {
  describe(`the ${under.name} cluster store`, () => {
    let place: string;
    let remove: () => Promise<void>;
    let opened: ClusterStore[] = [];

    const open = async (node?: string): Promise<ClusterStore> => {
      const store = await under.open(place, node);
      opened.push(store);
      return store;
    };
    const reopen = async (store: ClusterStore): Promise<ClusterStore> => {
      await store.close();
      return open();
    };

    beforeEach(async () => {
      ({ place, remove } = await under.place());
    });
    afterEach(async () => {
      for (const store of opened) await store.close();
      opened = [];
      await remove();
    });

    test('begins empty', async () => {
      expect(await (await open()).load()).toEqual(empty);
    });

    test('gives back after a restart exactly what it was given', async () => {
      const store = await open();
      const network = sampleNetwork(1);
      const held = sampleHeld(network, 7);
      const identity = { number: 300, key: '{"app":"ünïcode"}' };
      await store.transaction((writer) => {
        writer.putNetwork(network);
        writer.putAddress(held);
        writer.putIdentity(identity);
        for (const document of samplePolicies) writer.putPolicy(document);
        writer.putNamespace('shop', { team: 'red' });
      });
      expect(await (await reopen(store)).load()).toStrictEqual({
        ...empty,
        networks: new Map([[network.id, network]]),
        addresses: new Map([[`${network.id}/10.88.1.7`, held]]),
        identities: new Map([['300', identity]]),
        policies: new Map(samplePolicies.map((document) => [policyKey(document), document])),
        namespaces: new Map([['shop', { team: 'red' }]]),
      });
    });

    test('replaces what has the same key, and forgets what is deleted', async () => {
      const store = await open();
      const [policy] = samplePolicies;
      const network = sampleNetwork(1);
      await store.transaction((writer) => {
        writer.putPolicy(policy);
        writer.putNetwork(network);
        writer.putAddress(sampleHeld(network, 7));
        writer.putIdentity({ number: 300, key: 'a' });
        writer.putNamespace('shop', { team: 'red' });
      });
      await store.transaction((writer) => writer.putNetwork({ ...network, mtu: 9000 }));
      expect((await store.load()).networks.get(network.id)?.mtu).toBe(9000);
      await store.transaction((writer) => {
        writer.deletePolicy(policyKey(policy));
        writer.deleteAddress(sampleHeld(network, 7));
        writer.deleteNetwork(network.id);
        writer.deleteIdentity(300);
        writer.putNamespace('shop', undefined);
        writer.deletePolicy('never there');
      });
      expect(await (await reopen(store)).load()).toEqual(empty);
    });

    test('applies transactions in the order of their calls, awaited or not', async () => {
      const store = await open();
      const writes = Array.from({ length: 50 }, (_, i) =>
        store.transaction((writer) => writer.putNamespace('shop', i % 3 === 2 ? undefined : { step: String(i) })),
      );
      await Promise.all(writes);
      expect((await store.load()).namespaces).toEqual(new Map([['shop', { step: '49' }]]));
    });

    test('a snapshot does not change with what is written after it', async () => {
      const store = await open();
      const write = store.transaction((writer) => writer.putNamespace('shop', { team: 'red' }));
      await write;
      const snapshot = await store.load();
      await store.transaction((writer) => writer.putNamespace('shop', { team: 'blue' }));
      expect(snapshot.namespaces.get('shop')).toEqual({ team: 'red' });
    });

    test('a transaction that throws leaves nothing behind, and the next one works', async () => {
      const store = await open();
      const failing = store.transaction((writer) => {
        writer.putPolicy(samplePolicy(1));
        throw new Error('changed my mind');
      });
      await expect(failing).rejects.toThrow('changed my mind');
      await store.transaction((writer) => writer.putPolicy(samplePolicy(2)));
      expect([...(await (await reopen(store)).load()).policies.values()]).toEqual([samplePolicy(2)]);
    });

    test('what is changed after it was written is not what was written', async () => {
      const store = await open();
      const labels: Record<string, string> = { app: 'web' };
      const write = store.transaction((writer) => writer.putNamespace('shop', labels));
      labels.app = 'changed';
      await write;
      expect((await store.load()).namespaces.get('shop')).toEqual({ app: 'web' });
    });

    test('takes a hundred documents at once', async () => {
      const store = await open();
      const documents = Array.from({ length: 100 }, (_, i) => samplePolicy(i + 1));
      await store.transaction((writer) => {
        for (const document of documents) writer.putPolicy(document);
      });
      expect((await (await reopen(store)).load()).policies.size).toBe(100);
    });

    test.each<[string, string, Parameters<ClusterStore['transaction']>[0]]>([
      [
        'a second network of one name',
        'ALREADY_EXISTS',
        (w) => w.putNetwork({ ...sampleNetwork(2), name: 'network-1' }),
      ],
      ['a second network of one number', 'ALREADY_EXISTS', (w) => w.putNetwork({ ...sampleNetwork(2), number: 1 })],
      [
        'a network whose subnet overlaps another',
        'SUBNET_OVERLAP',
        (w) =>
          w.putNetwork({ ...sampleNetwork(2), subnets: [{ cidr: '10.88.0.0/16', gateway: '10.88.0.1', aux: {} }] }),
      ],
      [
        'the removal of a network of which an address is held for an endpoint',
        'IN_USE',
        (w) => w.deleteNetwork(sampleNetwork(1).id),
      ],
      ['an address of a network that is not there', 'NOT_FOUND', (w) => w.putAddress(sampleHeld(sampleNetwork(2), 7))],
      [
        'an address that another endpoint has',
        'ADDRESS_TAKEN',
        (w) => w.putAddress({ ...sampleHeld(sampleNetwork(1), 7), endpoint: 'b'.repeat(64) }),
      ],
      [
        'an address that another host holds',
        'ADDRESS_TAKEN',
        (w) => w.putAddress({ ...sampleHeld(sampleNetwork(1), 8), node: 'elsewhere' }),
      ],
      ['a second document of one number', 'ALREADY_EXISTS', (w) => w.putPolicy({ ...samplePolicy(2), number: 1 })],
      ['a second number for one identity', 'ALREADY_EXISTS', (w) => w.putIdentity({ number: 301, key: 'a' })],
      ['a second identity for one number', 'ALREADY_EXISTS', (w) => w.putIdentity({ number: 300, key: 'b' })],
    ])('refuses %s, and what came with it', async (_what, code, change) => {
      const store = await open();
      const network = sampleNetwork(1);
      await store.transaction((writer) => {
        writer.putNetwork(network);
        writer.putAddress(sampleHeld(network, 7));
        writer.putAddress({ ...sampleHeld(network, 8), endpoint: '' });
        writer.putPolicy(samplePolicy(1));
        writer.putIdentity({ number: 300, key: 'a' });
      });
      const before = await store.load();
      const refused = store.transaction((writer) => {
        writer.putNamespace('shop', { team: 'red' });
        change(writer);
      });
      await expect(refused).rejects.toMatchObject({ code });
      expect(await store.load()).toEqual(before);
      expect(await (await reopen(store)).load()).toEqual(before);
    });

    test('judges a transaction by what it leaves: a name is free when its network goes with it', async () => {
      const store = await open();
      const network = sampleNetwork(1);
      const held = sampleHeld(network, 7);
      await store.transaction((writer) => {
        writer.putNetwork(network);
        writer.putAddress(held);
      });
      const successor = { ...sampleNetwork(2), name: network.name, number: network.number, subnets: network.subnets };
      await store.transaction((writer) => {
        writer.deleteAddress(held);
        writer.deleteNetwork(network.id);
        writer.putNetwork(successor);
        writer.putAddress({ ...held, network: successor.id });
      });
      const { networks, addresses } = await store.load();
      expect([[...networks.values()], addresses.size]).toEqual([[successor], 1]);
    });

    test('what a host holds in advance it gives to an endpoint of its own', async () => {
      const store = await open();
      const network = sampleNetwork(1);
      const held = sampleHeld(network, 7);
      await store.transaction((writer) => {
        writer.putNetwork(network);
        writer.putAddress({ ...held, endpoint: '' });
      });
      await store.transaction((writer) => writer.putAddress(held));
      expect([...(await store.load()).addresses.values()]).toEqual([held]);
    });

    test('what an endpoint had its host holds in advance again, or gives to another one of its own', async () => {
      const store = await open();
      const network = sampleNetwork(1);
      const held = sampleHeld(network, 7);
      await store.transaction((writer) => {
        writer.putNetwork(network);
        writer.putAddress(held);
      });
      await store.transaction((writer) => writer.putAddress({ ...held, endpoint: '' }));
      expect([...(await store.load()).addresses.values()]).toEqual([{ ...held, endpoint: '' }]);
      const next = { ...held, endpoint: 'b'.repeat(64) };
      await store.transaction((writer) => writer.putAddress(held));
      await store.transaction((writer) => {
        writer.putAddress({ ...held, endpoint: '' });
        writer.putAddress(next);
      });
      expect([...(await (await reopen(store)).load()).addresses.values()]).toEqual([next]);
    });

    test('a network takes along what is held of it in advance, however much, and of no other', async () => {
      const store = await open();
      const [network, other] = [sampleNetwork(1), sampleNetwork(2)];
      await store.transaction((writer) => {
        writer.putNetwork(network);
        writer.putNetwork(other);
        writer.putAddress({ ...sampleHeld(other, 7), endpoint: '' });
      });
      for (const first of [10, 110]) {
        await store.transaction((writer) => {
          for (let host = first; host < first + 100; host++) {
            writer.putAddress({ ...sampleHeld(network, host), endpoint: '' });
          }
        });
      }
      await store.transaction((writer) => writer.deleteNetwork(network.id));
      const { networks, addresses } = await (await reopen(store)).load();
      expect([[...networks.keys()], [...addresses.values()].map((held) => held.network)]).toEqual([
        [other.id],
        [other.id],
      ]);
    });

    test('refuses work after it was closed, and closing twice does nothing', async () => {
      const store = await open();
      await store.close();
      await store.close();
      await expect(store.load()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      await expect(store.transaction((w) => w.deletePolicy('a'))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    });

    test('lets in one of a host at a time, and the next one when the first is gone', async () => {
      const store = await open();
      await expect(under.open(place)).rejects.toMatchObject({ code: 'IN_USE' });
      await store.transaction((writer) => writer.putPolicy(samplePolicy(1))); // the refusal did no harm
      expect((await (await reopen(store)).load()).policies.size).toBe(1);
    });

    test('after SIGKILL has all that was acknowledged, and nothing by halves', async () => {
      let most = 0;
      for (let round = 1; round <= 3; round++) {
        const child = startWriter(under.writer(place));
        await child.acknowledged(5 + 7 * round);
        await expect(under.open(place)).rejects.toMatchObject({ code: 'IN_USE' });
        await child.kill();
        const store = await open();
        const { policies, namespaces } = await store.load();
        await store.close();
        const numbers = new Set([...policies.values()].map(({ number }) => number));
        for (let number = 1; number <= child.last(); number++) expect(numbers.has(number)).toBe(true);
        // Each write is a document and its namespace's labels together.
        expect(namespaces.size).toBe(numbers.size);
        most = Math.max(most, child.last());
        expect(policies.size - most).toBeLessThanOrEqual(1);
      }
    }, 60_000);

    if (!under.spansHosts) return;

    describe('on two hosts', () => {
      /** Opens both, and notes what each is told. */
      const both = async () => {
        const told: ClusterChanges[][] = [[], []];
        const stores = [await open('a'), await open('b')] as const;
        for (const [index, store] of stores.entries()) {
          await store.load();
          store.follow((changes) => void told[index]?.push(changes));
        }
        return { a: stores[0], b: stores[1], told: (which: 0 | 1) => told[which] ?? [] };
      };

      test('each is told of what the other does, and not of its own', async () => {
        const { a, b, told } = await both();
        await a.transaction((writer) => {
          writer.putPolicy(samplePolicy(1));
          writer.putNamespace('shop', { team: 'red' });
        });
        await expect
          .poll(() => told(1).flatMap(({ policies }) => [...policies]))
          .toEqual([[policyKey(samplePolicy(1)), samplePolicy(1)]]);
        await b.transaction((writer) => writer.deletePolicy(policyKey(samplePolicy(1))));
        await expect
          .poll(() => told(0).flatMap(({ policies }) => [...policies]))
          .toEqual([[policyKey(samplePolicy(1)), undefined]]);
        // Both halves of a transaction come in one call.
        expect(
          told(1)
            .find(({ policies }) => policies.size > 0)
            ?.namespaces.get('shop'),
        ).toEqual({ team: 'red' });
        expect((await a.load()).policies.size).toBe(0);
      });

      test('what one has not been told of refuses its change, until it has settled', async () => {
        const { a, b } = await both();
        let release = () => {};
        let told: ClusterChanges | undefined;
        b.follow(async (changes) => {
          told = changes;
          await new Promise<void>((resolve) => (release = resolve));
        });
        await a.transaction((writer) => writer.putNamespace('shop', { team: 'red' }));
        await expect.poll(() => told?.namespaces.get('shop')).toEqual({ team: 'red' });
        const label = () => b.transaction((writer) => writer.putNamespace('shop', { team: 'blue' }));
        await expect(label()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
        release();
        await b.settled();
        await label();
        expect((await b.load()).namespaces.get('shop')).toEqual({ team: 'blue' });
      });

      test('of two that take one address at one moment one gets it', async () => {
        const { a, b } = await both();
        const network = sampleNetwork(1);
        await a.transaction((writer) => writer.putNetwork(network));
        await b.settled();
        for (let host = 10; host < 40; host++) {
          const results = await Promise.allSettled(
            [a, b].map((store, i) =>
              store.transaction((writer) => {
                writer.putAddress({ ...sampleHeld(network, host), node: i === 0 ? 'a' : 'b' });
              }),
            ),
          );
          expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
          await Promise.all([a.settled(), b.settled()]);
        }
        expect((await a.load()).addresses).toEqual((await b.load()).addresses);
      });

      test('what would collide in kind does not happen on both: networks, documents, identities', async () => {
        const { a, b } = await both();
        const changes: [
          string,
          Parameters<ClusterStore['transaction']>[0],
          Parameters<ClusterStore['transaction']>[0],
        ][] = [
          ['networks', (w) => w.putNetwork(sampleNetwork(1)), (w) => w.putNetwork({ ...sampleNetwork(2), number: 1 })],
          ['policies', (w) => w.putPolicy(samplePolicy(1)), (w) => w.putPolicy({ ...samplePolicy(2), number: 1 })],
          ['identities', (w) => w.putIdentity({ number: 1, key: 'a' }), (w) => w.putIdentity({ number: 1, key: 'b' })],
        ];
        for (const [, one, other] of changes) {
          const results = await Promise.allSettled([a.transaction(one), b.transaction(other)]);
          expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
          await Promise.all([a.settled(), b.settled()]);
        }
        const { networks, policies, identities } = await b.load();
        expect([networks.size, policies.size, identities.size]).toEqual([1, 1, 1]);
      });

      test('a network does not go while another host takes an address of it', async () => {
        const { a, b } = await both();
        for (let round = 1; round <= 20; round++) {
          const network = sampleNetwork(round);
          await a.transaction((writer) => writer.putNetwork(network));
          await b.settled();
          const remove = () => a.transaction((writer) => writer.deleteNetwork(network.id));
          const take = () => b.transaction((writer) => writer.putAddress(sampleHeld(network, 7)));
          const taking = take();
          // Now the one is a little ahead, now the other.
          for (let turn = round % 10; turn > 0; turn--) await new Promise((resolve) => setImmediate(resolve));
          const results = await Promise.allSettled([taking, remove()]);
          expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
          await Promise.all([a.settled(), b.settled()]);
          const { networks, addresses } = await a.load();
          expect([...addresses.values()].every((held) => networks.has(held.network))).toBe(true);
        }
      });

      test('a network goes though other hosts hold addresses of it in advance, and they are told of both', async () => {
        const { a, b, told } = await both();
        const network = sampleNetwork(1);
        const held = { ...sampleHeld(network, 7), node: 'b', endpoint: '' };
        await a.transaction((writer) => writer.putNetwork(network));
        await b.settled();
        await b.transaction((writer) => writer.putAddress(held));
        await a.settled();
        await a.transaction((writer) => writer.deleteNetwork(network.id));
        await b.settled();
        const last = told(1).at(-1);
        expect([last?.networks, last?.addresses]).toEqual([
          new Map([[network.id, undefined]]),
          new Map([[`${network.id}/${held.address}`, undefined]]),
        ]);
        await expect(b.transaction((writer) => writer.putAddress(held))).rejects.toMatchObject({ code: 'NOT_FOUND' });
        expect((await a.load()).addresses.size).toBe(0);
      });

      test('a host tells of itself and of its endpoints, and what it takes back goes', async () => {
        const { a, b } = await both();
        const endpoint = sampleClusterEndpoint('a', 1);
        const node = { version: '0.1.0', addresses: ['198.51.100.10'], started: '2026-01-31T12:00:00.000Z' };
        a.publish((writer) => {
          writer.putNode(node);
          writer.putEndpoint(endpoint);
        });
        await expect
          .poll(async () => [...(await b.load()).endpoints])
          .toEqual([[`a/${endpoint.id}`, { ...endpoint, node: 'a' }]]);
        expect((await b.load()).nodes.get('a')).toEqual({ ...node, name: 'a' });
        expect((await a.load()).endpoints.size).toBe(0);
        a.publish((writer) => writer.deleteEndpoint(endpoint.id));
        await expect.poll(async () => (await b.load()).endpoints.size).toBe(0);
      });
    });
  });
}
