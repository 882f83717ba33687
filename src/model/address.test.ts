import fc from 'fast-check';
import { Address4, Address6 } from 'ip-address';
import { describe, expect, test } from 'vitest';
import { VetchError } from '../api/error.ts';
import {
  canonicalAddress,
  canonicalPrefix,
  familyOf,
  formatAddress,
  formatMac,
  formatPrefix,
  holdsAllIPv4,
  isIPv4,
  linkLocalFromMac,
  parseAddress,
  parseInterfaceAddress,
  parseMac,
  parsePrefix,
  prefixContains,
  prefixesOverlap,
  withoutLength,
} from './address.ts';

const invalid = (run: () => unknown): void => {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(VetchError);
    expect(error).toMatchObject({ code: 'INVALID' });
    return;
  }
  expect.unreachable('was accepted');
};

const bytes16 = fc.uint8Array({ minLength: 16, maxLength: 16 });
const v4 = fc.ipV4();
const v6 = fc.ipV6();

describe('an address', () => {
  test('of IPv4 is v4-mapped', () => {
    expect([...parseAddress('10.88.0.2')]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 10, 88, 0, 2]);
  });

  test('written v4-mapped is the same as written as IPv4', () => {
    expect(parseAddress('::ffff:10.88.0.2')).toEqual(parseAddress('10.88.0.2'));
    expect(canonicalAddress('::FFFF:a58:2')).toBe('10.88.0.2');
  });

  test('that is the wildcard of one family is not that of the other', () => {
    expect(canonicalAddress('0.0.0.0')).toBe('0.0.0.0');
    expect(canonicalAddress('0:0::0')).toBe('::');
  });

  test('of IPv6 prints as RFC 5952 says', () => {
    expect(canonicalAddress('FD00:0088:0:0:0:0:0:0002')).toBe('fd00:88::2');
    expect(canonicalAddress('1:0:0:2:0:0:0:3')).toBe('1:0:0:2::3');
  });

  test.each([
    '',
    'web',
    '10.0.0',
    '10.0.0.256',
    '010.0.0.1',
    '0x0a.0.0.1',
    ' 10.0.0.1',
    '10.0.0.1/8',
    '::1::',
    '[::1]',
    'fe80::1%eth0',
    '12345::',
    '::ffff:1.2.3',
  ])('written %j is refused', (text) => invalid(() => parseAddress(text)));

  test('of either family survives being printed and parsed', () => {
    fc.assert(fc.property(bytes16, (bytes) => void expect(parseAddress(formatAddress(bytes))).toEqual(bytes)));
    fc.assert(fc.property(v4, (text) => void expect(canonicalAddress(text)).toBe(new Address4(text).correctForm())));
    fc.assert(
      fc.property(v6, (text) => {
        const expected = Uint8Array.from(new Address6(text).toByteArray());
        expect(parseAddress(text)).toEqual(expected);
        expect(isIPv4(parseAddress(canonicalAddress(text)))).toBe(isIPv4(expected));
      }),
    );
  });

  test('knows its family, with or without a length', () => {
    expect([familyOf('10.0.0.1'), familyOf('10.0.0.0/8'), familyOf('fd00::/8'), familyOf('::1')]).toEqual([4, 4, 6, 6]);
    expect(withoutLength('fd00::1/64')).toBe('fd00::1');
  });
});

describe('a prefix', () => {
  test('of IPv4 is 96 longer than written', () => {
    expect(parsePrefix('10.88.0.0/16')).toEqual({ address: parseAddress('10.88.0.0'), prefixLength: 112 });
    expect(parsePrefix('fd00:88::/64')).toEqual({ address: parseAddress('fd00:88::'), prefixLength: 64 });
  });

  test('loses the host bits that an interface address keeps', () => {
    expect(canonicalPrefix('10.88.3.4/16')).toBe('10.88.0.0/16');
    expect(canonicalPrefix('fd00:88::5/61')).toBe('fd00:88::/61');
    expect(formatAddress(parseInterfaceAddress('10.88.3.4/16').address)).toBe('10.88.3.4');
  });

  test('written v4-mapped is the same as written as IPv4', () => {
    expect(canonicalPrefix('::ffff:10.0.0.0/104')).toBe('10.0.0.0/8');
    expect(canonicalPrefix('0.0.0.0/0')).toBe('0.0.0.0/0');
    expect(canonicalPrefix('::/0')).toBe('::/0');
  });

  test.each([
    '10.0.0.0',
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/-1',
    '10.0.0/8',
    'fd00::/129',
    '/8',
    'a/8',
    '1.1.1.1/8/8',
    '10.0.0.0/1e1',
  ])('written %j is refused', (text) => invalid(() => parsePrefix(text)));

  test('contains what lies in it, and never an address of the other family', () => {
    expect(prefixContains('10.88.0.0/16', '10.88.255.255')).toBe(true);
    expect(prefixContains('10.88.0.0/16', '10.89.0.0')).toBe(false);
    expect(prefixContains('::/0', '10.88.0.1')).toBe(false);
    expect(prefixContains('0.0.0.0/0', 'fd00::1')).toBe(false);
    expect(prefixContains('::/0', 'fd00::1')).toBe(true);
  });

  test('of IPv6 that a longest-prefix map would match with IPv4 is known', () => {
    const holds = ['::/0', '::/80', '0.0.0.0/0'].map((cidr) => holdsAllIPv4(parsePrefix(cidr)));
    expect(holds).toEqual([true, true, true]);
    const apart = ['2000::/3', '::/96', '::1/128', '0.0.0.0/1', '10.0.0.0/8'].map((cidr) =>
      holdsAllIPv4(parsePrefix(cidr)),
    );
    expect(apart).toEqual([false, false, false, false, false]);
  });

  test('overlaps another exactly when one holds the other', () => {
    expect(prefixesOverlap('10.0.0.0/8', '10.88.0.0/16')).toBe(true);
    expect(prefixesOverlap('10.88.0.0/16', '10.89.0.0/16')).toBe(false);
    expect(prefixesOverlap('::/0', '10.0.0.0/8')).toBe(false);
    const prefix4 = fc.tuple(v4, fc.integer({ min: 0, max: 32 })).map(([address, length]) => `${address}/${length}`);
    fc.assert(
      fc.property(prefix4, prefix4, (a, b) => {
        const [x, y] = [new Address4(a), new Address4(b)];
        expect(prefixesOverlap(a, b)).toBe(x.isInSubnet(y) || y.isInSubnet(x));
        expect(prefixesOverlap(b, a)).toBe(prefixesOverlap(a, b));
      }),
    );
  });

  test('of either family survives being printed and parsed', () => {
    fc.assert(
      fc.property(bytes16, fc.integer({ min: 0, max: 128 }), (address, prefixLength) => {
        const text = formatPrefix({ address, prefixLength });
        expect(formatPrefix(parsePrefix(text))).toBe(text);
        expect(parsePrefix(text).prefixLength).toBe(prefixLength);
      }),
    );
  });
});

describe('a MAC', () => {
  test('prints in lower case with colons', () => {
    expect(formatMac(parseMac('02:42:0A:58:00:02'))).toBe('02:42:0a:58:00:02');
  });

  test.each(['', '02:42:0a:58:00', '02-42-0a-58-00-02', '02:42:0a:58:00:0g', '2:42:0a:58:00:02'])(
    'written %j is refused',
    (text) => invalid(() => parseMac(text)),
  );

  test('makes the link-local address that the kernel makes of it', () => {
    expect(formatAddress(linkLocalFromMac(parseMac('02:42:0a:58:00:02')))).toBe('fe80::42:aff:fe58:2');
  });
});
