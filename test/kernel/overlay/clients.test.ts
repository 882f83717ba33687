import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ConntrackState, Party } from '../../../src/maps/generated/abi.ts';
import { parseAddress, parsePrefix } from '../../../src/model/address.ts';
import * as build from '../packet/build.ts';
import { type Family, families, ip } from '../tables/say.ts';
import { hostDevice, networks } from '../world/plan.ts';
import { deny } from '../world/policy.ts';
import type { Sandbox } from './sandbox.ts';
import { at, enterMounts, numbers, ThreeHosts, underlays } from './three-hosts.ts';
import { wideEndpoint } from './tunnel-host.ts';

// Who comes from outside to a port of one host that leads to a container on another: `x` on `near`, by way of `third`.

const programs = new URL('../../lab/programs/', import.meta.url).pathname;
const [tcp, udp] = [6, 17];
const clients = { 4: '198.51.100.77', 6: '2001:db8:c::77' } as const;
const entries = { 4: '198.51.100.3', 6: '2001:db8:c::3' } as const;

interface Reply {
  readonly ok: boolean;
  readonly reply: string | null;
  readonly error: string | null;
}

beforeAll(enterMounts);

describe.each(underlays.filter(({ uplinks }) => uplinks))('over $name', (underlay) => {
  let hosts: ThreeHosts;
  let client: Sandbox;
  beforeAll(async () => {
    hosts = await ThreeHosts.create(underlay);
    client = hosts.addClient(`${clients[4]}/24`, `${clients[6]}/64`);
    hosts.near.container('x').ip(`route add ::/0 via ${networks.wide.gateway6}`);
    for (const cidr of [networks.wide.subnet4, networks.wide.subnet6]) {
      const { address: addr, prefixLength: prefixlen } = parsePrefix(cidr);
      hosts.near.maps.subnets.set({ prefixlen, addr }, { network: networks.wide.number, flags: 0 });
    }
    hosts.third.addAddress(`${entries[4]}/24`);
    hosts.third.addAddress(`${entries[6]}/64`);
    for (const host of [hosts.near, hosts.third]) {
      host.publish('x', tcp, 8080, 80);
      host.publish('x', udp, 8053, 53);
      host.publish('x', udp, 8099, 99);
      host.publish('x', tcp, 8091, 91);
      host.publish('x', tcp, 8090, 90);
    }
  });
  afterAll(async () => {
    await client?.[Symbol.asyncDispose]();
    await hosts?.[Symbol.asyncDispose]();
  });
  afterEach(async () => {
    await client.stop();
    await hosts.restore();
    const { conntrack } = hosts.third.maps;
    conntrack.deleteManyRaw([...conntrack.rawEntries()].map(([key]) => key));
  });

  const serve = async (transport: 'tcp' | 'udp', port: number) => {
    const on = hosts.near.container('x');
    await on.spawn('python3', `${programs}server.py`, transport, '::', String(port), 'x').until(/ready/);
  };
  const ask = async (transport: 'tcp' | 'udp', family: Family, port: number, ...flags: string[]): Promise<Reply> => {
    const args = [`${programs}client.py`, transport, entries[family], String(port), '--timeout', '1', ...flags];
    const { stdout, stderr } = await client.exec('python3', ...args);
    if (stdout === '') throw new Error(stderr);
    return JSON.parse(stdout) as Reply;
  };
  /** What was dropped at the container's host and at the one that was asked. */
  const dropsOfBoth = async (during: () => Promise<unknown>) => {
    let atEntry = {};
    const atHome = await hosts.near.drops(async () => {
      atEntry = await hosts.third.drops(during);
    });
    return [atHome, atEntry];
  };
  /** What a node sends in a tunnel as if a client had said it. */
  const frame = (family: Family, source: string, ...content: readonly [build.Layer, ...build.Layer[]]) =>
    build.packet(
      build.eth({ source: hostDevice.mac, destination: wideEndpoint('x').mac }),
      ip(family, source, at('x', family)),
      ...content,
    );
  const flows = () => [...hosts.near.maps.conntrack.entries()].map(([, flow]) => flow);
  /** Those of UDP: what a connection sent last may come late. */
  const exchanges = () =>
    [...hosts.near.maps.conntrack.entries()].flatMap(([{ protocol }, flow]) => (protocol === udp ? [flow] : []));

  describe.each(families)('IPv%i', (family) => {
    test('TCP and UDP are answered, the container sees the client, and nothing is dropped', async () => {
      await serve('tcp', 80);
      await serve('udp', 53);
      const drops = await dropsOfBoth(async () => {
        for (const [transport, port] of [
          ['tcp', 8080],
          ['udp', 8053],
        ] as const) {
          const { reply } = await ask(transport, family, port, '--timeout', '5', '--count', '3');
          expect(reply).toContain(`x peer=${clients[family]},`);
        }
      });
      expect(drops).toEqual([{}, {}]);
      for (const flow of flows()) {
        expect(flow).toMatchObject({ ...{ sourceParty: Party.NODE, owner: numbers.x }, toSource: { ifindex: 2 } });
      }
      expect(flows()).toHaveLength(2);
      expect([...hosts.third.maps.conntrack.rawEntries()]).toHaveLength(4);
    });

    test('bulk goes both ways, in trains of segments', async () => {
      const [bytes, there] = [16_000_000, hosts.near.container('x')];
      await there.spawn('python3', `${programs}bulk.py`, 'serve', '91').until(/ready/);
      await there.spawn('python3', `${programs}bulk.py`, 'pour', '90', String(bytes)).until(/ready/);
      const bulk = async (...args: string[]) =>
        (await client.exec('python3', `${programs}bulk.py`, ...args)).stdout.trim();
      expect(await bulk('send', entries[family], '8091', String(bytes))).toBe(String(bytes));
      const before = hosts.near.overlayPackets('tx');
      const received = hosts.third.overlayPackets('rx');
      expect(await bulk('fetch', entries[family], '8090')).toBe(String(bytes));
      // What a program strips keeps the mark of a tunnel, which is not for the network card that it leaves by.
      if (!underlay.encrypted) expect(bytes / (hosts.third.overlayPackets('rx') - received)).toBeLessThan(1 << 16);
      expect(bytes / (hosts.near.overlayPackets('tx') - before)).toBeGreaterThan(2 * hosts.near.mtu);
    });

    test('errors come back, sizes are learned, and fragments arrive whole', async () => {
      await serve('udp', 53);
      expect(await ask('udp', family, 8099)).toMatchObject({ error: 'ECONNREFUSED' });
      const size = String(1500 - (family === 4 ? 28 : 48));
      expect((await dropsOfBoth(() => ask('udp', family, 8053, '--size', size)))[1]).toEqual({ TOO_BIG: 1 });
      expect((await ask('udp', family, 8053, '--size', size)).reply).toContain(`bytes=${size}`);
      expect((await ask('udp', family, 8053, '--size', '9000')).reply).toContain('bytes=9000');
    });

    test('policy of the host that has the container judges the client', async () => {
      await serve('udp', 53);
      hosts.near.govern('x', numbers.x, 'INGRESS', { any: deny });
      const drops = await dropsOfBoth(async () => expect((await ask('udp', family, 8053)).ok).toBe(false));
      expect(drops).toEqual([{ POLICY_DENIED: 1 }, {}]);
      hosts.near.release('x', numbers.x);
      expect((await ask('udp', family, 8053)).ok).toBe(true);
    });

    test("who comes under an address of the container's own host is not that host, but what is around it", async () => {
      const own = family === 4 ? '198.51.100.4' : '2001:db8:c::4';
      const [around, ownKey] = [152, 160].map((prefixlen) => ({ prefixlen, family, addr: parseAddress(own) }));
      const { hostAddrs, addressBlocks } = hosts.near.maps;
      hostAddrs.set(parseAddress(own), { ifindex: 1, network: 0 });
      if (around) addressBlocks.set(around, { identity: [700, 700] });
      if (ownKey) addressBlocks.set(ownKey, { identity: [701, 701] });
      try {
        const asks = (source: string) =>
          hosts.far.forge(hosts.near, frame(family, source, build.udp({ source: 5000, destination: 53 })));
        await asks(own);
        await expect.poll(flows).toMatchObject([{ sourceIdentity: 700 }]);
        hosts.near.judgeAgain();
        await asks(own);
        await expect.poll(flows).toMatchObject([{ sourceIdentity: 700, packetsOriginal: 2n }]);
        hostAddrs.delete(parseAddress(own));
        hosts.near.judgeAgain();
        await asks(own);
        await expect.poll(flows).toMatchObject([{ sourceIdentity: 701 }]);
      } finally {
        hostAddrs.delete(parseAddress(own));
        for (const key of [around, ownKey]) if (key) addressBlocks.delete(key);
      }
    });

    test('a node brings in nobody but for ports that are published so, and nobody who is one of us', async () => {
      const asks = build.udp({ source: 5000, destination: 53 });
      const forged = (family: Family, source: string, content: build.Layer, from?: string) => {
        return { bytes: frame(family, source, content), from };
      };
      const host = networks.wide[`gateway${family}`];
      const loopback = family === 4 ? '127.0.0.1' : '::1';
      const group = family === 4 ? '224.0.0.9' : 'ff02::9';
      const cases = [
        ['another port', forged(family, clients[family], build.udp({ source: 5000, destination: 54 }))],
        ['another protocol', forged(family, clients[family], build.tcp({ source: 5000, destination: 53 }))],
        ['ping', forged(family, clients[family], build.echo(family, 'request'))],
        ['a container here', forged(family, at('y', family), asks)],
        ['a container elsewhere', forged(family, at('z', family), asks)],
        ['a gateway', forged(family, host, asks)],
        ['loopback', forged(family, loopback, asks)],
        ['a group', forged(family, group, asks)],
        ['no node', forged(family, clients[family], asks, hosts.stranger)],
      ] as const;
      for (const [what, { bytes, from }] of cases) {
        const drops = await hosts.near.drops(async () => {
          await hosts.far.forge(hosts.near, bytes, from === undefined ? {} : { from });
          await new Promise((resolve) => setTimeout(resolve, 50));
        });
        expect([what, drops]).toEqual([what, { SPOOFED_TUNNEL: 1 }]);
      }
      expect(flows()).toEqual([]);
      // For the port it would be the way, had it said so for somebody.
      await hosts.far.forge(hosts.near, frame(family, clients[family], asks));
      await expect.poll(flows).toMatchObject([{ sourceParty: Party.NODE, toSource: { ifindex: 1 } }]);
    });

    test('what an endpoint answers without a flow goes to nobody outside', async () => {
      const answer = build.packet(
        build.eth({ source: wideEndpoint('x').mac, destination: hostDevice.mac }),
        ip(family, at('x', family), clients[family]),
        build.udp({ source: 53, destination: 5000 }),
      );
      const drops = await hosts.third.drops(async () => {
        await hosts.near.forge(hosts.third, answer);
        await new Promise((resolve) => setTimeout(resolve, 50));
      });
      expect(drops).toEqual({ NO_ENDPOINT: 1 });
    });

    test('a connection stays with the host that it came by; a datagram is answered by where the last came from', async () => {
      await serve('tcp', 80);
      await serve('udp', 53);
      const port = ['--source-port', '40001'];
      const open = ask('tcp', family, 8080, ...port, '--count', '8', '--interval', '0.1');
      await expect.poll(flows).toMatchObject([{ toSource: { ifindex: 2 }, state: ConntrackState.ESTABLISHED }]);
      const other = build.tcp({ source: 40001, destination: 80, flags: 'A' });
      const drops = await hosts.near.drops(async () => {
        await hosts.far.forge(hosts.near, frame(family, clients[family], other));
        await new Promise((resolve) => setTimeout(resolve, 300));
      });
      expect(drops).toEqual({ CONNTRACK_INVALID: 1 });
      expect((await open).ok).toBe(true);
      await hosts.restore();
      await serve('udp', 53);
      expect((await ask('udp', family, 8053, ...port)).ok).toBe(true);
      expect(exchanges()).toMatchObject([{ toSource: { ifindex: 2 } }]);
      await hosts.far.forge(hosts.near, frame(family, clients[family], build.udp({ source: 40001, destination: 53 })));
      await expect.poll(exchanges).toMatchObject([{ toSource: { ifindex: 1 } }]);
      expect((await ask('udp', family, 8053, ...port)).ok).toBe(true);
      expect(exchanges()).toMatchObject([{ toSource: { ifindex: 2 } }]);
    });

    test('what came by a host that is gone ends, and goes on by another one', async () => {
      await serve('udp', 53);
      const port = ['--source-port', '40002'];
      expect((await ask('udp', family, 8053, ...port)).ok).toBe(true);
      hosts.near.removeNode(2, hosts.third);
      expect(await hosts.near.drops(() => ask('udp', family, 8053, ...port))).toEqual({ SPOOFED_TUNNEL: 1 });
      await hosts.far.forge(hosts.near, frame(family, clients[family], build.udp({ source: 40002, destination: 53 })));
      await expect.poll(flows).toMatchObject([{ toSource: { ifindex: 1 } }]);
      hosts.near.addNode(2, hosts.third, []);
      expect((await ask('udp', family, 8053, ...port)).ok).toBe(true);
    });

    test('a port that is published no more is not reached, not by what is open either', async () => {
      await serve('udp', 53);
      const port = ['--source-port', '40003'];
      expect((await ask('udp', family, 8053, ...port)).ok).toBe(true);
      hosts.near.maps.published.delete({ addr: parseAddress(at('x', family)), port: 53, protocol: udp });
      hosts.near.judgeAgain();
      expect(await hosts.near.drops(() => ask('udp', family, 8053, ...port))).toEqual({ SPOOFED_TUNNEL: 1 });
      hosts.near.publish('x', udp, 8053, 53);
      hosts.near.judgeAgain();
      expect((await ask('udp', family, 8053, ...port)).ok).toBe(true);
    });
  });
});
