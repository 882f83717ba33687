import { expect, test } from 'vitest';
import type { Endpoint } from '../../model/endpoint.ts';
import type { Network } from '../../model/network.ts';
import { planEndpoint } from '../../network/plan-endpoint.ts';
import { endpointRequest, indexOf, planned } from '../../network/testing.ts';
import type { DockerBooks } from './books.ts';
import { Orphans } from './orphans.ts';

const began = new Date('2026-01-31T12:00:00Z');
const later = began.getTime() + 10_000;

/** Books of one network with one endpoint, that remember what was removed. */
function booksOf(network: Network, endpoint?: Endpoint, owner: string | undefined = 'engine') {
  const removed: string[] = [];
  const books: DockerBooks = {
    networks: () => (removed.includes(network.id) ? [] : [network]),
    endpointsOf: () => (endpoint && !removed.includes(endpoint.id) ? [endpoint] : []),
    confirmNetwork: async () => undefined,
    describeEndpoint: async () => undefined,
    isInHost: () => false,
    followHostContainers: async () => undefined,
    takeHostContainers: async () => undefined,
    engineOf: async () => owner,
    removeNetwork: async (id) => void removed.push(id),
    removeEndpoint: async (id) => void removed.push(id),
    releaseUnused: async () => 0,
  };
  return { orphans: new Orphans(books), removed };
}

const network = planned({}, { owner: 'docker', now: began });
const endpoint = planEndpoint(endpointRequest(), {
  ...{ network, endpoints: indexOf(network).index, owner: 'docker' as const, now: began },
});
const without = { engine: 'engine', endpoints: new Map([[network.id, new Set<string>()]]) };
const empty = { engine: 'engine', endpoints: new Map() };

test('an endpoint that two looks in a row have missed is removed', async () => {
  const { orphans, removed } = booksOf(network, endpoint);
  expect(await orphans.release(without, later)).toBe(0);
  expect(orphans.suspected).toBe(true);
  expect(await orphans.release(without, later)).toBe(1);
  expect(removed).toEqual([endpoint.id]);
});

test('an endpoint that the second look finds stays', async () => {
  const { orphans, removed } = booksOf(network, endpoint);
  const found = { engine: 'engine', endpoints: new Map([[network.id, new Set([endpoint.id])]]) };
  for (const view of [without, found, without]) await orphans.release(view, later);
  expect(removed).toEqual([]);
});

test('an endpoint that is just being made stays', async () => {
  const { orphans, removed } = booksOf(network, endpoint);
  for (let look = 0; look < 3; look++) await orphans.release(without, began.getTime() + 1_000);
  expect(removed).toEqual([]);
});

test('a network that its engine has lost goes; one of another engine stays', async () => {
  const lost = booksOf(network, endpoint);
  for (let look = 0; look < 2; look++) await lost.orphans.release(empty, later);
  expect(lost.removed).toEqual([network.id]);
  const foreign = booksOf(network, endpoint, 'another');
  for (let look = 0; look < 2; look++) await foreign.orphans.release(empty, later);
  expect(foreign.removed).toEqual([]);
});
