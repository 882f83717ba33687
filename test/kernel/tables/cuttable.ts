import * as build from '../packet/build.ts';
import { endpoints } from '../world/plan.ts';
import { addressOf, between, families, fromOutside, ip, viaGateway } from './say.ts';

/** A whole packet, to be cut anywhere within the headers that a program has to read. */
export interface Cuttable {
  readonly packet: Uint8Array;
  readonly hook: 'from_endpoint' | 'from_uplink';
  /** Bytes, from the start of the frame. */
  readonly headers: number;
}

const { a, b } = endpoints;
const tcp = build.tcp({ source: 40000, destination: 80 });
const udp = build.udp({ source: 40000, destination: 80 });

function sent(packet: Uint8Array, behind = 0): Cuttable {
  return { packet, hook: 'from_endpoint', headers: packet.length - behind };
}

/** By what they are. */
export const cuttable: Readonly<Record<string, Cuttable>> = Object.fromEntries([
  ...families.flatMap((family): [string, Cuttable][] => {
    const [world, host] = [addressOf('world', family), addressOf('host', family)];
    const error = family === 4 ? build.icmpErrors.unreachable(1) : build.icmpErrors.unreachable6(1);
    const quoted = [ip(family, addressOf('b', family), addressOf('a', family)), udp] as const;
    const knock = fromOutside(world, host, family, build.tcp({ source: 5000, destination: 8080 }));
    return [
      [`TCP over IPv${family}`, sent(between('a', 'b', family, tcp, build.payload(8)), 8)],
      [`UDP over IPv${family}`, sent(between('a', 'b', family, udp, build.payload(8)), 8)],
      // Of the first chunk, its type is read
      [`SCTP over IPv${family}`, sent(between('a', 'b', family, build.sctp({ source: 1, destination: 9 })), 16)],
      [`ping over IPv${family}`, sent(between('a', 'b', family, build.echo(family, 'request'), build.payload(8)), 8)],
      [`TCP to the world over IPv${family}`, sent(viaGateway('a', world, family, tcp))],
      // Of what an error quotes, the ports are read
      [`an ICMP error over IPv${family}`, sent(between('a', 'b', family, error, ...quoted), 4)],
      [`TCP to a published port over IPv${family}`, { packet: knock, hook: 'from_uplink', headers: knock.length }],
    ];
  }),
  [
    'TCP behind extension headers',
    sent(between('a', 'b', 6, build.extension('hop-by-hop'), build.extension('destination'), tcp)),
  ],
  [
    'ARP',
    sent(
      build.packet(
        build.eth({ source: a.mac, destination: build.broadcastMac }),
        build.arp({ operation: 'request', senderMac: a.mac, senderIp: a.ip4, targetIp: b.ip4 }),
      ),
    ),
  ],
] as [string, Cuttable][]);
