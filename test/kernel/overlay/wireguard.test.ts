import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { parseAddress } from '../../../src/model/address.ts';
import * as build from '../packet/build.ts';
import { between, families } from '../tables/say.ts';
import { hasWireguard } from './key-pair.ts';
import { at, enterMounts, numbers, ThreeHosts, wireguardUnderlay } from './three-hosts.ts';
import { packetsOf, watch } from './watch.ts';
import { wireDevice } from './wire.ts';

// What only the kernel's WireGuard does: it encrypts, and says whose a packet is. overlay.test.ts goes through it, too.

const programs = new URL('../../lab/programs/', import.meta.url).pathname;
const router = { ip: '2001:db8:f::fe', mac: '02:42:0a:00:02:fe' };

describe.skipIf(!hasWireguard())('by the kernel’s WireGuard', () => {
  let hosts: ThreeHosts;
  beforeAll(async () => {
    enterMounts();
    hosts = await ThreeHosts.create(wireguardUnderlay);
  });
  afterAll(() => hosts?.[Symbol.asyncDispose]());
  afterEach(() => hosts.restore());

  describe.each(families)('IPv%i', (family) => {
    test('what leaves is WireGuard’s, and nobody on the wire can read it', async () => {
      const [x, z] = [hosts.near.container('x'), hosts.far.container('z')];
      const server = z.spawn('python3', `${programs}server.py`, 'udp', '::', '53', 'z');
      await server.until(/ready/);
      // The last: reports of multicast listeners, which a slow machine sends late.
      const dump = await watch(hosts.far, 'uplink0', 'not arp and not icmp6 and not ip6 proto 0');
      const inside = await watch(hosts.far, wireDevice);
      const asked = await x.exec('python3', `${programs}client.py`, 'udp', at('z', family), '53', '--timeout', '2');
      expect(JSON.parse(asked.stdout)).toMatchObject({ ok: true });
      await expect.poll(() => packetsOf(inside).length).toBeGreaterThanOrEqual(2);
      await expect.poll(() => packetsOf(dump).length).toBeGreaterThanOrEqual(2);
      const addresses = [at('x', family), at('z', family)].map((address) => {
        const bytes = parseAddress(address);
        return Buffer.from(family === 4 ? bytes.subarray(12) : bytes).toString('hex');
      });
      for (const address of addresses) expect(packetsOf(inside).join()).toContain(address);
      for (const address of addresses) expect(packetsOf(dump).join()).not.toContain(address);
      for (const packet of packetsOf(dump)) expect(packet.slice(68, 76)).toBe('ca6cca6c');
    });

    test('a host that says to be another is not heard, for its key is another', async () => {
      const { near, far, third } = hosts;
      const frame = between('z', 'x', family, build.udp({ source: 1000, destination: 53 }));
      // Who speaks first takes a session.
      await far.container('z').exec('ping', '-n', '-c', '1', '-W', '2', at('x', family));
      near.addNode(1, far, []);
      near.addNode(2, third, ['z']);
      near.maps.conntrack.deleteManyRaw([...near.maps.conntrack.rawEntries()].map(([key]) => key));
      const { errors } = near.link(wireDevice).stats64.rx;
      expect(await near.drops(() => far.forge(near, frame))).toEqual({ SPOOFED_TUNNEL: 1 });
      expect(await near.drops(() => far.forge(near, frame, { from: third.key ?? '' }))).toEqual({});
      expect([...near.maps.conntrack.rawEntries()]).toEqual([]);
      expect(near.link(wireDevice).stats64.rx.errors - errors).toBe(1);
      near.addNode(2, third, []);
    });

    test('what it cannot send is told to nobody: an error would quote it in the clear', async () => {
      const { near, far } = hosts;
      const container = near.container('x');
      near.ip(
        'address add 2001:db8:f::1/64 dev uplink0 nodad',
        `neigh replace ${router.ip} lladdr ${router.mac} dev uplink0 nud permanent`,
        `route replace default via ${router.ip} dev uplink0`,
      );
      // No peer has this address.
      near.addNode(1, far, ['z'], { to: parseAddress(hosts.stranger) });
      // To the host's end of its veth: the kernel takes what comes so for the host's own.
      const { address: hostEnd } = near.link(`vt${numbers.x}`);
      container.ip(`neigh replace ${at('z', family)} lladdr ${hostEnd} dev eth0 nud permanent`);
      const dump = await watch(near, 'uplink0', 'ether', 'dst', router.mac);
      expect((await container.exec('ping', '-n', '-c', '2', '-i', '1.1', '-W', '1', at('z', family))).status).not.toBe(
        0,
      );
      expect((await near.exec('ping', '-n', '-c', '1', '-W', '1', '2001:db8:77::1')).status).not.toBe(0);
      await dump.until(/echo request/);
      expect(packetsOf(dump)).toHaveLength(1);
      container.ip(`neigh del ${at('z', family)} dev eth0`);
      near.ip('address del 2001:db8:f::1/64 dev uplink0');
    });

    test('trains of segments pass it both ways', async () => {
      const [bytes, there] = [2_000_000, hosts.far.container('z')];
      await there.spawn('python3', `${programs}bulk.py`, 'serve', '5001').until(/ready/);
      await there.spawn('python3', `${programs}bulk.py`, 'pour', '5002', String(bytes)).until(/ready/);
      const bulk = async (...args: string[]) =>
        (await hosts.near.container('x').exec('python3', `${programs}bulk.py`, ...args)).stdout.trim();
      const drops = await hosts.near.drops(async () => {
        const began = performance.now();
        expect(await bulk('send', at('z', family), '5001', String(bytes))).toBe(String(bytes));
        const sent = performance.now();
        expect(await bulk('fetch', at('z', family), '5002')).toBe(String(bytes));
        const rates = [sent - began, performance.now() - sent].map(
          (ms) => `${((bytes * 8) / ms / 1000).toFixed(0)} Mbit/s`,
        );
        console.info(`IPv${family} by WireGuard: ${rates.join(' out, ')} in`);
      });
      expect(drops).toEqual({});
    });
  });
});
