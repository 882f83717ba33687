import { expect, test } from 'vitest';
import { Names } from './names.ts';
import { endpoint, namesOf, network } from './testing.ts';

const web = network('web', 88);
const other = network('other', 89);

const addressOf = (names: Names, name: string, id = web.id) =>
  names.view(id, '10.88.0.200')?.find(name)?.endpoint.addresses[0];

test('only addresses of a network are admitted to it', () => {
  const names = namesOf(web, other);
  for (const source of ['10.88.0.2', '10.88.255.254', 'fd00:88::7']) expect(names.admits(web.id, source)).toBe(true);
  for (const source of [
    '10.89.0.2',
    '127.0.0.1',
    '192.0.2.1',
    'fd00:89::7',
    '::1',
    '::ffff:10.89.0.2',
    'fe80::1%vetch0',
  ])
    expect(names.admits(web.id, source), source).toBe(false);
  expect(names.admits('id-gone', '10.88.0.2')).toBe(false);
});

test('a name that moves to a new endpoint stays with it when the old one is gone', () => {
  const names = namesOf(web, endpoint('shop', web, 2));
  names.apply({ ...endpoint('shop', web, 3), id: 'newer' });
  names.apply({ event: 'removed', id: 'web/shop' });
  expect(addressOf(names, 'shop')).toBe('10.88.0.3');
  names.apply({ event: 'removed', id: 'newer' });
  expect(addressOf(names, 'shop')).toBeUndefined();
});

test('an address that has been given to another is not lost with who had it', () => {
  const names = namesOf(web, endpoint('old', web, 2), endpoint('new', web, 2));
  names.apply({ event: 'removed', id: 'web/old' });
  expect(names.view(web.id, '10.88.0.2')?.at('10.88.0.2')?.endpoint.name).toBe('new');
});

test('an endpoint that is renamed has its new name alone', () => {
  const names = namesOf(web, endpoint('shop', web, 2));
  names.apply({ ...endpoint('store', web, 2), id: 'web/shop' });
  expect([addressOf(names, 'shop'), addressOf(names, 'store')]).toEqual([undefined, '10.88.0.2']);
});

test('of names that differ by case, the one that is written so is found', () => {
  const names = namesOf(web, endpoint('Shop', web, 2), endpoint('shop', web, 3));
  expect([addressOf(names, 'Shop'), addressOf(names, 'shop')]).toEqual(['10.88.0.2', '10.88.0.3']);
  expect(addressOf(names, 'SHOP')).toBe('10.88.0.2');
});

test('an endpoint that is told before its network is found, and nothing is found of a network that is gone', () => {
  const names = namesOf(endpoint('shop', web, 2), web);
  expect(addressOf(names, 'shop')).toBe('10.88.0.2');
  names.apply({ event: 'removed', id: web.id });
  expect(names.view(web.id, '10.88.0.2')).toBeUndefined();
  expect(names.networks).toEqual([]);
});

test('the events of names make the same names', () => {
  const names = namesOf(web, other, endpoint('shop', web, 2), endpoint('spy', other, 2));
  const copy = new Names();
  for (const event of names.events()) copy.apply(event);
  expect([...copy.events()]).toEqual([...names.events()]);
  expect([copy.size, addressOf(copy, 'shop')]).toEqual([2, '10.88.0.2']);
});
