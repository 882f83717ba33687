import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ConfigFlag, InterfaceFlag, RateDirection } from '../../../src/maps/generated/abi.ts';
import { Netlink } from '../../../src/netlink/netlink.ts';
import { createNetns, withNetns } from '../../../src/netlink/netns.ts';
import { families } from '../tables/say.ts';
import { remotes } from '../world/plan.ts';
import { allow, deny } from '../world/policy.ts';
import { hasWireguard } from './key-pair.ts';
import { Sandbox } from './sandbox.ts';
import { at, enterMounts, numbers, ThreeHosts, underlays, wireguardUnderlay } from './three-hosts.ts';
import { wideEndpoint } from './tunnel-host.ts';

const programs = new URL('../../lab/programs/', import.meta.url).pathname;
interface Reply {
  readonly ok: boolean;
  readonly reply: string | null;
  readonly error: string | null;
}

async function ask(from: Sandbox, transport: string, to: string, port: number, ...flags: string[]): Promise<Reply> {
  const args = [`${programs}client.py`, transport, to, String(port), '--timeout', '2', ...flags];
  const { stdout, stderr } = await from.exec('python3', ...args);
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as Reply;
}

async function serve(on: Sandbox, transport: string, port: number, name: string): Promise<void> {
  await on.spawn('python3', `${programs}server.py`, transport, '::', String(port), name).until(/ready/);
}

/** Has the address of container `z`, which routes it on; without the kernel's questions about neighbours. */
class Behind extends Sandbox {
  readonly #container: Sandbox;

  constructor(container: Sandbox, mtu: number) {
    super(createNetns());
    this.#container = container;
    const [own, peer] = [at('z', 4), at('x', 4)];
    withNetns(container.netns, () => {
      using netlink = Netlink.open();
      netlink.createVeth({ name: 'inner0', peer: { name: 'eth0', netns: this.netns }, up: true });
    });
    container.sysctl('ipv4/ip_forward', 1);
    container.ip(
      `address delete ${own}/16 dev eth0`,
      `link set inner0 mtu ${mtu}`,
      `neighbour replace ${peer} lladdr ${wideEndpoint('x').mac} dev eth0 nud permanent`,
      `route add ${peer} dev eth0`,
      `neighbour replace ${own} lladdr ${this.mac('eth0')} dev inner0 nud permanent`,
      `route add ${own} dev inner0`,
    );
    this.ip(
      `link set eth0 mtu ${mtu} up`,
      `address add ${own}/32 dev eth0`,
      `neighbour replace ${peer} lladdr ${container.mac('inner0')} dev eth0 nud permanent`,
      `route add ${peer} dev eth0`,
    );
  }

  async cut(): Promise<void> {
    const { status, stderr } = await this.#container.exec('ethtool', '-K', 'inner0', 'tso', 'off', 'gso', 'off');
    if (status !== 0) throw new Error(stderr);
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    const [own, peer] = [at('z', 4), at('x', 4)];
    // Before the namespace is closed, which takes the device away some time later.
    this.#container.ip(
      'link delete inner0',
      `route delete ${peer} dev eth0`,
      `neighbour delete ${peer} dev eth0`,
      `address add ${own}/16 dev eth0`,
      'route add default via 10.110.0.1',
    );
    await super[Symbol.asyncDispose]();
  }
}

beforeAll(enterMounts);

describe.each([...underlays, ...(hasWireguard() ? [wireguardUnderlay] : [])])('over $name', (underlay) => {
  const encrypted = underlay.encrypted !== undefined;
  const past = underlay.uplinks && underlay.prefix.includes('.') && !encrypted;
  let hosts: ThreeHosts;
  beforeAll(async () => {
    hosts = await ThreeHosts.create(underlay);
  });
  afterAll(() => hosts?.[Symbol.asyncDispose]());
  afterEach(() => hosts.restore());

  describe.each(families)('IPv%i', (family) => {
    test('TCP, UDP and ping pass both ways, and nothing is dropped', async () => {
      const [here, there] = [hosts.near.container('x'), hosts.far.container('z')];
      await serve(there, 'tcp', 80, 'z');
      await serve(there, 'udp', 53, 'z');
      await serve(here, 'tcp', 80, 'x');
      const drops = await hosts.near.drops(async () => {
        expect(
          await hosts.far.drops(async () => {
            const own = { x: at('x', family), z: at('z', family) };
            expect(await ask(here, 'tcp', own.z, 80)).toMatchObject({ ok: true });
            expect((await ask(here, 'udp', own.z, 53)).reply).toContain(`z peer=${own.x},`);
            expect((await ask(there, 'tcp', own.x, 80)).reply).toContain(`x peer=${own.z},`);
            expect((await here.exec('ping', '-n', '-c', '2', '-i', '0.2', '-W', '2', own.z)).status).toBe(0);
          }),
        ).toEqual({});
      });
      expect(drops).toEqual({});
    });

    test('single packets take the device only where they have to', async () => {
      const [sent, received] = [hosts.near.overlayPackets('tx'), hosts.far.overlayPackets('rx')];
      const status = await hosts.near
        .container('x')
        .exec('ping', '-n', '-c', '3', '-i', '0.2', '-W', '2', at('z', family));
      expect(status.status).toBe(0);
      expect(hosts.near.overlayPackets('tx') - sent).toBe(past || encrypted ? 0 : 3);
      // The first one begins the flow, and of IPv6 all go by the device.
      expect(hosts.far.overlayPackets('rx') - received).toBe(encrypted ? 0 : past && family === 4 ? 1 : 3);
    });

    if (past) {
      test('on the wire nothing tells whether it went through the device', async () => {
        const capture = async () => {
          const dump = hosts.far.spawn('tcpdump', '-xx', '-nli', 'uplink0', '-c', '1', 'udp dst port 4789');
          await dump.until(/listening/);
          await ask(
            hosts.near.container('x'),
            'udp',
            at('z', family),
            53,
            '--source-port',
            '40001',
            '--timeout',
            '0.1',
          );
          await dump.ended();
          const bytes = Buffer.from(
            [...dump.output.matchAll(/0x[0-9a-f]+: +([0-9a-f ]+)/g)]
              .map(([, hex = '']) => hex.replaceAll(' ', ''))
              .join(''),
            'hex',
          );
          // What differs each time: the socket's hash, which is the port and the flow label; identifiers and their checksums.
          for (const at of family === 4 ? [18, 24, 34, 68, 74] : [18, 24, 34, 65, 66]) bytes.writeUInt16BE(0, at);
          return bytes.toString('hex');
        };
        const without = await capture();
        expect(without).toContain(Buffer.from(remotes.z.mac.replaceAll(':', ''), 'hex').toString('hex'));
        hosts.near.leaveUplink();
        expect(await capture()).toBe(without);
        hosts.near.joinUplink();
      });
    }

    test.runIf(!encrypted)(
      'a route that changes is followed, at the latest with the next tick of the clock',
      async () => {
        const ping = async () =>
          (await hosts.near.container('x').exec('ping', '-n', '-c', '1', '-W', '1', at('z', family))).status === 0;
        expect(await ping()).toBe(true);
        hosts.near.ip(`route add unreachable ${hosts.far.address}`);
        await sleep(20);
        expect(await ping()).toBe(false);
        hosts.near.ip(`route delete unreachable ${hosts.far.address}`);
        await sleep(20);
        expect(await ping()).toBe(true);
      },
    );

    test.runIf(past)('packets of many identifiers arrive: the checksum of their headers is right', async () => {
      const command = ['ping', '-n', '-q', '-c', '500', '-i', '0.002', '-W', '2', at('z', family)];
      expect((await hosts.near.container('x').exec(...command)).stdout).toContain(' 500 received');
    });

    test.runIf(underlay.prefix.includes('.') && !encrypted)(
      'what IPsec refuses neither leaves nor comes in',
      async () => {
        const ping = async () =>
          (await hosts.near.container('x').exec('ping', '-n', '-c', '1', '-W', '1', at('z', family))).status === 0;
        expect(await ping()).toBe(true);
        hosts.near.tunnelByDevice(true);
        for (const [host, direction, from, to] of [
          [hosts.near, 'out', hosts.near, hosts.far],
          [hosts.near, 'in', hosts.far, hosts.near],
        ] as const) {
          const selector = `src ${from.address} dst ${to.address} dir ${direction}`;
          host.ip(`xfrm policy add ${selector} action block`);
          expect([direction, await ping()]).toEqual([direction, false]);
          host.ip(`xfrm policy delete ${selector}`);
          expect(await ping()).toBe(true);
        }
        hosts.near.tunnelByDevice(false);
      },
    );

    test('datagrams in fragments arrive whole', async () => {
      await serve(hosts.far.container('z'), 'udp', 53, 'z');
      const { reply } = await ask(hosts.near.container('x'), 'udp', at('z', family), 53, '--size', '9000');
      expect(reply).toContain('bytes=9000');
    });

    test('an error comes back to who sent what it is about', async () => {
      expect(await ask(hosts.near.container('x'), 'udp', at('z', family), 54)).toMatchObject({ error: 'ECONNREFUSED' });
      expect(await ask(hosts.far.container('z'), 'udp', at('x', family), 54)).toMatchObject({ error: 'ECONNREFUSED' });
    });

    test('bulk goes both ways, in trains of segments: out by the device, and in past it where that may be', async () => {
      // Emulated kernels encrypt slowly, and what stands for WireGuard is no fast one.
      const [bytes, there] = [encrypted ? 2_000_000 : 32_000_000, hosts.far.container('z')];
      await there.spawn('python3', `${programs}bulk.py`, 'serve', '5001').until(/ready/);
      await there.spawn('python3', `${programs}bulk.py`, 'pour', '5002', String(bytes)).until(/ready/);
      const bulk = async (...args: string[]) =>
        (await hosts.near.container('x').exec('python3', `${programs}bulk.py`, ...args)).stdout.trim();
      const before = hosts.near.overlayPackets('tx');
      const received = hosts.far.overlayPackets('rx');
      expect(await bulk('send', at('z', family), '5001', String(bytes))).toBe(String(bytes));
      // The first one begins the flow.
      if (encrypted || (past && family === 4)) expect(hosts.far.overlayPackets('rx') - received).toBeLessThanOrEqual(1);
      else expect(hosts.far.overlayPackets('rx') - received).toBeGreaterThan(1);
      if (encrypted) expect(hosts.near.overlayPackets('tx')).toBe(before);
      else expect(bytes / (hosts.near.overlayPackets('tx') - before)).toBeGreaterThan(2 * hosts.near.mtu);
      expect(await bulk('fetch', at('z', family), '5002')).toBe(String(bytes));
    });

    test('a train of datagrams reaches who takes them one by one', async () => {
      await hosts.far.container('z').spawn('python3', `${programs}train.py`, 'serve', '5003').until(/ready/);
      const command = ['python3', `${programs}train.py`, 'send', at('z', family), '5003', '30', '1000'];
      expect((await hosts.near.container('x').exec(...command)).stdout.trim()).toBe('30');
    });

    test('who has a limit pays for the headers of each segment that it receives', async () => {
      const { far, near } = hosts;
      const there = far.container('z');
      await there.spawn('python3', `${programs}bulk.py`, 'serve', '5001').until(/ready/);
      const index = 2 * numbers.z + RateDirection.INGRESS;
      const ifindex = far.index(`vt${numbers.z}`);
      const known = far.maps.interfaces.get(ifindex);
      const config = far.maps.config.get(0);
      if (!known || !config) throw new Error('z has no device');
      // A burst that is not used up, and a debt that does not run out before the first packet.
      const [bits, burst] = [1_000_000n, 25_000_000_000n];
      far.maps.rates.set(index, { bits, burst, queue: 0n });
      far.maps.interfaces.set(ifindex, { ...known, flags: InterfaceFlag.INGRESS_LIMITED });
      far.maps.config.set(0, { ...config, flags: config.flags | ConfigFlag.INGRESS_LIMITS });
      try {
        const begun = process.hrtime.bigint() - burst + 5_000_000_000n;
        far.maps.rateClocks.set(index, { paidUntil: begun });
        const command = ['python3', `${programs}bulk.py`, 'send', at('z', family), '5001', '2000000'];
        expect((await near.container('x').exec(...command)).stdout.trim()).toBe('2000000');
        const { paidUntil } = far.maps.rateClocks.get(index) ?? { paidUntil: 0n };
        const paid = Number(((paidUntil - begun) * bits) / 8_000_000_000n);
        const headers = family === 4 ? 52 : 72;
        const whole = (2_000_000 * far.mtu) / (far.mtu - headers);
        expect(paid / whole).toBeGreaterThan(0.995);
        // Some segments are sent twice, and the last ones of trains are short.
        expect(paid / whole).toBeLessThan(1.1);
      } finally {
        far.maps.config.set(0, config);
        far.maps.interfaces.set(ifindex, known);
        far.maps.rates.set(index, { bits: 0n, burst: 0n, queue: 0n });
      }
    });

    for (const cut of [false, true]) {
      test.runIf(family === 4 && !encrypted)(
        `bulk reaches who is behind a container, whose stack ${cut ? 'has to cut the trains' : 'hands the trains on'}`,
        async () => {
          await using behind = new Behind(hosts.far.container('z'), hosts.far.mtu);
          if (cut) await behind.cut();
          await behind.spawn('python3', `${programs}bulk.py`, 'serve', '5001').until(/ready/);
          await behind.spawn('python3', `${programs}bulk.py`, 'pour', '5002', '8000000').until(/ready/);
          const bulk = async (...args: string[]) =>
            (await hosts.near.container('x').exec('python3', `${programs}bulk.py`, ...args)).stdout.trim();
          expect(await bulk('send', at('z', 4), '5001', '8000000')).toBe('8000000');
          expect(await bulk('fetch', at('z', 4), '5002')).toBe('8000000');
        },
      );
    }

    test('what the tunnel does not take is dropped, and its sender learns how large it may be', async () => {
      const here = hosts.near.container('x');
      here.ip('link set eth0 mtu 1500');
      const ping = () => here.exec('ping', '-n', '-c', '1', '-W', '2', '-M', 'do', '-s', '1440', at('z', family));
      expect(
        await hosts.near.drops(async () => {
          const { stdout, stderr } = await ping();
          expect(stdout + stderr).toMatch(new RegExp(`mtu ?[=:] ?${hosts.near.mtu}`));
        }),
      ).toEqual({ TOO_BIG: 1 });
      await serve(hosts.far.container('z'), 'udp', 53, 'z');
      const { reply } = await ask(here, 'udp', at('z', family), 53, '--size', '3000');
      expect(reply).toContain('bytes=3000');
      here.ip(`link set eth0 mtu ${hosts.near.mtu}`);
    });

    test('a frame to a group reaches the members of every host, also when one here is refused', async () => {
      const group = family === 4 ? '239.1.2.3' : 'ff02::1:2:3';
      const program = `${programs}group.py`;
      for (const [name, sandbox] of [
        ['y', hosts.near.container('y')],
        ['z', hosts.far.container('z')],
      ] as const) {
        await sandbox.spawn('python3', program, 'listen', group, '7000', 'eth0', name).until(/ready/);
      }
      const hearers = async (from: Sandbox) =>
        JSON.parse((await from.exec('python3', program, 'ask', group, '7000', 'eth0')).stdout) as string[];
      expect(await hearers(hosts.near.container('x'))).toEqual(['y', 'z']);
      hosts.near.govern('y', numbers.y, 'INGRESS', { any: deny });
      expect(await hearers(hosts.near.container('x'))).toEqual(['z']);
      hosts.near.release('y', numbers.y);
      hosts.far.govern('z', numbers.z, 'INGRESS', { any: deny, y: allow });
      expect(await hearers(hosts.near.container('x'))).toEqual(['y']);
      hosts.far.release('z', numbers.z);
      hosts.near.govern('x', numbers.x, 'EGRESS', { any: deny, y: allow });
      expect(await hearers(hosts.near.container('x'))).toEqual(['y']);
      hosts.near.release('x', numbers.x);
    });

    test('the receiver judges by who the sender is, and a permission that is taken back ends the flow', async () => {
      await serve(hosts.far.container('z'), 'udp', 53, 'z');
      hosts.far.govern('z', numbers.z, 'INGRESS', { any: deny, x: allow });
      const asks = (name: 'x' | 'y') =>
        ask(hosts.near.container(name), 'udp', at('z', family), 53, '--source-port', '40000', '--timeout', '0.5');
      expect([(await asks('x')).ok, (await asks('y')).ok]).toEqual([true, false]);
      hosts.far.govern('z', numbers.z, 'INGRESS', { x: deny });
      expect((await asks('x')).ok).toBe(false);
      hosts.far.release('z', numbers.z);
      expect((await asks('x')).ok).toBe(true);
    });

    test('a flow follows an endpoint to another host', async () => {
      const asks = () => ask(hosts.near.container('x'), 'udp', at('z', family), 53, '--source-port', '40000');
      await serve(hosts.far.container('z'), 'udp', 53, 'before');
      expect((await asks()).reply).toContain('before');
      const moved = hosts.third.addContainer('z', numbers.z);
      await serve(moved, 'udp', 53, 'after');
      hosts.near.addNode(2, hosts.third, ['z']);
      hosts.near.judgeAgain();
      expect((await asks()).reply).toContain('after');
      expect([...hosts.near.maps.conntrack.rawEntries()]).toHaveLength(1);
      hosts.near.addNode(1, hosts.far, ['z']);
      hosts.near.judgeAgain();
      expect((await asks()).reply).toContain('before');
      expect([...hosts.near.maps.conntrack.rawEntries()]).toHaveLength(1);
      await hosts.third.removeContainer('z');
    });
  });
});
