import { expect, test } from 'vitest';
import type { RawEntry } from '../../maps/raw-map.ts';
import type { Standings } from '../../policy/tables.ts';
import { halvedMaps } from './encode.ts';
import { observePolicy, type PolicyRawMaps } from './observe.ts';

const of = (identity: number, flags = 0) => ({ identity, flags });
const known = new Map<number, Standings>([
  [1, { v4: of(300, 3), v6: of(301) }],
  [2, { v4: of(0, 3), v6: of(0, 0) }],
  [16_384, { v4: of(302), v6: of(302) }],
]);

/** The map `identities` with these, and others that are empty. */
function maps(standings: ReadonlyMap<number, Standings>, change = (_slot: number, _value: Uint8Array): void => {}) {
  const entries: RawEntry[] = [];
  const { key: slots, half } = halvedMaps.identities;
  for (const [number, { v4, v6 }] of standings) {
    for (const [at, standing] of [v4, v6].entries()) {
      const [key, value] = [new Uint8Array(slots.size), new Uint8Array(2 * half.size)];
      slots.encode(2 * number + at, key);
      for (const side of [0, half.size]) half.encode(standing, value, side);
      change(2 * number + at, value);
      if (value.some((byte) => byte !== 0)) entries.push([key, value]);
    }
  }
  const empty = { raw: { *batches() {}, *writtenBatches() {} } };
  const identities = {
    raw: {
      *batches() {},
      *writtenBatches() {
        yield entries;
      },
    },
  };
  return {
    identities,
    addressBlocks: empty,
    learned: empty,
    policy: empty,
    policyPorts: empty,
  } as unknown as PolicyRawMaps;
}

test('who is known, and is what the kernel holds, is given back as it is', async () => {
  const { tables, torn } = await observePolicy(maps(known), 0, known);
  expect(tables.standings).toBe(known);
  expect(torn).toEqual([]);
});

test.each([
  ['one more', new Map([...known, [3, { v4: of(9), v6: of(9) }]]), undefined],
  ['one fewer', new Map([...known].slice(0, 2)), undefined],
  ['another identity', known, (slot: number, value: Uint8Array) => void (slot === 3 && value.fill(7))],
  ['the half that counts', known, (slot: number, value: Uint8Array) => void (slot === 32_768 && value.fill(7, 8))],
  ['the half that does not', known, (slot: number, value: Uint8Array) => void (slot === 32_768 && value.fill(7, 0, 8))],
  ['flags', known, (slot: number, value: Uint8Array) => void (slot === 2 && value.fill(0, 4, 8))],
  ['an element of zeros', known, (slot: number, value: Uint8Array) => void (slot === 3 && value.fill(0))],
])('what differs in the kernel is found: %s', async (_what, held, change) => {
  for (const parity of [0, 1]) {
    const found = await observePolicy(maps(held, change), parity, known);
    const plain = await observePolicy(maps(held, change), parity);
    expect(found).toEqual(plain);
    expect(found.tables.standings).not.toBe(known);
  }
});
