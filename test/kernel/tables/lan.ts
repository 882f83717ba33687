import { expect } from 'vitest';
import { ConntrackState } from '../../../src/maps/generated/abi.ts';
import * as build from '../packet/build.ts';
import { endpoints, hostDevice, lanMachine, uplink } from '../world/plan.ts';
import type { World } from '../world/world.ts';
import { addressOf, between, families, fromLan, ip, lanSends, type PacketCase, sends } from './say.ts';

const { l, m, v, w, h } = endpoints;
const redirect = { verdict: 'redirect' } as const;
const dropped = (reason: NonNullable<PacketCase['steps'][number]['reason']>) => ({ verdict: 'drop', reason }) as const;
const udp = build.udp({ source: 40000, destination: 53 });
const tcp = (flags: string) => build.tcp({ source: 5000, destination: 80, flags });
const back = (flags: string) => build.tcp({ source: 80, destination: 5000, flags });
const expectFlow = (packetsOriginal: bigint, packetsReply: bigint) => (world: World) => {
  const flows = [...world.maps.conntrack.entries()].map(([, flow]) => flow);
  expect(flows).toMatchObject([{ state: ConntrackState.ESTABLISHED, packetsOriginal, packetsReply }]);
};
const answer = build.udp({ source: 53, destination: 40000 });
const to = (from: { mac: string }, mac: string = lanMachine.mac) => build.eth({ source: from.mac, destination: mac });
const toLan = (from: keyof typeof endpoints, family: 4 | 6, ...content: readonly [build.Layer, ...build.Layer[]]) =>
  build.packet(
    to(endpoints[from]),
    ip(family, addressOf(from, family), family === 4 ? lanMachine.ip4 : lanMachine.ip6),
    ...content,
  );
const asks = (from: keyof typeof endpoints, targetIp: string) =>
  build.packet(
    to(endpoints[from], build.broadcastMac),
    build.arp({ operation: 'request', senderMac: endpoints[from].mac, senderIp: endpoints[from].ip4, targetIp }),
  );
const nd = (message: build.Layer, destination = 'ff02::1', source: string = l.ip6) =>
  build.packet(to(l, build.groupMac(destination)), build.ipv6({ source, destination, hopLimit: 255 }), message);
const group = (family: 4 | 6) => (family === 4 ? '224.0.0.251' : 'ff02::fb');
const lanIp = (family: 4 | 6) => (family === 4 ? lanMachine.ip4 : lanMachine.ip6);
const spoken = (family: 4 | 6, source: string, mac: string = l.mac) =>
  build.packet(to(lanMachine, mac), ip(family, source, addressOf('l', family)), udp);

/** The LAN behind a parent device, at both ends of the way. */
export const lan: readonly PacketCase[] = [
  ...families.flatMap((family): PacketCase[] => [
    {
      name: `an address of the network that no endpoint has is on the LAN, and answers, over IPv${family}`,
      steps: [
        sends('l', toLan('l', family, udp), {
          ...redirect,
          out: { eth: { source: l.mac, destination: lanMachine.mac } },
        }),
        lanSends('l', fromLan('l', family, answer), redirect),
        sends('l', toLan('l', family, udp), redirect),
      ],
    },
    {
      name: `the LAN begins flows to every port, and is answered, over IPv${family}`,
      steps: [
        lanSends('l', fromLan('l', family, udp), { ...redirect, out: { eth: { source: lanMachine.mac } } }),
        sends('l', toLan('l', family, answer), redirect),
        lanSends('l', fromLan('l', family, udp), redirect),
      ],
    },
    {
      name: `without its parent an endpoint reaches its neighbours and no LAN over IPv${family}`,
      steps: [
        sends('n', toLan('n', family, udp), dropped('NO_PARENT')),
        sends('n', between('n', 'l', family, udp), redirect),
      ],
    },
    {
      name: `the host is not reached over IPv${family}, unless its network says so`,
      steps: [
        sends(
          'l',
          build.packet(to(l), ip(family, addressOf('l', family), addressOf('host', family)), udp),
          dropped('HOST_ACCESS_OFF'),
        ),
        sends(
          'h',
          build.packet(to(h, hostDevice.mac), ip(family, addressOf('h', family), addressOf('host', family)), udp),
          redirect,
        ),
      ],
    },
    {
      name: `what is not the endpoint's own is not for it over IPv${family}`,
      steps: [
        lanSends(
          'l',
          build.packet(to(lanMachine, l.mac), ip(family, lanIp(family), addressOf('m', family)), udp),
          dropped('NO_ENDPOINT'),
        ),
        lanSends(
          'l',
          build.packet(to(lanMachine, build.broadcastMac), ip(family, lanIp(family), addressOf('l', family)), udp),
          dropped('UNICAST_IN_BROADCAST'),
        ),
      ],
    },
    {
      name: `nobody on the LAN speaks for an endpoint, for the host or for another network over IPv${family}`,
      steps: ['l', 'm', 'host', 'a'].map((who) =>
        lanSends('l', spoken(family, addressOf(who as 'l' | 'm' | 'host' | 'a', family)), dropped('SPOOFED')),
      ),
    },
    {
      name: `nor in a flow that is known over IPv${family}`,
      steps: [
        sends('m', between('m', 'l', family, udp), redirect),
        lanSends('l', spoken(family, addressOf('m', family)), dropped('SPOOFED')),
      ],
    },
    {
      name: `nor does it end one, or count in it, over IPv${family}`,
      steps: [
        sends('m', between('m', 'l', family, tcp('S')), redirect),
        sends('l', between('l', 'm', family, back('SA')), redirect),
        sends('m', between('m', 'l', family, tcp('A')), { ...redirect, afterwards: expectFlow(2n, 1n) }),
        ...['FA', 'R', 'S'].map((flags) =>
          lanSends(
            'l',
            build.packet(to(lanMachine, l.mac), ip(family, addressOf('m', family), addressOf('l', family)), tcp(flags)),
            { ...dropped('SPOOFED'), afterwards: expectFlow(2n, 1n) },
          ),
        ),
        lanSends(
          'm',
          build.packet(to(lanMachine, m.mac), ip(family, addressOf('l', family), addressOf('m', family)), back('FA')),
          { ...dropped('SPOOFED'), afterwards: expectFlow(2n, 1n) },
        ),
      ],
    },
    {
      name: `groups are heard from the LAN, and reach it, over IPv${family}`,
      steps: [
        lanSends(
          'l',
          build.packet(to(lanMachine, build.groupMac(group(family))), ip(family, lanIp(family), group(family)), udp),
          redirect,
        ),
        sends(
          'l',
          build.packet(to(l, build.groupMac(group(family))), ip(family, addressOf('l', family), group(family)), udp),
          redirect,
        ),
      ],
    },
    {
      name: `a group's address in a frame to one is malformed over IPv${family}`,
      steps: [
        lanSends(
          'l',
          build.packet(to(lanMachine, l.mac), ip(family, lanIp(family), group(family)), udp),
          dropped('MALFORMED'),
        ),
      ],
    },
    {
      name: `in mode vepa neighbours meet by the switch outside over IPv${family}`,
      steps: [
        sends('v', between('v', 'w', family, udp), redirect),
        lanSends(
          'w',
          build.packet(to(v, w.mac), ip(family, addressOf('v', family), addressOf('w', family)), udp),
          redirect,
        ),
        sends('w', between('w', 'v', family, answer), redirect),
        lanSends(
          'v',
          build.packet(to(w, v.mac), ip(family, addressOf('w', family), addressOf('v', family)), answer),
          redirect,
        ),
      ],
    },
    {
      name: `in mode vepa nobody begins a flow in the name of a neighbour over IPv${family}`,
      steps: [
        lanSends(
          'w',
          build.packet(to(v, w.mac), ip(family, addressOf('v', family), addressOf('w', family)), udp),
          dropped('SPOOFED'),
        ),
      ],
    },
    {
      name: `an error from the LAN belongs to a flow or goes nowhere over IPv${family}`,
      steps: [
        lanSends(
          'l',
          build.packet(
            to(lanMachine, l.mac),
            ip(family, lanIp(family), addressOf('l', family)),
            family === 4 ? build.icmpErrors.unreachable(3) : build.icmpErrors.unreachable6(4),
            ip(family, addressOf('l', family), lanIp(family)),
            udp,
          ),
          dropped('ICMP_UNRELATED'),
        ),
      ],
    },
  ]),
  {
    name: 'ARP for the LAN goes out as it is, and for a neighbour is answered here',
    steps: [
      sends('l', asks('l', lanMachine.ip4), { ...redirect, out: { arp: { operation: 1, senderMac: l.mac } } }),
      sends('l', asks('l', l.ip4), { ...redirect, out: { arp: { operation: 1 } } }),
      sends('l', asks('l', m.ip4), { ...redirect, out: { arp: { operation: 2, senderMac: m.mac } } }),
      sends('v', asks('v', w.ip4), { ...redirect, out: { arp: { operation: 1, senderMac: v.mac } } }),
    ],
  },
  {
    name: 'ARP for the host goes nowhere, unless its network says so',
    steps: [
      sends('l', asks('l', uplink.ip4), dropped('HOST_ACCESS_OFF')),
      sends('h', asks('h', uplink.ip4), { ...redirect, out: { arp: { operation: 2, senderMac: hostDevice.mac } } }),
    ],
  },
  {
    name: 'ARP from the LAN is for the container to answer, and its answer goes out',
    steps: [
      lanSends(
        'l',
        build.packet(
          to(lanMachine, build.broadcastMac),
          build.arp({ operation: 'request', senderMac: lanMachine.mac, senderIp: lanMachine.ip4, targetIp: l.ip4 }),
        ),
        { ...redirect, out: { arp: { operation: 1 } } },
      ),
      sends(
        'l',
        build.packet(
          to(l),
          build.arp({
            ...{ operation: 'reply', senderMac: l.mac, senderIp: l.ip4 },
            ...{ targetMac: lanMachine.mac, targetIp: lanMachine.ip4 },
          }),
        ),
        redirect,
      ),
    ],
  },
  {
    name: 'neighbour discovery of its own goes out: questions, announcements, routers, groups',
    steps: [
      sends('l', nd(build.neighbourSolicitation(lanMachine.ip6, l.mac)), redirect),
      sends('l', nd(build.neighbourSolicitation(l.ip6), 'ff02::1', '::'), redirect),
      sends('l', nd(build.neighbourAdvertisement(l.ip6, l.mac)), redirect),
      sends('l', nd(build.routerSolicitation(l.mac), 'ff02::2'), redirect),
      sends('l', nd(build.mldReport('ff02::fb'), 'ff02::16'), redirect),
    ],
  },
  {
    name: 'neighbour discovery that lies does not',
    steps: [
      sends('l', nd(build.neighbourSolicitation(lanMachine.ip6, m.mac)), dropped('ND_FORGED')),
      sends('l', nd(build.neighbourAdvertisement(m.ip6, l.mac)), dropped('ND_FORGED')),
      sends('l', nd(build.neighbourAdvertisement(l.ip6, m.mac)), dropped('ND_FORGED')),
      sends('l', nd(build.routerSolicitation(m.mac), 'ff02::2'), dropped('ND_FORGED')),
      sends('l', nd(build.routerAdvertisement(l.mac)), dropped('ROUTER_ADVERTISEMENT')),
    ],
  },
  {
    name: "the LAN's routers are heard, its redirects are not",
    steps: [
      lanSends(
        'l',
        build.packet(
          to(lanMachine, build.groupMac('ff02::1')),
          build.ipv6({ source: 'fe80::1', destination: 'ff02::1', hopLimit: 255 }),
          build.routerAdvertisement(lanMachine.mac),
        ),
        redirect,
      ),
      lanSends(
        'l',
        build.packet(
          to(lanMachine, l.mac),
          build.ipv6({ source: 'fe80::1', destination: l.ip6, hopLimit: 255 }),
          build.redirect6(lanMachine.ip6, lanMachine.ip6),
        ),
        dropped('ROUTER_ADVERTISEMENT'),
      ),
    ],
  },
  {
    name: 'a client without an address asks the LAN for one, and nothing else',
    steps: [67, 68, 9].map((destination) =>
      sends(
        'l',
        build.packet(
          to(l, build.broadcastMac),
          build.ipv4({ source: '0.0.0.0', destination: '255.255.255.255' }),
          build.udp({ source: 68, destination }),
        ),
        destination === 67 ? redirect : dropped('SPOOFED'),
      ),
    ),
  },
  {
    name: 'a frame with a VLAN tag is of another LAN',
    steps: [
      lanSends(
        'l',
        build.packet(
          to(lanMachine, l.mac),
          build.vlan(10),
          build.ipv4({ source: lanMachine.ip4, destination: l.ip4 }),
          udp,
        ),
        dropped('VLAN_TAGGED'),
      ),
    ],
  },
  {
    name: "a device that is nobody's lets nothing through",
    steps: [{ hook: 'from_lan', device: uplink.device, packet: fromLan('l', 4, udp), ...dropped('UNKNOWN_INTERFACE') }],
  },
  {
    name: 'an entry that leads to the device of another lets nothing through',
    prepare: (world) => world.maps.lanDevices.set(world.index('vm11'), world.index(m.device)),
    steps: [lanSends('l', fromLan('l', 4, udp), dropped('UNKNOWN_INTERFACE'))],
  },
  {
    name: 'an answer to nothing from the LAN begins no flow',
    steps: [
      lanSends(
        'l',
        fromLan('l', 4, build.tcp({ source: 80, destination: 40000, flags: 'SA' })),
        dropped('CONNTRACK_INVALID'),
      ),
    ],
  },
];
