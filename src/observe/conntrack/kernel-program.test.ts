import { expect, test } from 'vitest';
import { CollectFilter } from '../../maps/generated/abi.ts';
import { parseAddress } from '../../model/address.ts';
import { plainNames } from '../flows/testing.ts';
import { kernelFilters } from './kernel-program.ts';
import { conntrackFilter } from './testing.ts';

test('an empty filter is one walk that deletes everything', () => {
  expect(kernelFilters(conntrackFilter(), plainNames)).toMatchObject([{ filter: 0 }]);
});

test('each combination of values is a walk', () => {
  const filter = conntrackFilter({ endpoint: ['10.88.0.2', 'fd00::2'], protocol: ['tcp', 'udp'], network: ['1'] });
  const walks = kernelFilters(filter, plainNames) ?? [];
  const { BY_ADDRESS, BY_NETWORK, BY_PROTOCOL } = CollectFilter;
  expect(walks).toHaveLength(4);
  expect(walks.every((walk) => walk.filter === (BY_ADDRESS | BY_NETWORK | BY_PROTOCOL))).toBe(true);
  expect(walks).toContainEqual(expect.objectContaining({ addr: parseAddress('fd00::2'), protocol: 17, network: 1 }));
});

test('what the kernel cannot tell is left to user space', () => {
  for (const filter of [
    { from: ['10.88.0.2'] },
    { port: [80] },
    { state: ['NEW' as const] },
    { endpoint: ['10.88.0.0/16'] },
    { endpoint: ['world'] },
    { protocol: Array.from({ length: 17 }, (_, number) => String(number)) },
  ]) {
    expect(kernelFilters(conntrackFilter(filter), plainNames)).toBeUndefined();
  }
});

test('names that stand for nobody flush nothing', () => {
  const nobody = { ...plainNames, peers: () => ({ addresses: [], prefixes: [], identities: [] }) };
  expect(kernelFilters(conntrackFilter({ endpoint: ['gone'] }), nobody)).toEqual([]);
});
