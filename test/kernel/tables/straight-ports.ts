import { expect } from 'vitest';
import { PublishFlag } from '../../../src/maps/generated/abi.ts';
import { parseAddress } from '../../../src/model/address.ts';
import { nodeAddrEntries } from '../../../src/reconcile/desired/remotes.ts';
import * as build from '../packet/build.ts';
import { hostDevice, networks, overlayMtu, remotes, uplink } from '../world/plan.ts';
import { remoteShare, type World } from '../world/world.ts';
import {
  addressOf,
  arrives,
  type Family,
  families,
  fromOutside,
  ip,
  type PacketCase,
  sends,
  viaGateway,
} from './say.ts';

const { z } = remotes;
const network = networks.wide.number;
const [hostPort, port] = [8889, 80];
const protocols = [6, 17, 132];
/** Of the host that has `z`. */
const elsewhere = { 4: '203.0.113.77', 6: '2001:db8:ee::77' } as const;

/** Of a machine that is no host of the cluster. */
const behind = { 4: '203.0.113.88', 6: '2001:db8:ee::88' } as const;

/** Ports that lead to `z`, whose own host answers. @param own addresses that the other hosts know this one by */
const publish =
  (own: readonly string[] = [uplink.ip4, uplink.ip6], also: readonly string[] = []) =>
  (world: World): void => {
    for (const family of families) {
      for (const protocol of protocols) {
        const key = { addr: parseAddress(family === 4 ? '0.0.0.0' : '::'), port: hostPort, protocol };
        const flags = PublishFlag.REMOTE | PublishFlag.STRAIGHT;
        world.maps.published.set(key, { addr: parseAddress(addressOf('z', family)), network, port, flags });
      }
    }
    const others = [
      { number: z.node, addresses: Object.values(elsewhere) },
      { number: z.node + 1, addresses: also },
    ];
    for (const { key, value } of nodeAddrEntries(own, others)) world.maps.nodeAddrs.raw.update(key, value);
  };

const remembersNothing = (world: World) => {
  expect([...world.maps.conntrack.entries()]).toEqual([]);
  expect(world.maps.quotas.get(remoteShare(z.number))?.flows).toBe(0);
};

/** What a host hands on to another one that answers itself. What that does is in test/kernel/overlay. */
export const straightPorts: readonly PacketCase[] = families.flatMap((family): PacketCase[] => {
  const [client, host, target] = [addressOf('world', family), addressOf('host', family), addressOf('z', family)];
  type Content = Parameters<typeof fromOutside> extends [string, string, Family, ...infer C] ? C : never;
  const asks = (...content: Content) => fromOutside(client, host, family, ...content);
  const ports = { source: 5000, destination: hostPort };
  const eth = { source: hostDevice.mac, destination: z.mac };
  const asItIs = { verdict: 'redirect', out: { eth, ip: { source: client, destination: host, ttl: 63 } } } as const;
  const translated = { verdict: 'redirect', out: { eth, ip: { source: client, destination: target } } } as const;
  const error = family === 4 ? build.icmpErrors.fragmentationNeeded(1300) : build.icmpErrors.packetTooBig(1300);
  const quoting = (about: number) =>
    asks(error, ip(family, host, client), build.tcp({ source: about, destination: 5000, flags: 'A' }));
  return [
    {
      name: `what a client over IPv${family} asks of a port whose endpoint's host answers goes there as it is, from first to last`,
      prepare: publish(),
      steps: [
        build.tcp(ports),
        build.tcp({ ...ports, flags: 'A' }),
        build.tcp({ ...ports, flags: 'FA' }),
        build.tcp({ ...ports, flags: 'R' }),
        build.udp(ports),
        build.sctp(ports),
      ].map((content) => ({ ...arrives(asks(content), asItIs), afterwards: remembersNothing })),
    },
    {
      name: `all fragments of a datagram over IPv${family} go as they are to the host that answers`,
      prepare: publish(),
      steps: (family === 4 ? build.fragments4 : build.fragments6)(
        build.eth({ source: uplink.gatewayMac, destination: uplink.mac }),
        { source: client, destination: host },
        [build.udp(ports), build.payload(64)],
        [24, 48],
      ).map((bytes) => arrives(bytes, asItIs)),
    },
    {
      name: `a client over IPv${family} that another host answers is told by this one what is too large for the way there`,
      prepare: publish(),
      steps: [
        arrives(asks(build.udp(ports), build.payload(overlayMtu)), {
          ...{ verdict: 'redirect', reason: 'TOO_BIG' },
          out: { ip: { source: host, destination: client }, icmp: { type: family === 4 ? 3 : 2 } },
        }),
      ],
    },
    {
      name: `an error over IPv${family} about what another host has answered goes there as it is, and others to the stack`,
      prepare: publish(),
      steps: [
        arrives(quoting(hostPort), { verdict: 'redirect', out: { eth, ip: { source: client, destination: host } } }),
        arrives(quoting(hostPort + 1), { verdict: 'pass' }),
      ],
    },
    {
      name: `an error over IPv${family} for a machine that this host is a router to is not taken for one about such answers`,
      prepare: publish(),
      steps: [
        arrives(
          fromOutside(
            client,
            behind[family],
            family,
            error,
            ip(family, behind[family], client),
            build.tcp({ source: hostPort, destination: 5000, flags: 'A' }),
          ),
          { verdict: 'pass' },
        ),
      ],
    },
    {
      name: `who comes over IPv${family} from a host of the cluster is answered by way of this one`,
      prepare: publish(),
      steps: [
        arrives(fromOutside(elsewhere[family], host, family, build.tcp(ports)), {
          ...{ verdict: 'redirect', out: { eth, ip: { source: elsewhere[family], destination: target } } },
        }),
      ],
    },
    {
      name: `who asks over IPv${family} by an address that the others do not know is answered by way of this host`,
      prepare: publish([]),
      steps: [arrives(asks(build.tcp(ports)), translated)],
    },
    {
      name: `who asks over IPv${family} by an address that another host has, too, is answered by way of this one`,
      prepare: publish([host], [host]),
      steps: [arrives(asks(build.tcp(ports)), translated)],
    },
    {
      name: `a connection over IPv${family} that another host may know is not taken up by one that translates`,
      prepare: publish([]),
      steps: [
        arrives(asks(build.tcp({ ...ports, flags: 'A' })), { verdict: 'drop', reason: 'CONNTRACK_INVALID' }),
        arrives(asks(build.tcp(ports)), translated),
        arrives(asks(build.tcp({ ...ports, flags: 'A' })), translated),
        arrives(asks(build.sctp(ports)), translated),
        arrives(asks(build.udp(ports)), translated),
      ],
    },
    {
      name: `an RST over IPv${family} that is for no host that answers itself is the stack's`,
      prepare: publish([]),
      steps: [arrives(asks(build.tcp({ ...ports, flags: 'R' })), { verdict: 'pass' })],
    },
    {
      name: `what has no hop left over IPv${family} does not go to the host that answers`,
      prepare: publish(),
      steps: [
        arrives(
          build.packet(
            build.eth({ source: uplink.gatewayMac, destination: uplink.mac }),
            ip(family, client, host, { ttl: 1 }),
            build.udp(ports),
          ),
          { verdict: 'drop', reason: 'TTL_EXCEEDED' },
        ),
      ],
    },
    {
      name: `who is here over IPv${family} does not come by a port to the host that answers`,
      prepare: publish(),
      steps: [
        sends('x', viaGateway('x', host, family, build.tcp(ports)), { verdict: 'drop', reason: 'PUBLISHED_ELSEWHERE' }),
        arrives(fromOutside(host, host, family, build.tcp(ports)), { verdict: 'drop', reason: 'MARTIAN' }),
      ],
    },
    {
      name: `a host over IPv${family} that answers itself and is gone is sent nothing`,
      prepare: (world) => {
        publish()(world);
        world.maps.nodes.set(z.node, {
          ...{ addr: new Uint8Array(16), cryptTo: new Uint8Array(16), cryptFrom: new Uint8Array(16) },
          ...{ cryptAlso: new Uint8Array(16), cryptIfindex: 0 },
        });
      },
      steps: [arrives(asks(build.tcp(ports)), { verdict: 'drop', reason: 'NO_NODE' })],
    },
  ];
});
