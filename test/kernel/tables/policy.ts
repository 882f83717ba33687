import { expect } from 'vitest';
import { Counter, Identity } from '../../../src/maps/generated/abi.ts';
import { parseAddress } from '../../../src/model/address.ts';
import * as build from '../packet/build.ts';
import { endpoints, networks } from '../world/plan.ts';
import { allow, audit, block, deny, govern, portSet, rule, turn } from '../world/policy.ts';
import type { World } from '../world/world.ts';
import {
  addressOf,
  arrives,
  between,
  families,
  fromHost,
  fromOutside,
  hostSends,
  type PacketCase,
  sends,
  viaGateway,
} from './say.ts';

const denied = { verdict: 'drop', reason: 'POLICY_DENIED' } as const;
const passes = { verdict: 'redirect' } as const;
const tcp = (destination: number, source = 40_000) => build.tcp({ source, destination, flags: 'S' });
const udp = (destination: number, source = 40_000) => build.udp({ source, destination });
const [TCP, UDP] = [6, 17];

const auditedFlows = ({ maps }: World) =>
  maps.counters.get(Counter.AUDITED).reduce((sum, count) => sum + Number(count), 0);
let audited = 0;

/** What documents say, once they are compiled. */
export const policy: readonly PacketCase[] = families.flatMap((family): PacketCase[] => {
  const [host, world] = [addressOf('host', family), addressOf('world', family)];
  const gateway = family === 4 ? networks.blue.gateway4 : networks.blue.gateway6;
  const aToB = (...content: Parameters<typeof between> extends [unknown, unknown, unknown, ...infer C] ? C : never) =>
    between('a', 'b', family, ...content);
  const bToA = (...content: Parameters<typeof between> extends [unknown, unknown, unknown, ...infer C] ? C : never) =>
    between('b', 'a', family, ...content);
  const echo =
    family === 4 ? build.icmp({ type: 8, rest: 0x0007_0001 }) : build.icmpv6({ type: 128, rest: 0x0007_0001 });
  return [
    {
      name: `an egress policy judges what its endpoint sends over IPv${family}, and nobody else's`,
      prepare(to) {
        govern(to, 'a', 'EGRESS');
        rule(to, 'a', 'EGRESS', 'any', deny);
      },
      steps: [sends('a', aToB(udp(80)), denied), sends('b', bToA(udp(80)), passes)],
    },
    {
      name: `an ingress policy judges what its endpoint receives over IPv${family}, but no replies`,
      prepare(to) {
        govern(to, 'a', 'INGRESS');
        rule(to, 'a', 'INGRESS', 'any', deny);
      },
      steps: [
        sends('b', bToA(udp(80, 81)), denied),
        sends('a', aToB(udp(81, 80)), passes),
        sends('b', bToA(udp(80, 81)), passes),
      ],
    },
    {
      name: `what is said of a peer stands before what is said of any over IPv${family}`,
      prepare(to) {
        govern(to, 'a', 'INGRESS', 'EGRESS');
        rule(to, 'a', 'EGRESS', 'any', deny);
        rule(to, 'a', 'EGRESS', 'b', allow);
      },
      steps: [sends('a', aToB(tcp(80)), passes)],
    },
    {
      name: `ports decide by the longest prefix, and their protocol counts, over IPv${family}`,
      prepare(to) {
        govern(to, 'b', 'INGRESS');
        rule(to, 'b', 'INGRESS', 'any', 5);
        portSet(to, 5, deny, [TCP, 80, 16, allow], [UDP, 8192, 3, allow], [UDP, 8200, 16, deny]);
      },
      steps: [
        sends('a', aToB(tcp(80)), passes),
        sends('a', aToB(tcp(81)), denied),
        sends('a', aToB(udp(80)), denied),
        sends('a', aToB(udp(8192)), passes),
        sends('a', aToB(udp(16_383)), passes),
        sends('a', aToB(udp(8200)), denied),
        sends('a', aToB(udp(16_384)), denied),
        sends('a', aToB(build.sctp({ source: 40_000, destination: 80 })), denied),
        sends('a', aToB(echo), denied),
      ],
    },
    {
      name: `what should be in the maps and is not denies over IPv${family}`,
      prepare(to) {
        govern(to, 'a', 'EGRESS');
        govern(to, 'b', 'EGRESS');
        rule(to, 'b', 'EGRESS', 'any', 9);
      },
      steps: [sends('a', aToB(tcp(80)), denied), sends('b', bToA(tcp(80)), denied)],
    },
    {
      name: `each generation is judged by its own half over IPv${family}`,
      prepare(to) {
        govern(to, 'a', 'EGRESS');
        rule(to, 'a', 'EGRESS', 'any', [allow, deny]);
      },
      steps: [
        { ...sends('a', aToB(udp(80)), denied), afterwards: turn },
        { ...sends('a', aToB(udp(80)), passes), afterwards: turn },
        sends('a', aToB(udp(81)), denied),
      ],
    },
    {
      name: `a peer that is absent under a parity is judged as any other over IPv${family}`,
      prepare(to) {
        govern(to, 'a', 'EGRESS');
        rule(to, 'a', 'EGRESS', 'any', deny);
        rule(to, 'a', 'EGRESS', 'b', [allow, 0]);
      },
      steps: [{ ...sends('a', aToB(udp(80)), denied), afterwards: turn }, sends('a', aToB(udp(80)), passes)],
    },
    {
      name: `a live flow that loses its permission stops in both directions over IPv${family}, one that keeps it goes on`,
      prepare(to) {
        govern(to, 'a', 'EGRESS');
        rule(to, 'a', 'EGRESS', 'any', 5);
        portSet(to, 5, allow);
      },
      steps: [
        sends('a', aToB(udp(80)), passes),
        sends('b', bToA(udp(40_000, 80)), passes),
        sends('a', aToB(udp(81)), passes),
        {
          ...sends('b', bToA(udp(40_000, 81)), passes),
          afterwards(to) {
            portSet(to, 6, deny, [UDP, 80, 16, allow]);
            rule(to, 'a', 'EGRESS', 'any', 6);
            turn(to);
          },
        },
        sends('b', bToA(udp(40_000, 81)), denied),
        sends('b', bToA(udp(40_000, 81)), denied),
        sends('a', aToB(udp(81)), denied),
        sends('b', bToA(udp(40_000, 81)), denied),
        sends('b', bToA(udp(40_000, 80)), passes),
        sends('a', aToB(udp(80)), passes),
      ],
    },
    {
      name: `a connection over IPv${family} that was refused is not begun anew by its answers, but by a SYN and by a permission`,
      steps: [
        sends('a', aToB(tcp(80)), passes),
        sends('b', bToA(build.tcp({ source: 80, destination: 40_000, flags: 'SA' })), passes),
        {
          ...sends('a', aToB(build.tcp({ source: 40_000, destination: 80, flags: 'A' })), passes),
          afterwards(to) {
            govern(to, 'b', 'INGRESS');
            rule(to, 'b', 'INGRESS', 'any', [allow, deny]);
            to.maps.config.set(0, { ...to.config, generation: to.config.generation + 2 });
          },
        },
        sends('b', bToA(build.tcp({ source: 80, destination: 40_000, flags: 'A' })), denied),
        sends('b', bToA(build.tcp({ source: 80, destination: 40_000, flags: 'A' })), denied),
        { ...sends('a', aToB(build.tcp({ source: 40_000, destination: 80, flags: 'A' })), denied), afterwards: turn },
        { ...sends('a', aToB(build.tcp({ source: 40_000, destination: 80, flags: 'A' })), passes), afterwards: turn },
        sends('a', aToB(build.tcp({ source: 40_000, destination: 80, flags: 'A' })), denied),
        // Nor by its own beginning again, which would leave the field to its answers.
        sends('a', aToB(tcp(80)), denied),
        sends('b', bToA(build.tcp({ source: 80, destination: 40_000, flags: 'A' })), denied),
        sends('b', bToA(tcp(40_000, 80)), passes),
        sends('a', aToB(build.tcp({ source: 40_000, destination: 80, flags: 'SA' })), passes),
      ],
    },
    {
      name: `a published port lets in over IPv${family} whom the endpoint's policy admits, by the client's address`,
      prepare(to) {
        govern(to, 'a', 'INGRESS');
        rule(to, 'a', 'INGRESS', 'any', deny);
        rule(to, 'a', 'INGRESS', 300, 5);
        portSet(to, 5, deny, [TCP, 80, 16, allow]);
        block(to, family === 4 ? '203.0.113.0/28' : '2001:db8:3::/64', 300);
        // The other family's everything holds none of this one.
        block(to, family === 4 ? '::/0' : '0.0.0.0/0', 300);
      },
      steps: [
        arrives(fromOutside(world, host, family, tcp(8080)), passes),
        arrives(fromOutside(family === 4 ? '203.0.113.200' : '2001:db8:4::9', host, family, tcp(8080)), denied),
        arrives(fromOutside(world, host, family, build.udp({ source: 40_000, destination: 8053 })), denied),
      ],
    },
    {
      name: `a published port that was open closes over IPv${family} on connections, too`,
      steps: [
        {
          ...arrives(fromOutside(world, host, family, tcp(8080)), passes),
          afterwards(to) {
            govern(to, 'a', 'INGRESS');
            rule(to, 'a', 'INGRESS', 'any', deny);
            turn(to);
          },
        },
        arrives(fromOutside(world, host, family, build.tcp({ source: 40_000, destination: 8080, flags: 'A' })), denied),
      ],
    },
    {
      name: `the world is judged at the sender by its address over IPv${family}`,
      prepare(to) {
        govern(to, 'a', 'EGRESS');
        rule(to, 'a', 'EGRESS', 'any', deny);
        rule(to, 'a', 'EGRESS', 300, allow);
        block(to, family === 4 ? '203.0.113.9/32' : '2001:db8:3::9/128', 300);
      },
      steps: [
        sends('a', viaGateway('a', world, family, udp(53)), passes),
        sends('a', viaGateway('a', family === 4 ? '203.0.113.10' : '2001:db8:3::10', family, udp(53)), denied),
      ],
    },
    {
      name: `the host is a peer like others over IPv${family}`,
      prepare(to) {
        govern(to, 'a', 'INGRESS', 'EGRESS');
        rule(to, 'a', 'INGRESS', 'any', deny);
        rule(to, 'a', 'EGRESS', 'any', allow);
        rule(to, 'a', 'EGRESS', Identity.HOST, deny);
        govern(to, 'b', 'INGRESS', 'EGRESS');
        rule(to, 'b', 'INGRESS', 'any', deny);
        rule(to, 'b', 'INGRESS', Identity.HOST, allow);
        rule(to, 'b', 'EGRESS', 'any', deny);
        rule(to, 'b', 'EGRESS', Identity.HOST, allow);
      },
      steps: [
        hostSends(fromHost(gateway, addressOf('a', family), family, tcp(80)), denied),
        hostSends(fromHost(gateway, addressOf('b', family), family, tcp(80)), passes),
        sends('a', viaGateway('a', gateway, family, udp(53)), denied),
        sends('b', viaGateway('b', gateway, family, udp(53)), passes),
      ],
    },
    {
      name: `an address of the host over IPv${family} that nobody has told of is the host's all the same`,
      prepare(to) {
        govern(to, 'a', 'EGRESS');
        rule(to, 'a', 'EGRESS', 'any', allow);
        rule(to, 'a', 'EGRESS', Identity.HOST, deny);
        to.maps.hostAddrs.delete(parseAddress(host));
      },
      steps: [sends('a', viaGateway('a', host, family, udp(53)), denied)],
    },
    {
      name: `an endpoint reaches itself by its published port over IPv${family} whatever its policy says`,
      prepare(to) {
        govern(to, 'a', 'INGRESS', 'EGRESS');
        rule(to, 'a', 'INGRESS', 'any', deny);
        rule(to, 'a', 'EGRESS', 'any', deny);
      },
      steps: [sends('a', viaGateway('a', host, family, tcp(8080)), passes)],
    },
    {
      name: `another network's published port is judged at both ends over IPv${family}, after translation`,
      prepare(to) {
        govern(to, 'c', 'INGRESS');
        rule(to, 'c', 'INGRESS', 'any', deny);
        rule(to, 'c', 'INGRESS', 'a', 5);
        portSet(to, 5, deny, [TCP, 81, 16, allow]);
      },
      steps: [
        sends('a', viaGateway('a', host, family, tcp(8081)), passes),
        sends('b', viaGateway('b', host, family, tcp(8081)), denied),
      ],
    },
    {
      name: `what a document under audit would deny passes over IPv${family}`,
      prepare(to) {
        govern(to, 'a', 'EGRESS');
        rule(to, 'a', 'EGRESS', 'any', audit);
      },
      steps: [sends('a', aToB(tcp(80)), passes)],
    },
    {
      name: `a flow over IPv${family} that was there before a document under audit goes on, and is told once`,
      steps: [
        {
          ...sends('a', aToB(udp(80)), passes),
          afterwards(to) {
            govern(to, 'a', 'EGRESS');
            rule(to, 'a', 'EGRESS', 'any', audit);
            turn(to);
            audited = auditedFlows(to);
          },
        },
        { ...sends('a', aToB(udp(80)), passes), afterwards: (to) => expect(auditedFlows(to)).toBe(audited + 1) },
        {
          ...sends('b', bToA(udp(40_000, 80)), passes),
          afterwards: (to) => expect(auditedFlows(to)).toBe(audited + 1),
        },
      ],
    },
    {
      name: `a multicast IPv${family} frame is kept from each receiver whose policy denies it`,
      prepare(to) {
        govern(to, 'b', 'INGRESS');
        rule(to, 'b', 'INGRESS', 'any', deny);
      },
      steps: [
        sends(
          'a',
          build.packet(
            build.eth({
              source: endpoints.a.mac,
              destination: family === 4 ? '01:00:5e:00:00:fb' : '33:33:00:00:00:fb',
            }),
            family === 4
              ? build.ipv4({ source: endpoints.a.ip4, destination: '224.0.0.251' })
              : build.ipv6({ source: endpoints.a.ip6, destination: 'ff02::fb' }),
            udp(5353, 5353),
          ),
          denied,
        ),
      ],
    },
  ];
});
