import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ConntrackFlag, ConntrackState, Party, PublishFlag } from '../../../src/maps/generated/abi.ts';
import { parseAddress } from '../../../src/model/address.ts';
import { slowness } from '../../lab/process.ts';
import * as build from '../packet/build.ts';
import { decode, wrongChecksums } from '../packet/decode.ts';
import { type Family, families, ip } from '../tables/say.ts';
import { hostDevice, networks } from '../world/plan.ts';
import { deny } from '../world/policy.ts';
import { hasWireguard } from './key-pair.ts';
import type { Sandbox } from './sandbox.ts';
import { at, enterMounts, numbers, ThreeHosts, underlays, wireguardUnderlay } from './three-hosts.ts';
import { type TunnelHost, wideEndpoint } from './tunnel-host.ts';
import { packetsOf, watch } from './watch.ts';

// Who comes from outside to a port of one host and is answered by another: `x` on `near` answers who asks `third`.

const programs = new URL('../../lab/programs/', import.meta.url).pathname;
const [tcp, udp, sctp] = [6, 17, 132];
const clients = { 4: '198.51.100.77', 6: '2001:db8:c::77' } as const;
const entries = { 4: '198.51.100.3', 6: '2001:db8:c::3' } as const;
/** Of the host that answers. */
const homes = { 4: '198.51.100.1', 6: '2001:db8:c::1' } as const;
/** Of a third host. */
const others = { 4: '198.51.100.2', 6: '2001:db8:c::2' } as const;
const lengths = { 4: 24, 6: 64 } as const;
/** What takes a moment, but on an emulated machine. */
const patient = { timeout: 2_000 * slowness };
/** Seconds between what one client asks. */
const pause = String(0.1 * slowness);
/** Seconds that it waits for an answer. */
const wait = slowness > 1 ? '5' : '1';

interface Reply {
  readonly ok: boolean;
  readonly reply: string | null;
  readonly replyFrom: readonly [string, number] | null;
  readonly error: string | null;
}

beforeAll(enterMounts);

describe.each([...underlays.filter(({ uplinks }) => uplinks), ...(hasWireguard() ? [wireguardUnderlay] : [])])(
  'over $name',
  (underlay) => {
    let hosts: ThreeHosts;
    let client: Sandbox;
    beforeAll(async () => {
      hosts = await ThreeHosts.create(underlay);
      client = hosts.addClient(...families.map((family) => `${clients[family]}/${lengths[family]}`));
      hosts.near.container('x').ip(`route add ::/0 via ${networks.wide.gateway6}`);
      for (const family of families) {
        hosts.near.addAddress(`${homes[family]}/${lengths[family]}`);
        hosts.third.addAddress(`${entries[family]}/${lengths[family]}`);
      }
      for (const host of [hosts.near, hosts.third]) {
        host.publish('x', tcp, 8080, 80, { straight: true });
        host.publish('x', udp, 8053, 53, { straight: true });
        host.publish('x', udp, 8099, 99, { straight: true });
        host.publish('x', tcp, 8090, 90, { straight: true });
        host.publish('x', tcp, 8091, 91, { straight: true });
        host.publish('x', sctp, 8092, 92, { straight: true });
        host.publish('x', udp, 8054, 54);
      }
    });
    afterAll(async () => {
      await client?.[Symbol.asyncDispose]();
      await hosts?.[Symbol.asyncDispose]();
    });
    beforeEach(() => knowAddresses());
    afterEach(async () => {
      await client.stop();
      await hosts.restore();
      const { conntrack } = hosts.third.maps;
      conntrack.deleteManyRaw([...conntrack.rawEntries()].map(([key]) => key));
    });

    /** As the hosts have told each other. */
    const knowAddresses = () => {
      for (const family of families) {
        const [home, other, entry] = [homes, others, entries].map((of) => parseAddress(of[family]));
        for (const [host, own, far, third] of [
          [hosts.near, 0, 1, 2],
          [hosts.third, 1, 2, 0],
        ] as const) {
          if (home) host.maps.nodeAddrs.set(home, own);
          if (other) host.maps.nodeAddrs.set(other, far);
          if (entry) host.maps.nodeAddrs.set(entry, third);
        }
      }
    };
    const serve = async (transport: 'tcp' | 'udp', port: number) => {
      const on = hosts.near.container('x');
      await on.spawn('python3', `${programs}server.py`, transport, '::', String(port), 'x').until(/ready/);
    };
    const askFrom = async (from: Sandbox, transport: string, address: string, port: number, ...flags: string[]) => {
      const args = [`${programs}client.py`, transport, address, String(port), '--timeout', wait, ...flags];
      const { stdout, stderr } = await from.exec('python3', ...args);
      if (stdout === '') throw new Error(stderr);
      return JSON.parse(stdout) as Reply;
    };
    const ask = (transport: 'tcp' | 'udp', family: Family, port: number, ...flags: string[]) =>
      askFrom(client, transport, entries[family], port, ...flags);
    /** What was dropped at the container's host and at the one that was asked. */
    const dropsOfBoth = async (during: () => Promise<unknown>) => {
      let atEntry = {};
      const atHome = await hosts.near.drops(async () => {
        atEntry = await hosts.third.drops(during);
      });
      return [atHome, atEntry];
    };
    type Content = readonly [build.Layer, ...build.Layer[]];
    /** What a node sends in a tunnel as if a client had asked an address for it. */
    const frame = (family: Family, source: string, destination: string, ...content: Content) =>
      build.packet(
        build.eth({ source: hostDevice.mac, destination: wideEndpoint('x').mac }),
        ip(family, source, destination),
        ...content,
      );
    const brings = (by: TunnelHost, ...what: Parameters<typeof frame>) => by.forge(hosts.near, frame(...what));
    const flowsOf = (host: TunnelHost) => [...host.maps.conntrack.entries()].map(([, flow]) => flow);
    /** As the container sees them, and as its clients do. */
    const inner = () => flowsOf(hosts.near).filter(({ flags }) => (flags & ConntrackFlag.REPLY_HALF) !== 0);
    const outer = () => flowsOf(hosts.near).filter(({ flags }) => (flags & ConntrackFlag.REPLY_HALF) === 0);
    const asks = build.udp({ source: 5000, destination: 8053 });

    describe.each(families)('IPv%i', (family) => {
      const entry = entries[family];

      test('TCP and UDP are answered past the host that was asked, under its address, and it remembers nothing', async () => {
        await serve('tcp', 80);
        await serve('udp', 53);
        const drops = await dropsOfBoth(async () => {
          for (const [transport, port] of [
            ['tcp', 8080],
            ['udp', 8053],
          ] as const) {
            const { reply, replyFrom } = await ask(transport, family, port, '--timeout', '5', '--count', '3');
            expect(reply).toContain(`x peer=${clients[family]},`);
            if (transport === 'udp') expect(replyFrom).toEqual([entry, port]);
          }
        });
        expect(drops).toEqual([{}, {}]);
        expect(flowsOf(hosts.third)).toEqual([]);
        const common = { sourceParty: Party.NODE, destinationParty: Party.ENDPOINT, owner: numbers.x };
        for (const flow of flowsOf(hosts.near)) expect(flow).toMatchObject({ ...common, toSource: { ifindex: 2 } });
        expect([flowsOf(hosts.near).length, inner().length]).toEqual([4, 2]);
      });

      test('SCTP comes to the container as it would by its own host', async () => {
        const seen = await watch(hosts.near.container('x'), 'eth0', 'sctp');
        const init = build.sctp({ source: 5000, destination: 8092 });
        const frames = () => packetsOf(seen).map((hex) => decode(Buffer.from(hex, 'hex')));
        expect(await hosts.near.drops(() => brings(hosts.third, family, clients[family], entry, init))).toEqual({});
        await expect
          .poll(frames, patient)
          .toMatchObject([{ ip: { source: clients[family] }, sctp: { destination: 92 } }]);
        expect(frames().flatMap(wrongChecksums)).toEqual([]);
        expect(inner()).toMatchObject([{ sourceParty: Party.NODE, owner: numbers.x }]);
      });

      test('bulk goes both ways, in trains of segments', async () => {
        const [bytes, there] = [16_000_000, hosts.near.container('x')];
        await there.spawn('python3', `${programs}bulk.py`, 'serve', '91').until(/ready/);
        await there.spawn('python3', `${programs}bulk.py`, 'pour', '90', String(bytes)).until(/ready/);
        const bulk = async (...args: string[]) =>
          (await client.exec('python3', `${programs}bulk.py`, ...args)).stdout.trim();
        expect(await bulk('send', entry, '8091', String(bytes))).toBe(String(bytes));
        const before = hosts.third.link('uplink0').stats64.rx.packets;
        expect(await bulk('fetch', entry, '8090')).toBe(String(bytes));
        // Of what was fetched it has seen what the client acknowledged.
        expect(hosts.third.link('uplink0').stats64.rx.packets - before).toBeLessThan(bytes / 1448);
        expect(flowsOf(hosts.third)).toEqual([]);
      });

      test('errors come back, sizes are learned, and fragments arrive whole', async () => {
        await serve('udp', 53);
        expect(await ask('udp', family, 8099)).toMatchObject({ error: 'ECONNREFUSED' });
        client.ip('route flush cache');
        const size = String(1500 - (family === 4 ? 28 : 48));
        await ask('udp', family, 8053, '--size', size);
        expect((await ask('udp', family, 8053, '--size', size)).reply).toContain(`bytes=${size}`);
        expect((await ask('udp', family, 8053, '--size', '9000')).reply).toContain('bytes=9000');
      });

      test('a router that cannot pass on what is answered tells the host that was asked, and the container learns it', async () => {
        await serve('udp', 53);
        expect((await ask('udp', family, 8053, '--source-port', '40004')).ok).toBe(true);
        const error = family === 4 ? build.icmpErrors.fragmentationNeeded(1300) : build.icmpErrors.packetTooBig(1300);
        const told = build.packet(
          build.eth({ source: client.mac('eth0'), destination: hosts.third.link('uplink0').address }),
          ip(family, clients[family], entry),
          error,
          ip(family, entry, clients[family]),
          build.udp({ source: 8053, destination: 40_004 }),
          build.payload(64),
        );
        const x = hosts.near.container('x');
        const known = async () => (await x.exec('ip', 'route', 'get', clients[family])).stdout;
        expect(await known()).not.toContain('mtu 1300');
        expect(await dropsOfBoth(() => client.sendFrame('eth0', told))).toEqual([{}, {}]);
        await expect.poll(known, patient).toContain('mtu 1300');
        x.ip(`route flush cache`);
        // Another host speaks for nobody who came by this one.
        const about = [
          error,
          ip(family, entry, clients[family]),
          build.udp({ source: 8053, destination: 40_004 }),
        ] as const;
        const drops = await hosts.near.drops(async () => {
          await brings(hosts.far, family, clients[family], entry, ...about);
          await settled();
        });
        expect(drops).toEqual({ ICMP_UNRELATED: 1 });
      });

      test('policy of the host that has the container judges the client', async () => {
        await serve('udp', 53);
        hosts.near.govern('x', numbers.x, 'INGRESS', { any: deny });
        const drops = await dropsOfBoth(async () => expect((await ask('udp', family, 8053)).ok).toBe(false));
        expect(drops).toEqual([{ POLICY_DENIED: 1 }, {}]);
        hosts.near.release('x', numbers.x);
        const port = ['--source-port', '40005'];
        expect((await ask('udp', family, 8053, ...port)).ok).toBe(true);
        hosts.near.govern('x', numbers.x, 'INGRESS', { any: deny });
        const revoked = await dropsOfBoth(async () => expect((await ask('udp', family, 8053, ...port)).ok).toBe(false));
        expect(revoked).toEqual([{ POLICY_DENIED: 1 }, {}]);
      });

      test('a node has only its own addresses spoken under, for ports that are published so, to who is no host', async () => {
        const group = family === 4 ? '224.0.0.9' : 'ff02::9';
        const asked = (destination: number) => build.udp({ source: 5000, destination });
        const cases = [
          ['an address of nobody', clients[family], family === 4 ? '198.51.100.9' : '2001:db8:c::9', asks],
          ["another node's", clients[family], others[family], asks],
          ["the container's host's", clients[family], homes[family], asks],
          ['a port that is not published', clients[family], entry, asked(8055)],
          ['one that is published the other way', clients[family], entry, asked(8054)],
          ['another protocol', clients[family], entry, build.tcp({ source: 5000, destination: 8053 })],
          ["the container's own port", clients[family], entry, asked(53)],
          ['ping', clients[family], entry, build.echo(family, 'request')],
          ['for a node', others[family], entry, asks],
          ["for the container's host", homes[family], entry, asks],
          ['for a group', group, entry, asks],
        ] as const;
        for (const [what, source, destination, content] of cases) {
          const drops = await hosts.near.drops(async () => {
            await brings(hosts.third, family, source, destination, content);
            await settled();
          });
          expect([what, drops]).toEqual([what, { SPOOFED_TUNNEL: 1 }]);
        }
        expect(flowsOf(hosts.near)).toEqual([]);
        await brings(hosts.third, family, clients[family], entry, asks);
        await expect.poll(inner, patient).toMatchObject([{ sourceParty: Party.NODE, toSource: { ifindex: 2 } }]);
      });

      test('who comes from the host that has the container is answered by way of the one that was asked', async () => {
        await serve('tcp', 80);
        const flags = ['--bind', homes[family], '--timeout', '3'];
        expect(await askFrom(hosts.near, 'tcp', entry, 8080, ...flags)).toMatchObject({ ok: true });
        expect(flowsOf(hosts.third)).toHaveLength(2);
      });

      test('an RST of the client ends the connection where it is known', async () => {
        await serve('tcp', 80);
        const script = `
import socket, struct, sys
s = socket.create_connection((sys.argv[1], 8080), timeout=2)
s.sendall(b"x"); s.recv(99)
s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
s.close()`;
        const { status, stderr } = await client.exec('python3', '-c', script, entry);
        expect([status, stderr]).toEqual([0, '']);
        await expect.poll(inner, patient).toMatchObject([{ state: ConntrackState.CLOSED }]);
      });

      test('a connection stays with the address that it came by; a datagram is answered by where the last came from', async () => {
        await serve('tcp', 80);
        await serve('udp', 53);
        const port = ['--source-port', '40001'];
        const open = ask('tcp', family, 8080, ...port, '--count', '8', '--interval', pause);
        await expect.poll(inner, patient).toMatchObject([{ state: ConntrackState.ESTABLISHED }]);
        const other = build.tcp({ source: 40_001, destination: 8080, flags: 'A' });
        const drops = await hosts.near.drops(async () => {
          await brings(hosts.far, family, clients[family], others[family], other);
          await settled();
        });
        expect(drops).toEqual({ CONNTRACK_INVALID: 1 });
        expect((await open).ok).toBe(true);
        expect((await ask('udp', family, 8053, ...port)).ok).toBe(true);
        const came = () => inner().map(({ toSource: { ifindex } }) => ifindex);
        expect(came().sort()).toEqual([2, 2]);
        const again = build.udp({ source: 40_001, destination: 8053 });
        await brings(hosts.far, family, clients[family], others[family], again);
        await expect.poll(() => came().sort(), patient).toEqual([1, 2]);
        expect((await ask('udp', family, 8053, ...port)).ok).toBe(true);
        expect(came().sort()).toEqual([2, 2]);
        expect(flowsOf(hosts.near)).toHaveLength(4);
      });

      test('a datagram that a host has translated is answered by way of that host from then on, and the other way round', async () => {
        await serve('udp', 53);
        const port = ['--source-port', '40007'];
        expect((await ask('udp', family, 8053, ...port)).ok).toBe(true);
        const translated = build.udp({ source: 40_007, destination: 53 });
        const translatedFlags = () => flowsOf(hosts.near).map(({ flags }) => flags & ConntrackFlag.TRANSLATED);
        await brings(hosts.third, family, clients[family], at('x', family), translated);
        await expect.poll(translatedFlags, patient).toEqual([0]);
        expect((await ask('udp', family, 8053, ...port)).ok).toBe(true);
        expect([flowsOf(hosts.near).length, inner().length]).toEqual([2, 1]);
      });

      test('an address that moves to another host takes its connections along', async () => {
        await serve('tcp', 80);
        const open = ask('tcp', family, 8080, '--source-port', '40006', '--count', '8', '--interval', pause);
        await expect.poll(inner, patient).toMatchObject([{ state: ConntrackState.ESTABLISHED }]);
        const came = () => outer().map(({ toSource: { ifindex } }) => ifindex);
        expect(came()).toEqual([2]);
        hosts.near.maps.nodeAddrs.set(parseAddress(entry), 1);
        const ack = build.tcp({ source: 40_006, destination: 8080, flags: 'A' });
        await brings(hosts.far, family, clients[family], entry, ack);
        await expect.poll(came, patient).toEqual([1]);
        hosts.near.maps.nodeAddrs.set(parseAddress(entry), 2);
        expect((await open).ok).toBe(true);
      });

      test('a port that is not published so any more is not reached, not by what is open either', async () => {
        await serve('udp', 53);
        const port = ['--source-port', '40003'];
        expect((await ask('udp', family, 8053, ...port)).ok).toBe(true);
        const key = { addr: parseAddress(family === 4 ? '0.0.0.0' : '::'), port: 8053, protocol: udp };
        const value = hosts.near.maps.published.get(key);
        if (value) hosts.near.maps.published.set(key, { ...value, flags: PublishFlag.NONE });
        hosts.near.judgeAgain();
        // What the container says yet goes nowhere.
        expect(await hosts.near.drops(() => ask('udp', family, 8053, ...port))).toEqual({ SPOOFED_TUNNEL: 1 });
        if (value) hosts.near.maps.published.set(key, value);
        expect((await ask('udp', family, 8053, ...port)).ok).toBe(true);
      });

      test('clients that are made up are charged to the container where it is, and to nobody where they ask', async () => {
        const config = hosts.near.maps.config.get(0);
        if (config) hosts.near.maps.config.set(0, { ...config, flowQuota: 2 });
        try {
          const epoch = process.hrtime.bigint();
          hosts.near.maps.quotas.set(numbers.x, { epoch, floodRefilled: 0n, floodTokens: 0, flows: 0, snatPorts: 0 });
          const drops = await dropsOfBoth(async () => {
            for (const port of ['40010', '40011', '40012']) await ask('udp', family, 8099, '--source-port', port);
          });
          expect(drops).toEqual([{ FLOW_QUOTA: 1 }, {}]);
          expect(flowsOf(hosts.third)).toEqual([]);
        } finally {
          if (config) hosts.near.maps.config.set(0, config);
        }
      });
    });
  },
);

function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 50 * slowness));
}
