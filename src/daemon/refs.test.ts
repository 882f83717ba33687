import { describe, expect, test } from 'vitest';
import { formatAddress, formatPrefix } from '../model/address.ts';
import { aNetwork, anEndpoint, anIntent } from '../reconcile/testing.ts';
import { IntentIndex } from './intent-index.ts';
import { findRemotes, refuseRemoteName, resolveEndpoint, resolveNetwork, resolvePeers } from './refs.ts';

const shop = aNetwork();
const lab = aNetwork({ id: `ab${'c'.repeat(62)}`, number: 2, name: 'lab' });
const web = anEndpoint({ labels: { app: 'web' } });
const db = anEndpoint({ id: `bb${'d'.repeat(62)}`, name: 'db', addresses: ['10.88.0.3/16', 'fd00:88::3/64'] });
const labDb = anEndpoint({
  ...{ id: `e${'f'.repeat(63)}`, name: 'db', network: lab.id, addresses: ['10.99.0.3/16'] },
  labels: { app: 'web' },
});
const index = new IntentIndex(anIntent([shop, lab], [web, db, labDb]));

describe('a REF', () => {
  test.each([
    ['web', web],
    ['lab/db', labDb],
    ['shop/db', db],
    ['10.88.0.3', db],
    ['fd00:0088::0:3', db],
    ['10.99.0.3', labDb],
    ['bbd', db],
    ['ef', labDb],
    [web.id, web],
  ])('%s is found', (ref, endpoint) => {
    expect(resolveEndpoint(index, ref)).toBe(endpoint);
  });

  test.each([
    ['db', "INVALID: 'db' may be each of these endpoints: shop/db, lab/db"],
    ['bb', "INVALID: 'bb' may be each of these endpoints: shop/web, shop/db"],
    ['label:app=web', "INVALID: 'label:app=web' may be each of these endpoints: shop/web, lab/db"],
    ['label:app', "INVALID: 'label:app' is not a label and its value"],
    ['nobody', "NOT_FOUND: there is no endpoint 'nobody'"],
    ['10.88.0.9', "NOT_FOUND: there is no endpoint '10.88.0.9'"],
  ])('%s is refused', (ref, words) => {
    expect(() => resolveEndpoint(index, ref)).toThrow(
      expect.objectContaining({ code: words.split(':')[0], message: words.slice(words.indexOf(':') + 2) }),
    );
  });

  test('of an endpoint of another host says where it is, and its name is taken', () => {
    const remote = {
      ...anEndpoint({ id: `f${'1'.repeat(63)}`, name: 'far', addresses: ['10.88.7.7/16'] }),
      node: 'h2',
    };
    const wide = new IntentIndex(anIntent([shop], [web]));
    wide.putRemote(`h2/${remote.id}`, remote);
    for (const ref of ['far', 'shop/far', '10.88.7.7', 'f111']) {
      expect(findRemotes(wide, ref)).toEqual([remote]);
      expect(() => resolveEndpoint(wide, ref)).toThrow(
        expect.objectContaining({ code: 'INVALID', message: 'endpoint shop/far is on host h2' }),
      );
    }
    expect(() => refuseRemoteName(wide, shop, 'far')).toThrow(/endpoint shop\/far already exists on host h2/);
    wide.putRemote(`h2/${remote.id}`, undefined);
    expect(findRemotes(wide, 'far')).toEqual([]);
    refuseRemoteName(wide, shop, 'far');
  });

  test('of a network is its name or the prefix of its id', () => {
    expect(resolveNetwork(index, 'lab')).toBe(lab);
    expect(resolveNetwork(index, 'abc')).toBe(lab);
    expect(() => resolveNetwork(index, 'a')).toThrow(/may be each of these networks: shop, lab/);
    expect(() => resolveNetwork(index, 'nowhere')).toThrow(/there is no network 'nowhere'/);
  });

  test('finds nothing that was removed', () => {
    const copy = new IntentIndex(index);
    copy.deleteEndpoint(web.id);
    for (const ref of ['web', '10.88.0.2', web.id])
      expect(() => resolveEndpoint(copy, ref), ref).toThrow(/no endpoint/);
  });

  test('of a filter may stand for many', () => {
    const peers = (...refs: string[]) => {
      const { addresses, prefixes, identities } = resolvePeers(index, refs, {
        host: () => [],
        identityOf: ({ number }) => 1000 + number,
      });
      return [...addresses.map(formatAddress), ...prefixes.map(formatPrefix), ...identities];
    };
    expect(peers('label:app=web')).toEqual(['10.88.0.2', 'fd00:88::2', '10.99.0.3']);
    expect(peers('lab/db', 'world', '192.0.2.7', '192.0.2.0/24')).toEqual([
      '10.99.0.3',
      '192.0.2.7',
      '192.0.2.0/24',
      2,
    ]);
    expect(() => peers('db')).toThrow(/may be each of these endpoints/);
    expect(() => peers('nobody')).toThrow(/no endpoint/);
  });
});
