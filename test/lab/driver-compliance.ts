import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as build from '../kernel/packet/build.ts';
import { PolicyApi } from '../policy/policy-api.ts';
import type { Container } from './container.ts';
import type { Host } from './host.ts';
import { type Client, Lab } from './lab.ts';
import type { Machine } from './machine.ts';
import { RawSender } from './raw-sender.ts';
import { ask, ping, serve } from './talk.ts';
import type { AttachedEndpoint } from './vetch.ts';

/**
 * A driver, and what it does differently from others. To have one tested: add an object to `test/lab/drivers.test.ts` that
 * says how its networks are made in the lab (one host, whose `eth0` is on 198.51.100.0/24 and 2001:db8:f::/64, with a
 * client `outside` there), and what of the promises below it makes.
 */
export interface DriverUnderTest {
  /** For people. */
  readonly name: string;
  /**
   * What an endpoint has of its own: a device, in a namespace of its own; or a cgroup in the host's namespace, whose addresses
   * are then those of all endpoints, and whose ports tell them apart.
   */
  readonly own: 'device' | 'cgroup';
  /** Flags of `network create` for a network of it, and for another one that the first is isolated from if `own` is a device. */
  readonly network: readonly string[];
  readonly other: readonly string[];
  /** Addresses of the first network's two endpoints; absent: it hands out none, and the host's are theirs. */
  readonly addresses?: readonly [one: readonly string[], two: readonly string[]];
  /** Under whose address the world sees an endpoint. */
  readonly leavesAs: 'itself' | 'host';
  /** Whether any port of an endpoint is reached from outside, at its own address. */
  readonly reachedFromOutside: boolean;
  /** Whether endpoints and their host reach each other. */
  readonly reachesHost: boolean;
  /** Whether ports of the host can be published. */
  readonly publishes: boolean;
  /** What `--internal` is worth: false where it is refused. */
  readonly internal: boolean;
}

const quick = ['--timeout', '0.5'];

/** What every driver promises. */
export function driverCompliance(driver: DriverUnderTest): void {
  describe(`driver ${driver.name}`, () => {
    let lab: Lab;
    let host: Host;
    let outside: Client;
    let one: Machine;
    let two: Machine;
    let stranger: Container;
    let first: AttachedEndpoint;
    let own: readonly string[];
    let others: readonly string[];
    const hasDevice = driver.own === 'device';
    const [portOfOne, portOfTwo] = hasDevice ? [80, 80] : [8001, 8002];

    const create = (name: string, flags: readonly string[]) => host.vetch('network', 'create', name, ...flags);
    const ips = (addresses: readonly string[]) => addresses.flatMap((address) => ['--ip', address]);
    const devices = async () => (await host.must('ip', '-o', 'link')).match(/\bv[tm][0-9a-f]{11}/g)?.sort() ?? [];

    const attach = (name: string, addresses: readonly string[], ...flags: string[]) =>
      hasDevice ? host.attach('net', name, ...ips(addresses), ...flags) : host.attachCgroup('net', name, ...flags);

    async function reaches(from: Machine, addresses: readonly string[], ok: boolean, port = 80) {
      const replies = await Promise.all(
        addresses.map((address) => ask(from, 'tcp', address, port, ...(ok ? [] : quick))),
      );
      expect(
        replies.map((reply) => reply.ok),
        `${from.name} to ${addresses}`,
      ).toEqual(addresses.map(() => ok));
    }

    beforeAll(async () => {
      lab = await Lab.create();
      host = lab.host('h1');
      outside = lab.client('outside');
      const ofHost = [host.address4, host.address6];
      [own, others] = driver.addresses ?? [ofHost, ofHost];
      await create('net', driver.network);
      await create('other', driver.other);
      [one, first] = await attach('one', own, '--label', 'app=one');
      [two] = await attach('two', others, '--label', 'app=two');
      [stranger] = await host.attach('other', 'stranger');
      await serve(one, 'tcp', portOfOne);
      await serve(two, 'tcp', portOfTwo);
      for (const machine of [outside, host]) await serve(machine, 'tcp', 80);
    });
    afterAll(() => lab?.[Symbol.asyncDispose]());

    test('endpoints of a network reach each other', async () => {
      await reaches(one, others, true, portOfTwo);
      for (const address of others) expect(await ping(one, address), address).toBe(0);
    });

    test(`an endpoint of another network does ${hasDevice ? 'not' : 'so, as it reaches the host'}`, async () => {
      await reaches(stranger, own, !hasDevice, portOfOne);
      await reaches(stranger, others, !hasDevice, portOfTwo);
    });

    test('the world is reached, and sees the address that the driver says', async () => {
      for (const [at, address] of [outside.address4, outside.address6].entries()) {
        const seen = driver.leavesAs === 'itself' ? own[at] : [host.address4, host.address6][at];
        expect((await ask(one, 'tcp', address, 80)).reply, address).toContain(`peer=${seen},`);
      }
    });

    test(`from outside an endpoint is ${driver.reachedFromOutside ? '' : 'not '}reached at its own address`, async () => {
      if (!driver.reachedFromOutside) {
        const via = [host.address4, host.address6];
        await outside.ip(...own.map((address, at) => `route add ${address} via ${via[at]}`));
      }
      await reaches(outside, own, driver.reachedFromOutside, portOfOne);
    });

    test(`the host and an endpoint ${driver.reachesHost ? '' : 'do not '}reach each other`, async () => {
      await Promise.all([
        reaches(one, [host.address4, host.address6], driver.reachesHost),
        reaches(host, own, driver.reachesHost, portOfOne),
      ]);
    });

    test(`a port of the host is ${driver.publishes ? 'published' : 'refused with what to do'}`, async () => {
      const published = host.vetch('port', 'publish', 'net/one', '8080:80');
      if (!driver.publishes) {
        await expect(published).rejects.toMatchObject({ code: 'INVALID', hint: expect.stringMatching(/./) });
        return;
      }
      await published;
      await reaches(outside, [host.address4, host.address6], true, 8080);
      await host.vetch('port', 'unpublish', 'net/one', '8080:80');
    });

    test('policy decides between endpoints, and its decision is a flow event', async () => {
      using policy = new PolicyApi(host);
      await policy.apply({
        apiVersion: 'networking.k8s.io/v1',
        kind: 'NetworkPolicy',
        metadata: { name: 'closed', namespace: 'net' },
        spec: {
          // As in Kubernetes: what lives in the host's namespace is selected by who says so.
          podSelector: { matchLabels: { app: 'two', ...(hasDevice ? {} : { 'vetch.io/driver': 'host' }) } },
          policyTypes: ['Ingress'],
        },
      } as unknown as Parameters<PolicyApi['apply']>[0]);
      await Promise.all([reaches(one, others, false, portOfTwo), reaches(outside, others, false, portOfTwo)]);
      const flags = ['flows', '--last', '200', '--reason', 'POLICY_DENIED', '--to', 'net/two', '--json'];
      const vetch = new URL('../../bin/vetch', import.meta.url).pathname;
      expect(await host.must(vetch, '--socket', host.socket, ...flags)).toContain('"name":"closed"');
      await policy.deleteAll();
      await reaches(one, others, true, portOfTwo);
    });

    test.runIf(hasDevice)('nobody speaks under the MAC or the address of another', async () => {
      const raw = await RawSender.start(one);
      const before = await host.drops('SPOOFED');
      const udp = build.udp({ source: 6666, destination: 6666 });
      const frame = (mac: string, source: string) =>
        build.packet(
          build.eth({ source: mac, destination: build.broadcastMac }),
          build.ipv4({ source, destination: others[0] ?? '' }),
          udp,
        );
      await raw.send([frame('02:66:66:66:66:66', own[0] ?? ''), frame(first.mac, others[0] ?? '')]);
      expect(await host.drops('SPOOFED')).toBe(before + 2);
    });

    test(`a taken ${hasDevice ? 'address' : 'cgroup'} is refused, and a refused attach leaves nothing`, async () => {
      const before = await devices();
      const late = await host.container('late');
      const flags = hasDevice ? ['--netns', late.netns, '--ip', own[0] ?? ''] : ['--cgroup', one.place.cgroup];
      const refused = host.vetch('endpoint', 'attach', 'net', ...flags);
      await expect(refused).rejects.toMatchObject({ code: hasDevice ? 'ADDRESS_TAKEN' : 'IN_USE' });
      expect(await devices()).toEqual(before);
    });

    test('an option that it does not know is refused by name', async () => {
      await expect(create('x', [...driver.network, '--opt', 'no.such=1'])).rejects.toMatchObject({
        code: 'INVALID',
        message: expect.stringContaining('no.such'),
      });
    });

    test('a daemon that was killed repairs nothing, for nothing was lost', async () => {
      await host.stopDaemon('SIGKILL');
      await reaches(one, others, true, portOfTwo);
      await host.start();
      await reaches(two, own, true, portOfOne);
      expect((await host.status()).drift).toBe(0);
    });

    test(`a detached endpoint is ${hasDevice ? 'gone for all, and its devices' : 'the host again, and what it had'} with it`, async () => {
      const before = await devices();
      await host.vetch('endpoint', 'detach', 'net/two');
      await reaches(one, others, !hasDevice, portOfTwo);
      if (hasDevice) expect((await devices()).length).toBeLessThan(before.length);
      await host.vetch('endpoint', 'detach', 'net/one', 'other/stranger');
      expect(await devices()).toEqual([]);
      expect(await host.vetch('conntrack', 'ls', '--network', 'net')).toEqual([]);
      await host.vetch('network', 'rm', 'net', 'other');
    });

    test(`--internal is ${driver.internal ? 'a network without a way out' : 'refused'}`, async () => {
      const made = create('inner', [...driver.network, '--internal']);
      if (!driver.internal) {
        await expect(made).rejects.toMatchObject({ code: 'INVALID' });
        return;
      }
      await made;
      const [inner] = await host.attach('inner', 'inner');
      await reaches(inner, [outside.address4], false);
      await host.vetch('endpoint', 'detach', 'inner/inner');
    });
  });
}
