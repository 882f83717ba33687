import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { parseAddress } from '../../../src/model/address.ts';
import { hostCgroupEntry } from '../../../src/reconcile/desired/host-cgroups.ts';
import * as build from '../packet/build.ts';
import { endpoints, hostDevice, uplink } from '../world/plan.ts';
import { allow, audit, deny, govern, rule, turn } from '../world/policy.ts';
import type { World } from '../world/world.ts';
import { addressOf, type Family, families, ip, type PacketCase, type Step } from './say.ts';

const denied = { verdict: 'drop', reason: 'POLICY_DENIED' } as const;
const passes = { verdict: 'pass' } as const;
const tcp = (destination: number, source: number, flags = 'S') => build.tcp({ source, destination, flags });
const udp = (destination: number, source: number) => build.udp({ source, destination });
type Content = build.Layer;

/** A run has a socket of this process's cgroup: `a` lives there, as if it had no device. */
function inHost(world: World): void {
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n');
  const root = mounts.map((line) => line.split(' ')).find(([, , type]) => type === 'cgroup2')?.[1];
  const path = /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1];
  if (root === undefined || path === undefined) throw new Error('cgroup2 is not mounted');
  const { key, value } = hostCgroupEntry(endpoints.a, statSync(join(root, path), { bigint: true }).ino);
  world.maps.hostCgroups.setManyRaw([[key, value]]);
}

const step = (hook: Step['hook'], packet: Uint8Array, expected: Omit<Step, 'hook' | 'device' | 'packet'>): Step => ({
  ...{ hook, device: uplink.device, packet },
  ...expected,
});

/** Programs at a cgroup: what an endpoint in the host's own namespace says and hears. */
export const inHostsNamespace: readonly PacketCase[] = families.flatMap((family: Family): PacketCase[] => {
  const [host, world, b] = [addressOf('host', family), addressOf('world', family), addressOf('b', family)];
  const frame = (source: string, destination: string, content: Content) =>
    build.packet(
      build.eth({ source: uplink.gatewayMac, destination: uplink.mac }),
      ip(family, source, destination),
      content,
    );
  const out = (to: string, content: Content, expected: Parameters<typeof step>[2]) =>
    step('cgroup_egress', frame(host, to, content), expected);
  const into = (from: string, content: Content, expected: Parameters<typeof step>[2]) =>
    step('cgroup_ingress', frame(from, host, content), expected);
  const echo = (type: 'request' | 'reply') =>
    family === 4
      ? build.icmp({ type: type === 'request' ? 8 : 0, rest: 0x0007_0001 })
      : build.icmpv6({ type: type === 'request' ? 128 : 129, rest: 0x0007_0001 });
  const given = (what: string) => `${what} over IPv${family}`;
  return [
    {
      name: given('nobody governs it: it talks with all'),
      prepare: inHost,
      steps: [
        out(world, tcp(80, 40_000), passes),
        into(world, tcp(40_000, 80, 'SA'), passes),
        into(world, tcp(81, 40_001), passes),
        out(b, udp(53, 40_002), passes),
        into(b, udp(40_002, 53), passes),
        out(world, echo('request'), passes),
        into(world, echo('reply'), passes),
      ],
    },
    {
      name: given("a tunnel of its making, which would pass for the host's own, is dropped"),
      prepare: inHost,
      steps: [
        out(world, udp(4789, 40_000), { verdict: 'drop', reason: 'TUNNEL_FORGED' }),
        into(world, udp(4789, 40_000), passes),
        out(world, udp(40_000, 4789), passes),
      ],
    },
    {
      name: given('where no network spans hosts, a tunnel is what any other packet is'),
      prepare(to) {
        inHost(to);
        to.maps.config.set(0, { ...to.config, overlayIfindex: 0 });
      },
      steps: [out(world, udp(4789, 40_000), passes)],
    },
    {
      name: given('the cgroup of nobody: nothing passes'),
      steps: [
        out(world, tcp(80, 40_000), { verdict: 'drop', reason: 'NO_ENDPOINT' }),
        into(world, tcp(80, 40_000), { verdict: 'drop', reason: 'NO_ENDPOINT' }),
      ],
    },
    {
      name: given('an egress policy judges what it begins, by who the other is, and lets it answer'),
      prepare(to) {
        inHost(to);
        govern(to, 'a', 'EGRESS');
        rule(to, 'a', 'EGRESS', 'any', deny);
        rule(to, 'a', 'EGRESS', 'b', allow);
      },
      steps: [
        out(world, tcp(80, 40_000), denied),
        out(b, tcp(80, 40_000), passes),
        into(world, udp(81, 40_001), passes),
        out(world, udp(40_001, 81), passes),
        out(world, udp(40_001, 82), denied),
      ],
    },
    {
      name: given('an ingress policy judges what others begin'),
      prepare(to) {
        inHost(to);
        govern(to, 'a', 'INGRESS');
        rule(to, 'a', 'INGRESS', 'any', deny);
        rule(to, 'a', 'INGRESS', 'b', allow);
      },
      steps: [
        into(world, tcp(80, 40_000), denied),
        into(b, tcp(80, 40_000), passes),
        out(world, udp(53, 40_001), passes),
        into(world, udp(40_001, 53), passes),
        into(world, echo('request'), denied),
      ],
    },
    {
      name: given('what a container receives from it is judged by who it is'),
      prepare(to) {
        inHost(to);
        govern(to, 'b', 'INGRESS');
        rule(to, 'b', 'INGRESS', 'any', allow);
        rule(to, 'b', 'INGRESS', 'a', deny);
      },
      steps: [out(b, tcp(80, 40_000), denied)],
    },
    {
      name: given(
        'a permission that is taken back stops a known flow in both directions, and one given again lets it go on',
      ),
      prepare(to) {
        inHost(to);
        govern(to, 'a', 'EGRESS');
        rule(to, 'a', 'EGRESS', 'any', [allow, deny]);
        to.maps.config.set(0, { ...to.config, generation: 4 });
      },
      steps: [
        out(world, tcp(80, 40_000), passes),
        into(world, tcp(40_000, 80, 'SA'), { ...passes, afterwards: turn }),
        out(world, tcp(80, 40_000, 'A'), denied),
        into(world, tcp(40_000, 80, 'A'), { ...denied, afterwards: turn }),
        out(world, tcp(80, 40_000, 'A'), passes),
        into(world, tcp(40_000, 80, 'A'), passes),
      ],
    },
    {
      name: given('under audit what would be denied passes'),
      prepare(to) {
        inHost(to);
        govern(to, 'a', 'EGRESS');
        rule(to, 'a', 'EGRESS', 'any', audit);
      },
      steps: [out(world, tcp(80, 40_000), passes)],
    },
    {
      name: given('an answer to nothing, and an error of its own making, begin no flow'),
      prepare: inHost,
      steps: [
        into(world, tcp(80, 40_000, 'SA'), { verdict: 'drop', reason: 'CONNTRACK_INVALID' }),
        out(world, tcp(80, 40_000, 'R'), { verdict: 'drop', reason: 'CONNTRACK_INVALID' }),
        out(world, family === 4 ? build.icmp({ type: 3, code: 1 }) : build.icmpv6({ type: 1, code: 0 }), {
          ...{ verdict: 'drop', reason: 'ICMP_UNRELATED' },
        }),
      ],
    },
    {
      name: given('its flows are its own: on a wire that no other has, charged to it'),
      prepare: inHost,
      steps: [
        out(world, tcp(80, 40_000), {
          ...passes,
          afterwards({ maps }) {
            const [[key, entry] = []] = [...maps.conntrack.entries()];
            expect(key).toMatchObject({ network: 0x8000 + endpoints.a.number });
            expect(entry).toMatchObject({ owner: endpoints.a.number, sourceIdentity: endpoints.a.identity });
            expect(maps.quotas.get(endpoints.a.number)).toMatchObject({ flows: 1 });
          },
        }),
      ],
    },
    {
      name: given('the address of the host is the host, or who has the socket there'),
      prepare(to) {
        inHost(to);
        govern(to, 'a', 'EGRESS');
        rule(to, 'a', 'EGRESS', 'any', allow);
        rule(to, 'a', 'EGRESS', 1, deny);
        to.maps.hostAddrs.set(parseAddress(host), { ifindex: to.index(hostDevice.device), network: 0 });
      },
      steps: [out(host, tcp(9, 40_000), denied), out(family === 4 ? '127.0.0.1' : '::1', tcp(9, 40_000), denied)],
    },
  ];
});
