import { Identity } from '../../../src/maps/generated/abi.ts';
import { parseAddress } from '../../../src/model/address.ts';
import * as build from '../packet/build.ts';
import { endpoints, networks } from '../world/plan.ts';
import { allow, deny, govern, learn, portSet, rule, turn } from '../world/policy.ts';
import type { World } from '../world/world.ts';
import {
  addressOf,
  arrives,
  between,
  families,
  fromHost,
  fromOutside,
  hostSends,
  ip,
  type PacketCase,
  sends,
  viaGateway,
} from './say.ts';

const denied = { verdict: 'drop', reason: 'POLICY_DENIED' } as const;
const passes = { verdict: 'redirect' } as const;
/** Who addresses of some domain name are. */
const named = 400;
const tcp = (destination: number, source = 40_000, flags = 'S') => build.tcp({ source, destination, flags });
const udp = (destination: number, source = 40_000) => build.udp({ source, destination });

/** Nothing but the names, and questions for them. */
function onlyNames(to: World): void {
  govern(to, 'a', 'EGRESS', 'NAMES');
  rule(to, 'a', 'EGRESS', 'any', 5);
  rule(to, 'a', 'EGRESS', named, allow);
  portSet(to, 5, deny, [6, 53, 16, allow], [17, 53, 16, allow]);
}

/** What the answers that an endpoint received open to it, and where its questions go. */
export const domainNames: readonly PacketCase[] = families.flatMap((family): PacketCase[] => {
  const [host, world, b] = [addressOf('host', family), addressOf('world', family), addressOf('b', family)];
  const other = family === 4 ? '203.0.113.10' : '2001:db8:3::10';
  const gateway = family === 4 ? networks.blue.gateway4 : networks.blue.gateway6;
  const toWorld = (...content: [build.Layer]) => viaGateway('a', world, family, ...content);
  const ipOf = (source: string, destination: string) => ({ ip: { source, destination } });
  const a = addressOf('a', family);
  const unreachable = family === 4 ? build.icmpErrors.unreachable(3) : build.icmpErrors.unreachable6(4);
  return [
    {
      name: `an address over IPv${family} that was learned is open to who learned it alone`,
      prepare(to) {
        onlyNames(to);
        govern(to, 'b', 'EGRESS', 'NAMES');
        rule(to, 'b', 'EGRESS', 'any', deny);
        rule(to, 'b', 'EGRESS', named, allow);
        learn(to, 'a', world, named);
      },
      steps: [
        sends('a', toWorld(tcp(80)), passes),
        sends('a', viaGateway('a', other, family, tcp(80)), denied),
        sends('b', viaGateway('b', world, family, tcp(80)), denied),
      ],
    },
    {
      name: `an entry over IPv${family} that is another key's is none`,
      prepare(to) {
        onlyNames(to);
        learn(to, 'a', other, named);
        const [entry] = [...to.maps.learned.entries()].map(([, value]) => value);
        const { number } = endpoints.a;
        if (entry) to.maps.learned.set({ endpoint: number, addr: parseAddress(world) }, entry);
      },
      steps: [sends('a', viaGateway('a', other, family, tcp(80)), passes), sends('a', toWorld(tcp(80)), denied)],
    },
    {
      name: `an address over IPv${family} that was learned says nothing where no document names domains`,
      prepare(to) {
        onlyNames(to);
        govern(to, 'a', 'EGRESS');
        learn(to, 'a', world, named);
      },
      steps: [sends('a', toWorld(tcp(80)), denied)],
    },
    {
      name: `an address over IPv${family} that was learned counts under the parity that has it`,
      prepare(to) {
        onlyNames(to);
        learn(to, 'a', world, [named, 0]);
      },
      steps: [{ ...sends('a', toWorld(tcp(80)), denied), afterwards: turn }, sends('a', toWorld(tcp(80)), passes)],
    },
    {
      name: `a learned address over IPv${family} of the host's, or of an endpoint, opens neither`,
      prepare(to) {
        onlyNames(to);
        for (const address of [host, gateway, b]) learn(to, 'a', address, named);
      },
      steps: [
        sends('a', viaGateway('a', host, family, tcp(22)), denied),
        sends('a', viaGateway('a', gateway, family, tcp(22)), denied),
        sends('a', between('a', 'b', family, tcp(80)), denied),
      ],
    },
    {
      name: `an expired address over IPv${family} is closed to new flows, and known ones go on`,
      prepare(to) {
        onlyNames(to);
        learn(to, 'a', world, named);
      },
      steps: [
        {
          ...sends('a', toWorld(udp(443)), passes),
          afterwards(to) {
            learn(to, 'a', world, named, true);
            turn(to);
          },
        },
        sends('a', toWorld(udp(443, 40_001)), denied),
        { ...sends('a', toWorld(udp(443)), passes), afterwards: (to) => learn(to, 'a', world, 0) },
        { ...sends('a', toWorld(udp(443)), passes), afterwards: turn },
        sends('a', toWorld(udp(443)), denied),
      ],
    },
    {
      name: `a flow over IPv${family} that was refused is not let in by an address that has expired`,
      prepare(to) {
        onlyNames(to);
        learn(to, 'a', world, named);
      },
      steps: [
        {
          ...sends('a', toWorld(udp(443)), passes),
          afterwards(to) {
            rule(to, 'a', 'EGRESS', named, deny);
            turn(to);
          },
        },
        {
          ...sends('a', toWorld(udp(443)), denied),
          afterwards(to) {
            learn(to, 'a', world, named, true);
            rule(to, 'a', 'EGRESS', named, allow);
            turn(to);
          },
        },
        { ...sends('a', toWorld(udp(443)), denied), afterwards: (to) => learn(to, 'a', world, named) },
        sends('a', toWorld(udp(443)), passes),
      ],
    },
    ...[udp, tcp].map(
      (content): PacketCase => ({
        name: `a question over IPv${family} and ${content === udp ? 'UDP' : 'TCP'} goes to the resolver, whose answer comes from who was asked`,
        prepare: onlyNames,
        steps: [
          sends('a', toWorld(content(53)), {
            ...passes,
            out: { ...ipOf(a, gateway), [content.name]: { destination: 53 } },
          }),
          hostSends(fromHost(gateway, a, family, content === udp ? udp(40_000, 53) : tcp(40_000, 53, 'SA')), {
            ...passes,
            out: ipOf(world, a),
          }),
          sends('a', toWorld(content === udp ? udp(53) : tcp(53, 40_000, 'A')), { ...passes, out: ipOf(a, gateway) }),
        ],
      }),
    ),
    {
      name: `a question over IPv${family} of who may reach no domain names goes where it was sent`,
      prepare(to) {
        govern(to, 'a', 'EGRESS');
        rule(to, 'a', 'EGRESS', 'any', allow);
      },
      steps: [
        sends('a', toWorld(udp(53)), { ...passes, out: { ip: { destination: world } } }),
        sends('b', viaGateway('b', world, family, udp(53)), { ...passes, out: { ip: { destination: world } } }),
      ],
    },
    {
      name: `a question over IPv${family} that policy does not allow goes nowhere`,
      prepare(to) {
        onlyNames(to);
        portSet(to, 5, deny, [6, 53, 16, deny], [17, 53, 16, deny]);
      },
      steps: [sends('a', toWorld(udp(53)), denied), sends('a', toWorld(tcp(53)), denied)],
    },
    {
      name: `a question over IPv${family} to an address of the host's goes to the resolver, and one to the gateway is its`,
      prepare: onlyNames,
      steps: [
        sends('a', viaGateway('a', host, family, udp(53)), { ...passes, out: ipOf(a, gateway) }),
        hostSends(fromHost(gateway, a, family, udp(40_000, 53)), { ...passes, out: ipOf(host, a) }),
        sends('a', viaGateway('a', gateway, family, udp(53, 40_001)), { ...passes, out: ipOf(a, gateway) }),
        hostSends(fromHost(gateway, a, family, udp(40_001, 53)), { ...passes, out: ipOf(gateway, a) }),
      ],
    },
    {
      name: `questions over IPv${family} within a network, and to other ports, stay what they are`,
      prepare(to) {
        govern(to, 'a', 'EGRESS', 'NAMES');
        rule(to, 'a', 'EGRESS', 'any', allow);
      },
      steps: [
        sends('a', between('a', 'b', family, udp(53)), { ...passes, out: ipOf(a, b) }),
        sends('a', toWorld(udp(5353)), { ...passes, out: { ip: { destination: world } } }),
        sends('a', toWorld(build.sctp({ source: 40_000, destination: 53 })), {
          ...passes,
          out: { ip: { destination: world } },
        }),
      ],
    },
    {
      name: `a question over IPv${family} is judged again by the address that was asked, at both ends`,
      prepare(to) {
        onlyNames(to);
        rule(to, 'a', 'EGRESS', Identity.HOST, deny);
      },
      steps: [
        { ...sends('a', toWorld(udp(53)), passes), afterwards: turn },
        { ...sends('a', toWorld(udp(53)), { ...passes, out: ipOf(a, gateway) }), afterwards: turn },
        {
          ...hostSends(fromHost(gateway, a, family, udp(40_000, 53)), { ...passes, out: ipOf(world, a) }),
          afterwards(to) {
            rule(to, 'a', 'EGRESS', Identity.WORLD, deny);
            turn(to);
          },
        },
        hostSends(fromHost(gateway, a, family, udp(40_000, 53)), denied),
        sends('a', toWorld(udp(53)), denied),
      ],
    },
    {
      name: `nobody but the resolver answers a question over IPv${family} that it was given`,
      prepare: onlyNames,
      steps: [
        sends('a', viaGateway('a', host, family, udp(53)), { ...passes, out: ipOf(a, gateway) }),
        hostSends(fromHost(host, a, family, udp(40_000, 53)), { verdict: 'drop', reason: 'CONNTRACK_INVALID' }),
        hostSends(fromHost(gateway, a, family, udp(40_000, 53)), { ...passes, out: ipOf(host, a) }),
      ],
    },
    {
      name: `of two servers over IPv${family} that are asked by one port the first answers`,
      prepare: onlyNames,
      steps: [
        sends('a', toWorld(udp(53)), { ...passes, out: ipOf(a, gateway) }),
        sends('a', viaGateway('a', other, family, udp(53)), { verdict: 'drop', reason: 'CONNTRACK_INVALID' }),
        hostSends(fromHost(gateway, a, family, udp(40_000, 53)), { ...passes, out: ipOf(world, a) }),
      ],
    },
    {
      name: `what is sent over IPv${family} to the gateway itself by the port of a question never leaves as that question`,
      prepare: onlyNames,
      steps: [
        sends('a', toWorld(udp(53)), { ...passes, out: ipOf(a, gateway) }),
        sends('a', viaGateway('a', gateway, family, udp(53)), { verdict: 'drop', reason: 'CONNTRACK_INVALID' }),
        sends('a', viaGateway('a', gateway, family, unreachable, ip(family, gateway, a), udp(40_000, 53)), {
          verdict: 'drop',
          reason: 'ICMP_UNRELATED',
        }),
        hostSends(fromHost(gateway, a, family, udp(40_000, 53)), { ...passes, out: ipOf(world, a) }),
      ],
    },
    {
      name: `an error over IPv${family} about a question, and one about its answer, show each end what it knows`,
      prepare: onlyNames,
      steps: [
        sends('a', toWorld(udp(53)), { ...passes, out: ipOf(a, gateway) }),
        hostSends(fromHost(gateway, a, family, unreachable, ip(family, a, gateway), udp(53)), {
          ...passes,
          out: { ...ipOf(world, a), icmp: { about: { ...ipOf(a, world), udp: { source: 40_000, destination: 53 } } } },
        }),
        sends('a', viaGateway('a', world, family, unreachable, ip(family, world, a), udp(40_000, 53)), {
          ...passes,
          out: {
            ...ipOf(a, gateway),
            icmp: { about: { ...ipOf(gateway, a), udp: { source: 53, destination: 40_000 } } },
          },
        }),
      ],
    },
    {
      name: `a question over IPv${family} of a network that is routed is answered by the resolver alone`,
      prepare(to) {
        govern(to, 'r', 'EGRESS', 'NAMES');
        rule(to, 'r', 'EGRESS', 'any', allow);
      },
      steps: [
        sends('r', viaGateway('r', world, family, udp(53)), {
          ...passes,
          out: ipOf(addressOf('r', family), family === 4 ? networks.routed.gateway4 : networks.routed.gateway6),
        }),
        arrives(fromOutside(world, addressOf('r', family), family, udp(40_000, 53)), {
          verdict: 'drop',
          reason: 'NOT_PUBLISHED',
        }),
      ],
    },
  ];
});
