import { afterAll, beforeAll, expect, test } from 'vitest';
import { canonicalPrefix, formatAddress, parseAddress, parsePrefix } from '../../src/model/address.ts';
import { DenyHeads } from '../../src/reconcile/desired/deny-heads.ts';
import { denyEntry } from '../../src/reconcile/desired/deny-list.ts';
import type { MapEntry } from '../../src/reconcile/entry.ts';
import { tcp } from './packet/build.ts';
import { addressOf, fromOutside } from './tables/say.ts';
import { uplink } from './world/plan.ts';
import { World } from './world/world.ts';

let world: World;

beforeAll(() => {
  world = World.create();
});
afterAll(() => world?.[Symbol.dispose]());

let seed = 20_260_101;
const random = (below: number) => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((seed / 2 ** 32) * below);
};
const pair = ({ key, value }: MapEntry) => [key, value] as const;

function randomAddress(family: 4 | 6): Uint8Array {
  const address = parseAddress(family === 4 ? '10.0.0.0' : '2001:db8::');
  for (let i = family === 4 ? 13 : 3; i < 16; i++) address[i] = random(256);
  if (family === 6 && random(4) === 0) address[0] = 0xfd;
  return address;
}

function randomPrefix(family: 4 | 6): string {
  const length = family === 4 ? 12 + random(21) : 26 + random(103);
  return canonicalPrefix(`${formatAddress(randomAddress(family))}/${length}`);
}

/** The address with one bit turned over. */
function beside(address: Uint8Array, bit: number): Uint8Array {
  return address.map((byte, i) => (i === bit >> 3 ? byte ^ (0x80 >> (bit & 7)) : byte));
}

function isIn(address: Uint8Array, cidr: string): boolean {
  const { address: network, prefixLength } = parsePrefix(cidr);
  for (let bit = 0; bit < prefixLength; bit++) {
    const byte = bit >> 3;
    if (((address[byte] as number) ^ (network[byte] as number)) & (0x80 >> (bit & 7))) return false;
  }
  return true;
}

function passes(address: Uint8Array, family: 4 | 6): boolean {
  const syn = tcp({ source: 5000, destination: 8080 });
  const packet = fromOutside(formatAddress(address), addressOf('host', family), family, syn);
  return world.run('xdp_uplink', packet, { device: uplink.device }).verdict === 'pass';
}

test.each([4, 6] as const)('who is denied over IPv%i is who the list holds, while it grows and shrinks', (family) => {
  world.maps.denyList.deleteManyRaw([...world.maps.denyList.rawEntries()].map(([key]) => key));
  const heads = new DenyHeads();
  const listed = new Set<string>();
  const write = (entries: readonly MapEntry[]) => world.maps.denyUnlisted.setManyRaw(entries.map(pair));
  const seen = { denied: 0, passed: 0 };
  for (let round = 0; round < 15; round++) {
    const added = [...new Set(Array.from({ length: 20 }, () => randomPrefix(family)))].filter(
      (one) => !listed.has(one),
    );
    write(heads.add(added));
    world.maps.denyList.setManyRaw(added.map(denyEntry).map(pair));
    for (const cidr of added) listed.add(cidr);
    const removed = [...listed].filter(() => random(4) === 0);
    world.maps.denyList.deleteManyRaw(removed.map((cidr) => denyEntry(cidr).key));
    write(heads.remove(removed));
    for (const cidr of removed) listed.delete(cidr);
    const sources = [...listed, ...removed].flatMap((cidr) => {
      const { address, prefixLength } = parsePrefix(cidr);
      return [address, beside(address, prefixLength - 1), beside(address, 127), randomAddress(family)];
    });
    for (const source of sources) {
      const denied = [...listed].some((cidr) => isIn(source, cidr));
      expect(passes(source, family), `${formatAddress(source)} in round ${round}`).toBe(!denied);
      seen[denied ? 'denied' : 'passed']++;
    }
  }
  expect(Math.min(seen.denied, seen.passed)).toBeGreaterThan(100);
});
