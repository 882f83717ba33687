import { beforeEach, expect, test } from 'vitest';
import { addressKey, type HeldAddress } from '../model/cluster.ts';
import { AddressBook } from './address-book.ts';
import { type HoldingsPlan, planHoldings } from './plan-holdings.ts';
import { planned } from './testing.ts';

const network = planned({ subnets: ['10.88.0.0/24', 'fd00:88::/64'], gateways: ['10.88.0.1'] });
const other = planned({ name: 'other', subnets: ['10.89.0.0/16'] });
const held = (address: string, endpoint = '', node = 'a'): HeldAddress => {
  return { network: network.id, address, node, endpoint };
};

let book: AddressBook;
let users: Map<string, string>;
let leaving: Map<string, string>;
let prepared: Set<string>;

beforeEach(() => {
  book = new AddressBook('a', [network, other]);
  users = new Map();
  leaving = new Map();
  prepared = new Set([network.id]);
});

function plan(skip = 0): HoldingsPlan {
  const usersOf = (id: string) => (id === network.id ? users : new Map<string, string>());
  return planHoldings({ book, networks: [network], usersOf, leaving, prepared, skip });
}

/** Does what a plan says, as the store would. */
function carryOut({ deletes, puts }: HoldingsPlan): void {
  for (const one of deletes) book.delete(one.network, one.address);
  for (const one of puts) book.put(one);
}

const spare4 = () => [...book.ownOf(network.id).values()].filter(({ address }) => !address.includes(':'));

test('of a network that it has never used a host holds nothing in advance, and of one that it uses more', () => {
  prepared.clear();
  expect(plan()).toEqual({ puts: [], deletes: [], taken: [], short: false });
  users.set('10.88.0.200', 'web');
  carryOut(plan());
  expect(spare4()).toHaveLength(9);
  users.clear();
  carryOut(plan());
  // It is likely to use it again.
  expect(spare4()).toHaveLength(8);
  expect(plan()).toEqual({ puts: [], deletes: [], taken: [], short: false });
});

test('a host takes some of each family in advance where it is going to use them, and then has nothing to do', () => {
  carryOut(plan());
  expect([...book.ownOf(network.id).keys()].sort()).toEqual([
    ...['2', '3', '4', '5', '6', '7', '8', '9'].map((digit) => `10.88.0.${digit}`),
    ...['2', '3', '4', '5', '6', '7', '8', '9'].map((digit) => `fd00:88::${digit}`),
  ]);
  expect(plan()).toEqual({ puts: [], deletes: [], taken: [], short: false });
});

test('what others hold is passed over, and more of it where others are at work', () => {
  for (let host = 2; host < 10; host++) book.put(held(`10.88.0.${host}`, '', 'b'));
  expect(plan().puts[0]?.address).toBe('10.88.0.10');
  expect(plan(16).puts[0]?.address).toBe('10.88.0.26');
});

test('what is used is held for its user, and another one is taken in advance', () => {
  carryOut(plan());
  users.set('10.88.0.2', 'web');
  const { puts } = plan();
  expect(puts).toEqual([held('10.88.0.2', 'web'), held('10.88.0.10')]);
});

test('what an endpoint had is given back when that is gone, and not taken again at once', () => {
  users.set('10.88.0.2', 'web');
  carryOut(plan());
  carryOut(plan());
  users.clear();
  expect(plan().deletes).toEqual([held('10.88.0.2', 'web')]);
  carryOut(plan());
  const before = spare4().length;
  users.set('10.88.0.3', 'api');
  carryOut(plan());
  expect(book.get(network.id, '10.88.0.2')).toBeUndefined();
  expect(spare4()).toHaveLength(before + 1);
});

test('what was used for so short a time that nobody was told is given back in two steps', () => {
  carryOut(plan());
  const address = held('10.88.0.2');
  leaving.set(addressKey(address), 'web');
  expect(plan()).toMatchObject({ deletes: [], puts: [held('10.88.0.2', 'web'), held('10.88.0.10')] });
  carryOut(plan());
  expect(plan().deletes).toEqual([held('10.88.0.2', 'web')]);
});

test('what another endpoint of the host uses since changes hands', () => {
  users.set('10.88.0.2', 'web');
  carryOut(plan());
  users.set('10.88.0.2', 'api');
  expect(plan().puts.slice(0, 2)).toEqual([held('10.88.0.2'), held('10.88.0.2', 'api')]);
});

test('what is used and nobody holds is held, and what another host holds is told of', () => {
  book.put(held('10.88.0.3', 'x', 'b'));
  users.set('10.88.0.2', 'web').set('10.88.0.3', 'api');
  const { puts, taken } = plan();
  expect(puts[0]).toEqual(held('10.88.0.2', 'web'));
  expect(taken).toEqual([{ held: held('10.88.0.3', 'x', 'b'), user: 'api' }]);
});

test('of a small range little is taken in advance, and of a full one nothing', () => {
  const small = planned({ name: 'small', subnets: ['10.90.0.0/29'] });
  book.addNetwork(small);
  prepared.add(small.id);
  const make = () => planHoldings({ book, networks: [small], usersOf: () => new Map(), leaving, prepared, skip: 0 });
  expect(make().puts.map(({ address }) => address)).toEqual(['10.90.0.2']);
  for (let host = 2; host < 7; host++) {
    book.put({ network: small.id, address: `10.90.0.${host}`, node: 'b', endpoint: '' });
  }
  expect(make()).toEqual({ puts: [], deletes: [], taken: [], short: true });
});

test('of much there is to write, no more than one transaction takes is planned', () => {
  for (let host = 2; host < 250; host++) users.set(`10.88.0.${host}`, `endpoint ${host}`);
  const first = plan();
  // And one network, which the store looks at.
  expect(first.puts).toHaveLength(99);
  carryOut(first);
  users.clear();
  const second = plan();
  expect([second.deletes.length, second.puts.length]).toEqual([99, 0]);
});

test('a removed network takes along what is known of its addresses', () => {
  carryOut(plan());
  book.removeNetwork(network.id);
  expect([...book.own()]).toEqual([]);
  expect(book.free(network.id, 4, 1)).toEqual([]);
});
