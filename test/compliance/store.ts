import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Store } from '../../src/store/contract.ts';
import { sampleEndpoint, sampleNetwork, sampleService } from './store-records.ts';
import { startWriter } from './writer.ts';

/** What the suite needs of a store that it judges. */
export interface StoreUnderTest {
  readonly name: string;
  /** A place that holds nothing yet, and how to clear it away. */
  place(): Promise<{ readonly place: string; remove(): Promise<void> }>;
  open(place: string): Promise<Store>;
  /** Program and arguments that open `place` and write for ever, as store-writer.ts does. */
  writer(place: string): readonly [string, ...string[]];
}

/** Every store passes this. */
export function storeCompliance(under: StoreUnderTest): void {
  describe(`the ${under.name} store`, () => {
    let place: string;
    let remove: () => Promise<void>;
    let opened: Store[] = [];

    const open = async (): Promise<Store> => {
      const store = await under.open(place);
      opened.push(store);
      return store;
    };
    const reopen = async (store: Store): Promise<Store> => {
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
      const store = await open();
      expect(await store.load()).toEqual({
        networks: new Map(),
        endpoints: new Map(),
        deny: new Set(),
        services: new Map(),
      });
      expect(await store.fact('node')).toBeUndefined();
    });

    test('lists the facts whose names begin alike', async () => {
      const store = await open();
      await store.putFact('pool/1', 'a');
      await store.putFact('pool/2', 'b');
      await store.putFact('poolside', 'c');
      await store.putFact('pool/2', undefined);
      expect(await store.facts('pool/')).toEqual(new Map([['1', 'a']]));
    });

    test('gives back after a restart exactly what it was given', async () => {
      const network = sampleNetwork(1);
      const endpoint = sampleEndpoint(1, network, { cgroup: '/sys/fs/cgroup/web' });
      const service = sampleService(1, network);
      const store = await open();
      await store.putNetwork(network);
      await store.putEndpoint(endpoint);
      await store.putDeny(['192.0.2.0/24', '2001:db8::/32']);
      await store.putService(service);
      await store.putFact('node', 'a');
      const again = await reopen(store);
      expect(await again.load()).toEqual({
        networks: new Map([[network.id, network]]),
        endpoints: new Map([[endpoint.id, endpoint]]),
        deny: new Set(['192.0.2.0/24', '2001:db8::/32']),
        services: new Map([[service.id, service]]),
      });
      expect(await again.fact('node')).toBe('a');
    });

    test('keeps an optional field absent that was absent', async () => {
      const store = await open();
      const endpoint = sampleEndpoint(1, sampleNetwork(1));
      await store.putEndpoint(endpoint);
      expect([...(await store.load()).endpoints.values()]).toStrictEqual([endpoint]);
    });

    test('replaces what has the same id, and forgets what is deleted', async () => {
      const store = await open();
      const [network, other] = [sampleNetwork(1), sampleNetwork(2)];
      await store.putNetwork(network);
      await store.putNetwork({ ...network, mtu: 9000 });
      await store.putNetwork(other);
      await store.deleteNetwork(other.id);
      await store.deleteNetwork('never there');
      await store.putDeny(['192.0.2.0/24', '198.51.100.0/24']);
      await store.deleteDeny(['192.0.2.0/24', '203.0.113.0/24']);
      await store.putFact('node', 'a');
      await store.putFact('node', undefined);
      const again = await reopen(store);
      const { networks, deny } = await again.load();
      expect([...networks.values()]).toEqual([{ ...network, mtu: 9000 }]);
      expect([...deny]).toEqual(['198.51.100.0/24']);
      expect(await again.fact('node')).toBeUndefined();
    });

    test('applies writes in the order of their calls, awaited or not', async () => {
      const store = await open();
      const network = sampleNetwork(1);
      const writes = Array.from({ length: 50 }, (_, i) =>
        i % 3 === 2 ? store.deleteNetwork(network.id) : store.putNetwork({ ...network, mtu: 1500 + i }),
      );
      await Promise.all(writes);
      expect((await store.load()).networks.get(network.id)?.mtu).toBe(1549);
    });

    test('a snapshot holds what was written before it was asked for', async () => {
      const store = await open();
      const write = store.putNetwork(sampleNetwork(1));
      expect((await store.load()).networks.size).toBe(1);
      await write;
    });

    test('a transaction that throws leaves nothing behind, and the next one works', async () => {
      const store = await open();
      const failing = store.transaction((writer) => {
        writer.putNetwork(sampleNetwork(1));
        throw new Error('changed my mind');
      });
      await expect(failing).rejects.toThrow('changed my mind');
      await store.transaction((writer) => {
        writer.putNetwork(sampleNetwork(2));
        writer.putEndpoint(sampleEndpoint(2, sampleNetwork(2)));
      });
      const { networks, endpoints } = await (await reopen(store)).load();
      expect([...networks.values()].map(({ name }) => name)).toEqual(['network-2']);
      expect(endpoints.size).toBe(1);
    });

    test('what is changed after it was written is not what was written', async () => {
      const store = await open();
      const labels: Record<string, string> = { app: 'web' };
      const write = store.putNetwork({ ...sampleNetwork(1), labels });
      labels.app = 'changed';
      await write;
      expect([...(await store.load()).networks.values()][0]?.labels).toEqual({ app: 'web' });
    });

    test('takes a deny list of 100,000 prefixes at once', async () => {
      const store = await open();
      const cidrs = Array.from({ length: 100_000 }, (_, i) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}/32`);
      await store.putDeny(cidrs);
      expect((await (await reopen(store)).load()).deny.size).toBe(100_000);
    }, 30_000);

    test('lets in one at a time, and the next one when the first is gone', async () => {
      const store = await open();
      await expect(under.open(place)).rejects.toMatchObject({ code: 'IN_USE' });
      await store.putNetwork(sampleNetwork(1)); // the refusal did no harm
      expect((await (await reopen(store)).load()).networks.size).toBe(1);
    });

    test('refuses work after it was closed, and closing twice does nothing', async () => {
      const store = await open();
      await store.close();
      await store.close();
      await expect(store.load()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      await expect(store.putNetwork(sampleNetwork(1))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    });

    test('is locked while its process lives and not when it was killed', async () => {
      const child = startWriter(under.writer(place));
      await child.acknowledged(1);
      await expect(under.open(place)).rejects.toMatchObject({ code: 'IN_USE' });
      await child.kill();
      await open();
    });

    test('after SIGKILL has all that was acknowledged, and nothing by halves', async () => {
      // A slow machine writes more in one round than in the next, and what is there stays.
      let most = 0;
      for (let round = 1; round <= 5; round++) {
        const child = startWriter(under.writer(place));
        await child.acknowledged(5 + 7 * round);
        await child.kill();
        const store = await open();
        const { networks, endpoints } = await store.load();
        await store.close();
        const numbers = new Set([...networks.values()].map(({ number }) => number));
        for (let number = 1; number <= child.last(); number++) expect(numbers.has(number)).toBe(true);
        // Each write is a network and its endpoint together.
        expect([...endpoints.values()].map(({ number }) => number).sort()).toEqual([...numbers].sort());
        most = Math.max(most, child.last());
        expect(networks.size - most).toBeLessThanOrEqual(1);
      }
    }, 60_000);
  });
}
