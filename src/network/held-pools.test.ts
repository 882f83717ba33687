import { describe, expect, test } from 'vitest';
import { HeldPools } from './held-pools.ts';
import { planned, refusal } from './testing.ts';

const nothing = { networks: [], hostRoutes: [] };
const since = '2026-01-31T12:00:00Z';

function holding(cidr: string, range?: string): HeldPools {
  const pools = new HeldPools();
  pools.add({ id: 'a', cidr, ...(range === undefined ? {} : { range }), created: since });
  return pools;
}

describe('the pools that an engine holds', () => {
  test('never overlap each other, a network or a route of the host', () => {
    const pools = holding('10.88.0.0/16');
    const { cidr } = pools.choose({ ipv6: false }, nothing, 'host');
    expect(cidr).not.toBe('10.88.0.0/16');
    const overlap = { code: 'SUBNET_OVERLAP' };
    expect(refusal(() => pools.choose({ pool: '10.88.3.0/24', ipv6: false }, nothing, 'host'))).toMatchObject(overlap);
    const networks = [planned({ subnets: ['10.99.0.0/16'] })];
    const wish = { pool: '10.99.0.0/24', ipv6: false };
    expect(refusal(() => pools.choose(wish, { networks, hostRoutes: [] }, 'host'))).toMatchObject(overlap);
    const hostRoutes = [{ destination: '10.99.0.0/16' }];
    expect(refusal(() => pools.choose(wish, { networks: [], hostRoutes }, 'host'))).toMatchObject(overlap);
  });

  test('give unique local addresses of IPv6, the same ones for the same host', () => {
    const choose = (seed: string) => new HeldPools().choose({ ipv6: true }, nothing, seed).cidr;
    expect(choose('host')).toMatch(/^fd.*\/64$/);
    expect(choose('host')).toBe(choose('host'));
    expect(choose('host')).not.toBe(choose('another'));
  });

  test('take a range that is inside the pool, and no other', () => {
    const choose = (subPool: string) =>
      new HeldPools().choose({ pool: '10.88.0.0/16', subPool, ipv6: false }, nothing, 'host');
    expect(choose('10.88.4.0/24')).toEqual({ cidr: '10.88.0.0/16', range: '10.88.4.0/24' });
    expect(refusal(() => choose('10.89.4.0/24'))).toMatchObject({ code: 'INVALID' });
    expect(refusal(() => new HeldPools().choose({ subPool: '10.88.4.0/24', ipv6: false }, nothing, 'x'))).toMatchObject(
      {
        code: 'INVALID',
      },
    );
  });

  test('hand out the lowest free address of the range, and again what was released', () => {
    const pools = holding('10.88.0.0/16', '10.88.4.0/30');
    const next = () => {
      const address = pools.chooseAddress('a', undefined);
      pools.take('a', address, since);
      return address;
    };
    expect([next(), next()]).toEqual(['10.88.4.0', '10.88.4.1']);
    pools.release('a', '10.88.4.0');
    expect([next(), next(), next()]).toEqual(['10.88.4.0', '10.88.4.2', '10.88.4.3']);
    expect(refusal(next)).toMatchObject({ code: 'ADDRESS_TAKEN' });
  });

  test('never hand out the first or the last address of an IPv4 subnet', () => {
    const pools = holding('10.88.0.0/30');
    expect(pools.chooseAddress('a', undefined)).toBe('10.88.0.1');
    for (const edge of ['10.88.0.0', '10.88.0.3']) {
      expect(refusal(() => pools.chooseAddress('a', edge))).toMatchObject({ code: 'ADDRESS_TAKEN' });
    }
    pools.release('a', '10.88.0.0');
    expect(pools.chooseAddress('a', undefined)).toBe('10.88.0.1');
  });

  test('never hand out what is kept, asked for or not', () => {
    const pools = holding('10.88.0.0/29');
    const kept = new Set(['10.88.0.1', '10.88.0.2']);
    expect(pools.chooseAddress('a', undefined, kept)).toBe('10.88.0.3');
    expect(refusal(() => pools.chooseAddress('a', '10.88.0.2', kept))).toMatchObject({ code: 'ADDRESS_TAKEN' });
  });

  test('an unknown pool is named', () => {
    expect(refusal(() => new HeldPools().chooseAddress('b', undefined))).toMatchObject({ code: 'NOT_FOUND' });
  });
});
