import * as build from '../packet/build.ts';
import { endpoints, hostDevice, networks } from '../world/plan.ts';
import { type PacketCase, sends } from './say.ts';

const { a, b } = endpoints;
const { gateway4, gateway6 } = networks.blue;
const blue4 = (host: number) => `10.88.0.${host}`;

function asks(
  target: string,
  fields: { senderIp?: string; senderMac?: string; destination?: string; source?: string } = {},
): Uint8Array {
  return build.packet(
    build.eth({ source: fields.source ?? a.mac, destination: fields.destination ?? build.broadcastMac }),
    build.arp({
      operation: 'request',
      senderMac: fields.senderMac ?? a.mac,
      senderIp: fields.senderIp ?? a.ip4,
      targetIp: target,
    }),
  );
}

function solicits(target: string, { source = a.ip6, mac = a.mac, hopLimit = 255 } = {}): Uint8Array {
  const group = build.solicitedNode(target);
  return build.packet(
    build.eth({ source: a.mac, destination: build.groupMac(group) }),
    build.ipv6({ source, destination: group, hopLimit }),
    build.neighbourSolicitation(target, source === '::' ? undefined : mac),
  );
}

function advertises(target: string, mac: string): Uint8Array {
  return build.packet(
    build.eth({ source: a.mac, destination: build.groupMac('ff02::1') }),
    build.ipv6({ source: a.ip6, destination: 'ff02::1', hopLimit: 255 }),
    build.neighbourAdvertisement(target, mac),
  );
}

function icmp6(message: build.Layer, destination = 'ff02::1', hopLimit = 255): Uint8Array {
  return build.packet(
    build.eth({ source: a.mac, destination: build.groupMac(destination) }),
    build.ipv6({ source: a.ip6, destination, hopLimit }),
    message,
  );
}

const linkLocal = 'fe80::42:aff:fe00:1';

/** ARP and neighbour discovery, answered by the program. */
export const neighbours: readonly PacketCase[] = [
  {
    name: 'ARP for a neighbour is answered with its own MAC',
    steps: [
      sends('a', asks(b.ip4), {
        verdict: 'redirect',
        out: {
          eth: { source: b.mac, destination: a.mac },
          arp: { operation: 2, senderMac: b.mac, senderIp: b.ip4, targetMac: a.mac, targetIp: a.ip4 },
        },
      }),
    ],
  },
  {
    name: 'ARP for the gateway is answered with the host device',
    steps: [
      sends('a', asks(gateway4), {
        verdict: 'redirect',
        out: { arp: { operation: 2, senderMac: hostDevice.mac, senderIp: gateway4, targetMac: a.mac } },
      }),
    ],
  },
  {
    name: 'ARP to a neighbour that is known already is answered, too',
    steps: [
      sends('a', asks(b.ip4, { destination: b.mac }), { verdict: 'redirect', out: { arp: { senderMac: b.mac } } }),
    ],
  },
  {
    name: 'ARP for an address that nobody has is not answered',
    steps: [sends('a', asks(blue4(99)), { verdict: 'drop', reason: 'ARP_UNANSWERED' })],
  },
  {
    name: 'ARP for an endpoint of another network is not answered',
    steps: [sends('a', asks(endpoints.c.ip4), { verdict: 'drop', reason: 'ARP_UNANSWERED' })],
  },
  {
    name: 'an ARP probe of its own address is not answered, so that it may be taken',
    steps: [sends('a', asks(a.ip4, { senderIp: '0.0.0.0' }), { verdict: 'drop', reason: 'ARP_UNANSWERED' })],
  },
  {
    name: 'ARP that announces another address is forged',
    steps: [sends('a', asks(b.ip4, { senderIp: b.ip4 }), { verdict: 'drop', reason: 'ARP_FORGED' })],
  },
  {
    name: 'ARP that announces another MAC is forged',
    steps: [sends('a', asks(b.ip4, { senderMac: b.mac }), { verdict: 'drop', reason: 'ARP_FORGED' })],
  },
  {
    name: 'an ARP reply nobody asked for that announces the gateway is forged',
    steps: [
      sends(
        'a',
        build.packet(
          build.eth({ source: a.mac, destination: b.mac }),
          build.arp({ operation: 'reply', senderMac: a.mac, senderIp: gateway4, targetMac: b.mac, targetIp: b.ip4 }),
        ),
        { verdict: 'drop', reason: 'ARP_FORGED' },
      ),
    ],
  },
  {
    name: 'ARP of another kind of hardware is malformed',
    steps: [
      sends(
        'a',
        build.packet(
          build.eth({ source: a.mac, destination: build.broadcastMac }),
          build.arp({ operation: 'request', senderMac: a.mac, senderIp: a.ip4, targetIp: b.ip4, hardwareType: 6 }),
        ),
        { verdict: 'drop', reason: 'MALFORMED' },
      ),
    ],
  },
  {
    name: 'a solicitation of a neighbour is answered with its own MAC',
    steps: [
      sends('a', solicits(b.ip6), {
        verdict: 'redirect',
        out: {
          eth: { source: b.mac, destination: a.mac },
          ip: { source: b.ip6, destination: a.ip6, ttl: 255 },
          icmp: { type: 136 },
        },
      }),
    ],
  },
  {
    name: 'a solicitation of the gateway is answered with the host device, as a router',
    steps: [
      sends('a', solicits(gateway6), {
        verdict: 'redirect',
        out: { eth: { source: hostDevice.mac }, icmp: { type: 136 } },
      }),
    ],
  },
  {
    name: 'a solicitation from its link-local address is answered',
    steps: [
      sends('a', solicits(b.ip6, { source: linkLocal }), {
        verdict: 'redirect',
        out: { ip: { destination: linkLocal } },
      }),
    ],
  },
  {
    name: 'duplicate address detection of its own address is not answered, so that it may be taken',
    steps: [sends('a', solicits(a.ip6, { source: '::' }), { verdict: 'drop', reason: 'ND_UNANSWERED' })],
  },
  {
    name: 'a solicitation of an address that nobody has is not answered',
    steps: [sends('a', solicits('fd00:88::99'), { verdict: 'drop', reason: 'ND_UNANSWERED' })],
  },
  {
    name: 'a solicitation that announces another MAC is forged',
    steps: [sends('a', solicits(b.ip6, { mac: b.mac }), { verdict: 'drop', reason: 'ND_FORGED' })],
  },
  {
    name: 'an advertisement of another address is forged',
    steps: [sends('a', advertises(b.ip6, a.mac), { verdict: 'drop', reason: 'ND_FORGED' })],
  },
  {
    name: 'an advertisement of its own address under another MAC is forged',
    steps: [sends('a', advertises(a.ip6, b.mac), { verdict: 'drop', reason: 'ND_FORGED' })],
  },
  {
    name: 'neighbour discovery that came over a router is malformed',
    steps: [sends('a', solicits(b.ip6, { hopLimit: 64 }), { verdict: 'drop', reason: 'MALFORMED' })],
  },
  {
    name: 'a router advertisement from a container goes nowhere',
    steps: [sends('a', icmp6(build.routerAdvertisement(a.mac)), { verdict: 'drop', reason: 'ROUTER_ADVERTISEMENT' })],
  },
  {
    name: 'a redirect of either family from a container goes nowhere',
    steps: [
      sends('a', icmp6(build.redirect6(b.ip6, b.ip6)), { verdict: 'drop', reason: 'ROUTER_ADVERTISEMENT' }),
      sends(
        'a',
        build.packet(
          build.eth({ source: a.mac, destination: b.mac }),
          build.ipv4({ source: a.ip4, destination: b.ip4 }),
          build.icmpErrors.redirect(),
          build.ipv4({ source: b.ip4, destination: a.ip4 }),
          build.udp({ source: 1, destination: 2 }),
        ),
        { verdict: 'drop', reason: 'ROUTER_ADVERTISEMENT' },
      ),
    ],
  },
  {
    name: 'a router solicitation needs no answer',
    steps: [
      sends('a', icmp6(build.routerSolicitation(a.mac), 'ff02::2'), { verdict: 'drop', reason: 'ND_UNANSWERED' }),
    ],
  },
];
