import { expect } from 'vitest';
import { ConntrackFlag, Party, PublishFlag } from '../../../src/maps/generated/abi.ts';
import { parseAddress } from '../../../src/model/address.ts';
import * as build from '../packet/build.ts';
import { hostDevice, networks, remotes, uplink } from '../world/plan.ts';
import { remoteShare, type World } from '../world/world.ts';
import {
  addressOf,
  arrives,
  type Family,
  families,
  fromHost,
  fromOutside,
  hostSends,
  ip,
  type PacketCase,
  sends,
  viaGateway,
} from './say.ts';

const { z } = remotes;
const network = networks.wide.number;
const [hostPort, port] = [8888, 80];
const redirect = { verdict: 'redirect' } as const;
const protocols = { tcp: 6, udp: 17, sctp: 132 } as const;

const keyOf = (family: Family, protocol: number) => {
  return { addr: parseAddress(family === 4 ? '0.0.0.0' : '::'), port: hostPort, protocol };
};

/** Ports of this host that lead to `z`, which is on another one. */
function publish(world: World): void {
  for (const family of families) {
    for (const protocol of Object.values(protocols)) {
      const value = { addr: parseAddress(addressOf('z', family)), network, port, flags: PublishFlag.REMOTE };
      world.maps.published.set(keyOf(family, protocol), value);
    }
  }
}

const unpublish = (world: World) => {
  for (const family of families) {
    for (const protocol of Object.values(protocols)) world.maps.published.delete(keyOf(family, protocol));
  }
  world.maps.config.set(0, { ...world.config, generation: world.config.generation + 2 });
};

const entries = (world: World) => [...world.maps.conntrack.entries()];
/** The quota that flows to `z` are charged to here. */
const share = remoteShare(z.number);

/** Ports of this host that lead to endpoints on others. What comes back by a tunnel is in test/kernel/overlay. */
export const clusterPorts: readonly PacketCase[] = families.flatMap((family): PacketCase[] => {
  const [client, host, target] = [addressOf('world', family), addressOf('host', family), addressOf('z', family)];
  const asks = (...content: Parameters<typeof fromOutside> extends [string, string, Family, ...infer C] ? C : never) =>
    fromOutside(client, host, family, ...content);
  const ports = { source: 5000, destination: hostPort };
  const leads = {
    verdict: 'redirect',
    out: {
      eth: { source: hostDevice.mac, destination: z.mac },
      ip: { source: client, destination: target, ttl: 63 },
    },
  } as const;
  const tooBig = asks(build.udp(ports), build.payload(1430));
  const answered = {
    verdict: 'redirect',
    reason: 'TOO_BIG',
    out: { ip: { source: host, destination: client }, icmp: { type: family === 4 ? 3 : 2 } },
  } as const;
  return [
    {
      name: `a port over IPv${family} leads to another host, and the client's address along`,
      prepare: publish,
      steps: [
        {
          ...arrives(asks(build.tcp(ports)), {
            ...leads,
            out: { ...leads.out, tcp: { source: 5000, destination: port } },
          }),
          afterwards: (world) => {
            const [outer, inner] = entries(world).sort(([a], [b]) => a.network - b.network);
            const ends = { sourceParty: Party.WORLD, destinationParty: Party.REMOTE, owner: share };
            expect(outer).toMatchObject([{ network: 0 }, { ...ends, toDestination: { ifindex: z.node } }]);
            expect(inner).toMatchObject([{ network }, ends]);
            expect((inner?.[1].flags ?? 0) & ConntrackFlag.REPLY_HALF).not.toBe(0);
            expect(outer?.[1].destinationIdentity).toBe(z.identity);
          },
        },
        arrives(asks(build.tcp({ ...ports, flags: 'A' })), leads),
        arrives(asks(build.udp(ports)), leads),
        arrives(asks(build.sctp(ports)), leads),
      ],
    },
    {
      name: `a client over IPv${family} is told how large its packets to another host may be, by the address that it knows`,
      prepare: publish,
      steps: [arrives(tooBig, answered), arrives(asks(build.udp(ports)), leads), arrives(tooBig, answered)],
    },
    {
      name: `all fragments of a datagram over IPv${family} go to another host`,
      prepare: publish,
      steps: (family === 4 ? build.fragments4 : build.fragments6)(
        build.eth({ source: uplink.gatewayMac, destination: uplink.mac }),
        { source: client, destination: host },
        [build.udp(ports), build.payload(64)],
        [24, 48],
      ).map((bytes) => arrives(bytes, leads)),
    },
    {
      name: `an error over IPv${family} about what another host's endpoint has answered goes there`,
      prepare: publish,
      steps: [
        arrives(asks(build.udp(ports)), leads),
        arrives(
          asks(
            family === 4 ? build.icmpErrors.unreachable(3) : build.icmpErrors.unreachable6(4),
            ip(family, host, client),
            build.udp({ source: hostPort, destination: 5000 }),
          ),
          { verdict: 'redirect', out: { eth: { destination: z.mac }, ip: { source: client, destination: target } } },
        ),
      ],
    },
    {
      name: `a port over IPv${family} that leads to another host no more ends what came by it, and leaves nothing`,
      prepare: publish,
      steps: [
        { ...arrives(asks(build.tcp(ports)), leads), afterwards: unpublish },
        {
          ...arrives(asks(build.tcp({ ...ports, flags: 'A' })), { verdict: 'drop', reason: 'POLICY_DENIED' }),
          afterwards: (world) => {
            expect(entries(world)).toEqual([]);
            expect(world.maps.quotas.get(share)?.flows).toBe(0);
          },
        },
        arrives(asks(build.tcp(ports)), { verdict: 'pass' }),
      ],
    },
    {
      name: `what comes in over IPv${family} for endpoints on other hosts ends at a quota of theirs, and goes on for those here`,
      prepare: (world) => {
        publish(world);
        world.maps.config.set(0, { ...world.config, flowQuota: 1 });
        world.beginQuotaWindow(share);
      },
      steps: [
        arrives(asks(build.udp(ports)), leads),
        arrives(asks(build.udp({ ...ports, source: 5001 })), { verdict: 'drop', reason: 'FLOW_QUOTA' }),
        arrives(asks(build.udp({ ...ports, destination: 8053 })), redirect),
      ],
    },
    {
      name: `who is here does not come to another host's endpoint by a port of this one over IPv${family}`,
      prepare: publish,
      steps: [
        sends('x', viaGateway('x', host, family, build.tcp(ports)), { verdict: 'drop', reason: 'PUBLISHED_ELSEWHERE' }),
        sends('a', viaGateway('a', host, family, build.tcp(ports)), { verdict: 'drop', reason: 'PUBLISHED_ELSEWHERE' }),
        hostSends(fromHost(host, target, family, build.tcp({ source: 1, destination: port })), {
          ...{ verdict: 'drop', reason: 'NO_ENDPOINT' },
        }),
      ],
    },
    {
      name: `an endpoint over IPv${family} that has come here, and its port has not been told, is not reached by it yet`,
      prepare: (world) => {
        publish(world);
        const known = world.maps.endpoints.get({ network, addr: parseAddress(target) });
        if (known) world.maps.endpoints.set({ network, addr: parseAddress(target) }, { ...known, flags: 0 });
      },
      steps: [arrives(asks(build.tcp(ports)), { verdict: 'drop', reason: 'NO_ENDPOINT' })],
    },
  ];
});
