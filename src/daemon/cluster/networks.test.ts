import { expect, test } from 'vitest';
import { indexOf, planned } from '../../network/testing.ts';
import { admitNetworks } from './networks.ts';

const byId = <One extends { readonly id: string }>(...all: One[]) => new Map(all.map((one) => [one.id, one]));

const own = planned({ name: 'own', subnets: ['10.1.0.0/16'] });
const shared = planned({ name: 'shared', driver: 'overlay', subnets: ['10.2.0.0/16'] });

test('a host has its own networks and those of its cluster', () => {
  const { networks, without, kept } = admitNetworks(byId(own), byId(shared), [], []);
  expect([[...networks.values()], without.size, kept.size]).toEqual([[own, shared], 0, 0]);
});

test.each([
  [
    'its name',
    planned({ name: 'own', driver: 'overlay', subnets: ['10.3.0.0/16'] }),
    'a network of this host has its name',
  ],
  [
    'its subnet',
    planned({ name: 'other', driver: 'overlay', subnets: ['10.1.2.0/24'] }),
    'subnet 10.1.2.0/24 overlaps 10.1.0.0/16 of network own',
  ],
  [
    'a route',
    planned({ name: 'far', driver: 'overlay', subnets: ['10.9.0.0/16'] }),
    "subnet 10.9.0.0/16 overlaps the host's route to 10.9.0.0/24 (eth1)",
  ],
])('a host goes without a network of the cluster that is in the way of %s', (_what, network, reason) => {
  const routes = [{ destination: '10.9.0.0/24', device: 'eth1' }];
  const { networks, without } = admitNetworks(byId(own), byId(network), [], routes);
  expect([...networks.keys()]).toEqual([own.id]);
  expect(without.get(network.id)).toEqual({ network, reason });
});

test('a network that the host has endpoints of stays, in the way or not, and removed or not', () => {
  const endpoint = indexOf(shared).attach({ name: 'web' });
  const routes = [{ destination: '10.2.0.0/24' }];
  expect([...admitNetworks(new Map(), byId(shared), [endpoint], routes).networks.keys()]).toEqual([shared.id]);
  const removed = admitNetworks(byId(shared), new Map(), [endpoint], []);
  expect([[...removed.networks.keys()], [...removed.kept]]).toEqual([[shared.id], [shared.id]]);
  const unused = admitNetworks(byId(shared), new Map(), [], []);
  expect([unused.networks.size, unused.kept.size]).toEqual([0, 0]);
});
