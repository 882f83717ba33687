import { expect, test } from 'vitest';
import { overVxlan, overWireguard } from './mtu.ts';

test('what fills an encrypted network goes out in one packet of the hosts, and 16 bytes more do not', () => {
  for (const family of [4, 6] as const) {
    for (let mtu = 1_400; mtu <= 9_100; mtu++) {
      // VXLAN over IPv6 around it, filled up to 16 bytes; WireGuard's own 32, UDP and IP around that.
      const sent = (bytes: number) => Math.ceil((bytes + 70) / 16) * 16 + 32 + 8 + (family === 4 ? 20 : 40);
      const most = overWireguard(mtu, family);
      expect(sent(most)).toBeLessThanOrEqual(mtu);
      expect(sent(most + 1)).toBeGreaterThan(mtu);
    }
  }
});

test('a network that is not encrypted takes 50 bytes less than IPv4 does, or 70 less than IPv6', () => {
  expect([overVxlan(1_500, 4), overVxlan(1_500, 6)]).toEqual([1_450, 1_430]);
  expect([overWireguard(1_500, 4), overWireguard(1_500, 6)]).toEqual([1_370, 1_338]);
});
