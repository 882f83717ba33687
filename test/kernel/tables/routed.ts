import { expect } from 'vitest';
import { ConntrackState, PublishFlag } from '../../../src/maps/generated/abi.ts';
import { parseAddress } from '../../../src/model/address.ts';
import * as build from '../packet/build.ts';
import { endpoints, hostDevice, networks, uplink } from '../world/plan.ts';
import type { World } from '../world/world.ts';
import {
  addressOf,
  arrives,
  type Family,
  families,
  fromHost,
  fromOutside,
  hostSends,
  type PacketCase,
  type Step,
  sends,
  viaGateway,
} from './say.ts';

const { a, c, o, r } = endpoints;
const port80 = { port: 80, protocol: build.Protocol.TCP };

/** Takes a port at a container's own address back, as the control plane does. */
function unpublish(world: World, address: string): void {
  world.maps.published.delete({ addr: parseAddress(address), ...port80 });
  world.maps.config.set(0, { ...world.config, generation: world.config.generation + 1 });
}

/** Has `a`, whose network masquerades, reached at its own address by the devices that the network trusts. */
function trust(world: World, family: Family, ...devices: string[]): void {
  const addr = parseAddress(addressOf('a', family));
  const network = networks.blue.number;
  const flags = PublishFlag.DIRECT | PublishFlag.TRUSTED;
  world.maps.published.set({ addr, ...port80 }, { addr, network, port: 80, flags });
  for (const device of devices) world.maps.trusted.set({ network, ifindex: world.index(device) }, 1);
}

const forwarded = (step: Step): Step => ({ ...step, receivedOn: uplink.device });

/** Containers that are reached at their own addresses. */
export const routed: readonly PacketCase[] = families.flatMap((family): PacketCase[] => {
  const [world, own, host] = [addressOf('world', family), addressOf('r', family), addressOf('host', family)];
  const syn = (destination: number, source = 5000) => build.tcp({ source, destination });
  const answer = (destination = 5000) => build.tcp({ source: 80, destination, flags: 'SA' });
  const kinds = [
    ['TCP', syn(80), answer()],
    ['UDP', build.udp({ source: 5000, destination: 53 }), build.udp({ source: 53, destination: 5000 })],
    [
      'SCTP',
      build.sctp({ source: 5000, destination: 9 }),
      build.sctp({
        source: 9,
        destination: 5000,
        tag: 3,
        chunks: [{ type: build.SctpChunk.INIT_ACK, value: new Uint8Array(20) }],
      }),
    ],
  ] as const;
  return [
    ...kinds.map(
      ([name, question, reply]): PacketCase => ({
        name: `a ${name} port that a routed network publishes answers at the container's own IPv${family} address, untranslated`,
        steps: [
          arrives(fromOutside(world, own, family, question), {
            verdict: 'redirect',
            out: { eth: { destination: r.mac }, ip: { source: world, destination: own } },
          }),
          sends('r', viaGateway('r', world, family, reply), {
            verdict: 'redirect',
            out: { ip: { source: own, destination: world } },
          }),
        ],
      }),
    ),
    {
      name: `nobody outside ends a flow with the host, or counts in it, over IPv${family}`,
      steps: [
        sends('r', viaGateway('r', host, family, syn(80)), { verdict: 'redirect' }),
        hostSends(fromHost(host, own, family, answer()), { verdict: 'redirect' }),
        sends('r', viaGateway('r', host, family, build.tcp({ source: 5000, destination: 80, flags: 'A' })), {
          verdict: 'redirect',
        }),
        arrives(fromOutside(host, own, family, build.tcp({ source: 80, destination: 5000, flags: 'FA' })), {
          verdict: 'drop',
          reason: 'NOT_PUBLISHED',
          afterwards: ({ maps }) => {
            const flows = [...maps.conntrack.entries()].map(([, flow]) => flow);
            expect(flows).toMatchObject([{ state: ConntrackState.ESTABLISHED, packetsReply: 1n }]);
          },
        }),
      ],
    },
    {
      name: `no other port of a routed network is reached over IPv${family}, not even one that the host publishes`,
      steps: [81, 8080, 22].map((port) =>
        arrives(fromOutside(world, own, family, syn(port)), { verdict: 'drop', reason: 'NOT_PUBLISHED' }),
      ),
    },
    {
      name: `a port that a routed network publishes is none of the host's over IPv${family}`,
      steps: [arrives(fromOutside(world, host, family, syn(80)), { verdict: 'pass' })],
    },
    {
      name: `a container of a routed network answers a ping over IPv${family}, and takes no reply that nobody asked for`,
      steps: [
        arrives(fromOutside(world, own, family, build.echo(family, 'request', { id: 7 })), {
          verdict: 'redirect',
          out: { eth: { destination: r.mac } },
        }),
        sends('r', viaGateway('r', world, family, build.echo(family, 'reply', { id: 7 })), {
          verdict: 'redirect',
          out: { ip: { source: own, destination: world } },
        }),
        arrives(fromOutside(world, own, family, build.echo(family, 'reply', { id: 8 })), {
          verdict: 'drop',
          reason: 'CONNTRACK_INVALID',
        }),
      ],
    },
    {
      name: `taking a port of a routed network back ends its connections over IPv${family}, in both directions`,
      steps: [
        arrives(fromOutside(world, own, family, syn(80)), { verdict: 'redirect' }),
        arrives(fromOutside(world, own, family, syn(80, 5001)), {
          verdict: 'redirect',
          afterwards: (state) => unpublish(state, own),
        }),
        arrives(fromOutside(world, own, family, build.tcp({ source: 5000, destination: 80, flags: 'A' })), {
          verdict: 'drop',
          reason: 'POLICY_DENIED',
        }),
        sends('r', viaGateway('r', world, family, answer(5001)), { verdict: 'drop', reason: 'POLICY_DENIED' }),
      ],
    },
    {
      name: `a connection to a port of a routed network outlives the unpublishing of another over IPv${family}`,
      steps: [
        arrives(fromOutside(world, own, family, syn(80)), {
          verdict: 'redirect',
          afterwards: (state) => state.maps.config.set(0, { ...state.config, generation: state.config.generation + 1 }),
        }),
        sends('r', viaGateway('r', world, family, answer()), { verdict: 'redirect' }),
        arrives(fromOutside(world, own, family, build.tcp({ source: 5000, destination: 80, flags: 'A' })), {
          verdict: 'redirect',
        }),
      ],
    },
    {
      name: `what the host routes from elsewhere over IPv${family} reaches the published ports of a routed network alone`,
      steps: [
        forwarded(
          hostSends(fromHost(world, own, family, syn(80)), {
            verdict: 'redirect',
            out: { eth: { destination: r.mac } },
          }),
        ),
        forwarded(hostSends(fromHost(world, own, family, syn(81)), { verdict: 'drop', reason: 'FORWARDED_BY_HOST' })),
      ],
    },
    {
      name: `a container of another network reaches what a routed one publishes over IPv${family}, and nothing else`,
      steps: [
        sends('c', viaGateway('c', own, family, syn(80)), {
          verdict: 'redirect',
          out: { eth: { destination: r.mac }, ip: { source: addressOf('c', family), destination: own } },
        }),
        sends('r', viaGateway('r', addressOf('c', family), family, answer()), {
          verdict: 'redirect',
          out: { eth: { source: hostDevice.mac, destination: c.mac }, ip: { source: own } },
        }),
        sends('c', viaGateway('c', own, family, syn(81)), { verdict: 'drop', reason: 'ISOLATED' }),
        sends('i', viaGateway('i', own, family, syn(80)), { verdict: 'drop', reason: 'INTERNAL_NETWORK' }),
        sends('r', viaGateway('r', addressOf('c', family), family, syn(80, 6000)), {
          verdict: 'drop',
          reason: 'ISOLATED',
        }),
      ],
    },
    {
      name: `every port of an unprotected network is reached at the container's own IPv${family} address`,
      steps: [
        arrives(fromOutside(world, addressOf('o', family), family, syn(81)), {
          verdict: 'redirect',
          out: { eth: { destination: o.mac }, ip: { source: world } },
        }),
        arrives(fromOutside(world, addressOf('o', family), family, build.echo(family, 'request')), {
          verdict: 'redirect',
        }),
      ],
    },
    {
      name: `a trusted device reaches published ports at the container's own IPv${family} address, and no others`,
      prepare: (state) => trust(state, family, uplink.device),
      steps: [
        arrives(fromOutside(world, addressOf('a', family), family, syn(80)), {
          verdict: 'redirect',
          out: { eth: { destination: a.mac } },
        }),
        arrives(fromOutside(world, addressOf('a', family), family, syn(81)), {
          verdict: 'drop',
          reason: 'NOT_PUBLISHED',
        }),
        arrives(fromOutside(world, addressOf('a', family), family, build.echo(family, 'request')), {
          verdict: 'drop',
          reason: 'NOT_PUBLISHED',
        }),
      ],
    },
    {
      name: `a device that is not trusted reaches no container's own IPv${family} address, nor does another network`,
      prepare: (state) => trust(state, family, hostDevice.device),
      steps: [
        arrives(fromOutside(world, addressOf('a', family), family, syn(80)), {
          verdict: 'drop',
          reason: 'NOT_PUBLISHED',
        }),
        sends('c', viaGateway('c', addressOf('a', family), family, syn(80)), { verdict: 'drop', reason: 'ISOLATED' }),
      ],
    },
    {
      name: `a connection by a trusted device over IPv${family} does not go on by another`,
      prepare: (state) => trust(state, family, uplink.device),
      steps: [
        arrives(fromOutside(world, addressOf('a', family), family, syn(80)), {
          verdict: 'redirect',
          afterwards: (state) => {
            state.maps.trusted.delete({ network: networks.blue.number, ifindex: state.index(uplink.device) });
          },
        }),
        arrives(
          fromOutside(world, addressOf('a', family), family, build.tcp({ source: 5000, destination: 80, flags: 'A' })),
          { verdict: 'drop', reason: 'NOT_PUBLISHED' },
        ),
      ],
    },
    {
      name: `a network that says under which IPv${family} address it leaves does so, and the answer comes back`,
      prepare: (state) => {
        const network = state.maps.networks.get(networks.blue.number);
        if (!network) throw new Error('the network is not there');
        const source = parseAddress(family === 4 ? '198.51.100.77' : '2001:db8:f::77');
        state.maps.networks.set(networks.blue.number, { ...network, [`masquerade${family}`]: source });
      },
      steps: [
        sends('a', viaGateway('a', world, family, build.udp({ source: 40000, destination: 53 })), {
          verdict: 'redirect',
          out: { ip: { source: family === 4 ? '198.51.100.77' : '2001:db8:f::77', destination: world } },
        }),
        arrives(
          ([sent]) =>
            fromOutside(
              world,
              family === 4 ? '198.51.100.77' : '2001:db8:f::77',
              family,
              build.udp({ source: 53, destination: sent?.udp?.source ?? 0 }),
            ),
          { verdict: 'redirect', out: { ip: { destination: addressOf('a', family) }, udp: { destination: 40000 } } },
        ),
      ],
    },
  ];
});
