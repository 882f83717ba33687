import { describe, expect, test } from 'vitest';
import { mapDefinitions } from '../../maps/generated/abi.ts';
import { keyText, type MapEntry } from '../entry.ts';
import { DenyHeads } from './deny-heads.ts';

const texts = (entries: Iterable<MapEntry>) =>
  new Map([...entries].map(({ key, value }) => [keyText(key), Buffer.from(value).toString('hex')]));

/** What the array holds after each of the changes, written over what it held before. */
function written(...changes: readonly Iterable<MapEntry>[]): Map<string, string> {
  const held = new Map<string, string>();
  for (const change of changes) for (const [key, value] of texts(change)) held.set(key, value);
  for (const [key, value] of held) if (/^0*$/.test(value)) held.delete(key);
  return held;
}

/** How many bits of a family say that a source is not listed. */
function unlisted(heads: DenyHeads, family: 4 | 6): number {
  const blocks = mapDefinitions.denyUnlisted.maxEntries / 2;
  let count = 0;
  for (const { key, value } of heads.entries()) {
    if (new DataView(key.buffer, key.byteOffset).getUint32(0, true) < blocks !== (family === 4)) continue;
    for (const byte of value) count += onesOf[byte] as number;
  }
  return count;
}

const onesOf = Uint8Array.from({ length: 256 }, (_, byte) => byte.toString(2).replaceAll('0', '').length);
const all = 2 ** 24;

describe('the heads that the deny list touches', () => {
  test('a list without prefixes of a family says nothing of it', () => {
    expect([...new DenyHeads().entries()]).toEqual([]);
    expect(unlisted(new DenyHeads(['2001:db8::/48']), 4)).toBe(0);
  });

  test.each([
    ['192.0.2.1/32', 4, 1],
    ['192.0.2.0/24', 4, 1],
    ['192.0.0.0/20', 4, 16],
    ['192.0.0.0/12', 4, 4096],
    ['10.0.0.0/8', 4, 65_536],
    ['224.0.0.0/3', 4, 2 ** 21],
    ['0.0.0.0/0', 4, all],
    ['2001:db8::1/128', 6, 1],
    ['2001:db8::/40', 6, 1],
    ['2001:db8::/32', 6, 256],
    ['2001:d00::/24', 6, 65_536],
    ['2000::/3', 6, all],
    ['fe80::/10', 6, 0],
    ['::/0', 6, all],
    ['::/0', 4, all],
    ['::ffff:0:0/96', 4, all],
  ] as const)('%s touches of IPv%i %i', (cidr, family, touched) => {
    expect(all - unlisted(new DenyHeads([cidr]), family)).toBe(touched);
  });

  test('what is added and removed one after the other is what all at once is', () => {
    const [first, second] = [
      ['192.0.2.0/25', '192.0.2.128/25', '10.0.0.0/8', '2001:db8::/32'],
      ['192.0.2.0/26', '10.1.0.0/16', '2001:db8:1::/48'],
    ];
    const heads = new DenyHeads();
    const changes = [heads.add(first), heads.add(second), heads.remove(first)];
    expect(written(...changes)).toEqual(written(new DenyHeads(second).entries()));
    expect(written(...changes, heads.remove(second))).toEqual(new Map());
  });
});
