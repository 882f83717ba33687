import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { HeldAddress } from '../model/cluster.ts';
import { AddressBook } from './address-book.ts';
import { planned } from './testing.ts';

const small = planned({ name: 'small', subnets: ['10.90.0.0/29'] });
const ranged = planned({ name: 'ranged', subnets: ['10.91.0.0/24'], ipRange: '10.91.0.128/26' });
const networks = [small, ranged];

test('of addresses that all hosts together need none is held in advance, whatever the subnet keeps for itself', () => {
  const book = new AddressBook('a', [small]);
  const held = (host: number, node: string, endpoint = '') => {
    book.put({ network: small.id, address: `10.90.0.${host}`, node, endpoint });
  };
  held(2, 'a');
  held(3, 'b', 'x');
  expect([book.reserve(small.id, 4), book.excess(small.id, 4)]).toEqual([1, 0]);
  held(4, 'b', 'y');
  // Two are left for two hosts.
  expect([book.reserve(small.id, 4), book.excess(small.id, 4)]).toEqual([0, 1]);
});

test('what is used outside of the range takes nothing from what is held in advance of it', () => {
  const book = new AddressBook('a', [ranged]);
  for (let host = 2; host < 100; host++) {
    book.put({ network: ranged.id, address: `10.91.0.${host}`, node: 'b', endpoint: 'x' });
  }
  expect(book.reserve(ranged.id, 4)).toBe(2);
  for (let host = 128; host < 189; host++) {
    book.put({ network: ranged.id, address: `10.91.0.${host}`, node: 'b', endpoint: 'x' });
  }
  expect(book.reserve(ranged.id, 4)).toBe(0);
});

test('what is to be held in advance does not depend on the order in which a host learned of things', () => {
  const addresses = ['10.90.0.2', '10.90.0.4', '10.90.0.9', '10.91.0.3', '10.91.0.130', '10.91.0.131', 'fd00::1'];
  const held = fc.record({
    network: fc.constantFrom(...networks.map(({ id }) => id)),
    address: fc.constantFrom(...addresses),
    node: fc.constantFrom('a', 'b', 'c'),
    endpoint: fc.constantFrom('', 'x'),
  });
  const one = fc.constantFrom(...networks);
  const step = fc.oneof(
    fc.record({ kind: fc.constant('put' as const), held }),
    fc.record({ kind: fc.constant('delete' as const), held }),
    fc.record({ kind: fc.constant('add' as const), network: one }),
    fc.record({ kind: fc.constant('remove' as const), network: one }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const book = new AddressBook('a', [small]);
      const there = new Set([small]);
      const all = new Map<string, HeldAddress>();
      for (const step of steps) {
        if (step.kind === 'add') {
          book.addNetwork(step.network);
          there.add(step.network);
        } else if (step.kind === 'remove') {
          book.removeNetwork(step.network.id);
          there.delete(step.network);
          for (const [key, { network }] of all) if (network === step.network.id) all.delete(key);
        } else if (step.kind === 'put') {
          book.put(step.held);
          all.set(`${step.held.network}/${step.held.address}`, step.held);
        } else {
          book.delete(step.held.network, step.held.address);
          all.delete(`${step.held.network}/${step.held.address}`);
        }
      }
      const anew = new AddressBook('a', there, all.values());
      for (const { id } of networks) {
        expect(book.reserve(id, 4)).toBe(anew.reserve(id, 4));
        expect(book.excess(id, 4)).toBe(anew.excess(id, 4));
        expect(book.excess(id, 6)).toBe(0);
      }
    }),
  );
});
