import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type PortSegment, portPrefixes } from './port-prefixes.ts';

const segments: fc.Arbitrary<PortSegment[]> = fc
  .uniqueArray(fc.integer({ min: 1, max: 65_535 }), { maxLength: 6 })
  .chain((firsts) =>
    fc
      .array(fc.integer({ min: 1, max: 3 }), { minLength: firsts.length + 1, maxLength: firsts.length + 1 })
      .map((decisions) =>
        [0, ...firsts.sort((a, b) => a - b)].map((first, i) => ({ first, decision: decisions[i] ?? 1 })),
      ),
  );

/** The longest prefix that holds a port, as the kernel finds it. */
function answer(entries: ReturnType<typeof portPrefixes>, port: number, otherwise: number): number {
  const holding = entries.filter((entry) => (entry.port ^ port) >>> (16 - entry.bits) === 0);
  return holding.sort((a, b) => b.bits - a.bits)[0]?.decision ?? otherwise;
}

test('every port has the decision of its segment', () => {
  fc.assert(
    fc.property(segments, fc.integer({ min: 1, max: 3 }), (all, otherwise) => {
      const entries = portPrefixes(6, all, otherwise);
      const keys = new Set(entries.map(({ port, bits }) => `${port}/${bits}`));
      expect(keys.size).toBe(entries.length);
      for (const [i, { first, decision }] of all.entries()) {
        const last = (all[i + 1]?.first ?? 65_536) - 1;
        for (const port of [first, last, (first + last) >>> 1]) expect(answer(entries, port, otherwise)).toBe(decision);
      }
    }),
  );
});

test('takes the fewest prefixes', () => {
  const allow = (first: number, last: number) => [
    { first: 0, decision: 2 },
    { first, decision: 1 },
    ...(last < 65_535 ? [{ first: last + 1, decision: 2 }] : []),
  ];
  const count = (first: number, last: number) => portPrefixes(6, allow(first, last), 2).length;
  expect(count(80, 80)).toBe(1);
  expect(count(80, 81)).toBe(1);
  expect(count(32_768, 65_535)).toBe(1);
  // All but port 0: one entry for all of them, and one against it.
  expect(count(1, 65_535)).toBe(2);
  expect(count(1, 65_534)).toBe(3);
  expect(portPrefixes(6, [{ first: 0, decision: 2 }], 2)).toEqual([]);
  expect(portPrefixes(6, [{ first: 0, decision: 1 }], 2)).toEqual([{ protocol: 6, port: 0, bits: 0, decision: 1 }]);
});

test('a range takes at most 30 prefixes', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 65_534 }), fc.integer({ min: 1, max: 65_534 }), (a, b) => {
      const [first, last] = [Math.min(a, b), Math.max(a, b)];
      const all = [
        { first: 0, decision: 2 },
        { first, decision: 1 },
        { first: last + 1, decision: 2 },
      ];
      expect(portPrefixes(6, all, 2).length).toBeLessThanOrEqual(30);
    }),
  );
});

test('ports one by one take an entry each, whatever they decide', () => {
  const ports = fc.uniqueArray(fc.integer({ min: 0, max: 32_767 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(ports, fc.integer({ min: 0, max: 1 }), (halves, odd) => {
      // Never two next to each other.
      const named = halves.sort((a, b) => a - b).map((half) => 2 * half + odd);
      const all: PortSegment[] = named[0] === 0 ? [] : [{ first: 0, decision: 2 }];
      for (const [i, port] of named.entries()) {
        all.push({ first: port, decision: 3 + (i % 2) });
        if (port < 65_535) all.push({ first: port + 1, decision: 2 });
      }
      const single = named.map((port, i) => ({ protocol: 6, port, bits: 16, decision: 3 + (i % 2) }));
      expect(portPrefixes(6, all, 2)).toEqual(single);
      // The same where it is not known beforehand that they are single: one more segment, of a range.
      if ((named.at(-1) ?? 0) < 65_520) {
        const range = portPrefixes(6, [...all, { first: 65_532, decision: 5 }], 2);
        expect(range).toHaveLength(single.length + 1);
      }
    }),
  );
});
