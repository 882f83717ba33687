import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseMac } from '../model/address.ts';
import { checkMac, macFor } from './mac.ts';

test('the MAC made of an id is the same each time, unicast and locally administered', () => {
  const id = fc.stringMatching(/^[0-9a-f]{64}$/);
  fc.assert(
    fc.property(id, fc.nat({ max: 20 }), (text, attempt) => {
      const mac = macFor(text, attempt);
      expect(macFor(text, attempt)).toBe(mac);
      expect((parseMac(mac)[0] ?? 0) & 3).toBe(2);
      expect(checkMac(mac)).toBe(mac);
    }),
  );
});
