import { expect, test } from 'vitest';
import { decide } from './decide.ts';
import type { View } from './names.ts';
import { endpoint, namesOf, network } from './testing.ts';

const web = network('web', 88);
const other = network('other', 89);
const vault = network('vault', 90, true);
const names = namesOf(
  ...[web, other, vault],
  ...[endpoint('shop', web, 2), endpoint('till', web, 3, '/run/netns/till')],
  ...[endpoint('spy', other, 2), endpoint('back', other, 3, '/run/netns/till')],
  ...[endpoint('safe', vault, 2), endpoint('a.dotted', web, 9), endpoint('x'.repeat(64), web, 10)],
);
const view = (id: string, source: string): View => {
  const found = names.view(id, source);
  if (!found) throw new Error(`no view of ${id}`);
  return found;
};
const fromShop = view(web.id, '10.88.0.2');
const fromTill = view(web.id, '10.88.0.3');
const fromSafe = view(vault.id, '10.90.0.2');

/** What is answered, or why not. */
function said(name: string, type = 'A', to: View = fromShop): string {
  const decision = decide({ name, type }, to);
  return decision.kind === 'answer'
    ? decision.records.map((record) => `${record.type} ${record.data}`).join(', ')
    : decision.kind;
}

test.each([
  ['shop', 'A', 'A 10.88.0.2'],
  ['shop', 'AAAA', 'AAAA fd00:88::2'],
  ['shop', 'ANY', 'A 10.88.0.2, AAAA fd00:88::2'],
  ['shop.web', 'A', 'A 10.88.0.2'],
  ['ShOp.WEB', 'A', 'A 10.88.0.2'],
  ['a.dotted', 'A', 'A 10.88.0.9'],
  ['a.dotted.web', 'A', 'A 10.88.0.9'],
  // The name is there, without such a record
  ['shop', 'MX', ''],
  ['shop', 'UNKNOWN_65280', ''],
  ['2.0.88.10.in-addr.arpa', 'PTR', 'PTR shop.web'],
  ['2.0.88.10.IN-ADDR.ARPA', 'PTR', 'PTR shop.web'],
  ['2.0.88.10.in-addr.arpa', 'TXT', ''],
  ['2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.8.0.0.0.0.d.f.ip6.arpa', 'PTR', 'PTR shop.web'],
  // No label is that long
  ['10.0.88.10.in-addr.arpa', 'PTR', ''],
])('a container of the network asks for %s %s and is told "%s"', (name, type, answer) => {
  expect(said(name, type)).toBe(answer);
});

test.each([
  ['nobody', 'A', 'nxdomain'],
  ['nobody', 'AAAA', 'nxdomain'],
  // Of another network, of which nothing is known here
  ['spy', 'A', 'nxdomain'],
  ['7.7.88.10.in-addr.arpa', 'PTR', 'nxdomain'],
  ['2.0.89.10.in-addr.arpa', 'PTR', 'forward'],
  ['88.10.in-addr.arpa', 'PTR', 'forward'],
  ['300.0.88.10.in-addr.arpa', 'PTR', 'forward'],
  ['nobody.web', 'A', 'forward'],
  ['www.example.org', 'A', 'forward'],
  // Validators ask top-level names for these
  ['org', 'DS', 'forward'],
  ['', 'NS', 'forward'],
])('what no endpoint has: %s %s is %s', (name, type, kind) => {
  expect(said(name, type)).toBe(kind);
});

test('an internal network answers for its own, and refuses the rest', () => {
  expect(said('safe', 'A', fromSafe)).toBe('A 10.90.0.2');
  for (const name of ['www.example.org', 'nobody', 'shop', '1.2.0.192.in-addr.arpa'])
    expect(said(name, 'A', fromSafe), name).toBe('refuse');
});

test('a container on two networks is told the names of both, its own network first', () => {
  expect(said('back', 'A', fromTill)).toBe('A 10.89.0.3');
  expect(said('spy.other', 'A', fromTill)).toBe('A 10.89.0.2');
  expect(said('2.0.89.10.in-addr.arpa', 'PTR', fromTill)).toBe('PTR spy.other');
  expect(said('spy', 'A', fromShop)).toBe('nxdomain');
});
