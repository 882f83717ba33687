import * as build from '../packet/build.ts';
import { endpoints } from '../world/plan.ts';
import { between, families, type PacketCase, sends } from './say.ts';

const { a, b } = endpoints;
const frame = build.eth({ source: a.mac, destination: b.mac });
const udp = build.udp({ source: 1000, destination: 2000 });

/** Headers that no valid packet has. */
export const malformed: readonly PacketCase[] = [
  {
    name: 'an IPv4 header of a wrong version, length or checksum is malformed',
    steps: [{ version: 5 }, { headerLength: 16 }, { totalLength: 19 }].map((fields) =>
      sends('a', build.packet(frame, build.ipv4({ source: a.ip4, destination: b.ip4, ...fields }), udp), {
        verdict: 'drop',
        reason: 'MALFORMED',
      }),
    ),
  },
  {
    name: 'an IPv4 header that claims more than there is is truncated',
    steps: [
      sends('a', build.packet(frame, build.ipv4({ source: a.ip4, destination: b.ip4, totalLength: 2000 }), udp), {
        verdict: 'drop',
        reason: 'TRUNCATED',
      }),
      sends('a', build.packet(frame, build.ipv4({ source: a.ip4, destination: b.ip4, headerLength: 60 }), udp), {
        verdict: 'drop',
        reason: 'MALFORMED',
      }),
    ],
  },
  {
    name: 'ports that only the padding behind a packet has are not read',
    steps: [
      sends('a', build.packet(frame, build.ipv4({ source: a.ip4, destination: b.ip4, totalLength: 27 }), udp), {
        verdict: 'drop',
        reason: 'TRUNCATED',
      }),
      sends(
        'a',
        build.packet(
          frame,
          build.ipv6({ source: a.ip6, destination: b.ip6, payloadLength: 16 }),
          build.fragmentHeader({ id: 1, offset: 0, more: true }),
          build.extension('destination'),
          udp,
        ),
        { verdict: 'drop', reason: 'TRUNCATED' },
      ),
    ],
  },
  {
    name: 'an IPv6 header of a wrong version is malformed',
    steps: [
      sends('a', build.packet(frame, build.ipv6({ source: a.ip6, destination: b.ip6, version: 4 }), udp), {
        verdict: 'drop',
        reason: 'MALFORMED',
      }),
    ],
  },
  {
    name: 'a TCP header shorter than TCP has is malformed',
    steps: families.map((family) =>
      sends('a', between('a', 'b', family, build.tcp({ source: 1, destination: 2, dataOffset: 16 })), {
        verdict: 'drop',
        reason: 'MALFORMED',
      }),
    ),
  },
  {
    name: 'a UDP header that claims less than UDP has is malformed',
    steps: families.map((family) =>
      sends('a', between('a', 'b', family, build.udp({ source: 1, destination: 2, length: 7 })), {
        verdict: 'drop',
        reason: 'MALFORMED',
      }),
    ),
  },
  {
    name: 'extension headers of IPv6 do not hide the ports',
    steps: [
      sends(
        'a',
        between(
          'a',
          'b',
          6,
          build.extension('hop-by-hop'),
          build.extension('destination'),
          build.tcp({ source: 40000, destination: 80 }),
        ),
        { verdict: 'redirect' },
      ),
    ],
  },
  {
    name: 'more extension headers than anybody sends are malformed',
    steps: [
      sends(
        'a',
        between(
          'a',
          'b',
          6,
          build.extension('destination'),
          ...Array.from({ length: 15 }, () => build.extension('destination')),
          udp,
        ),
        {
          verdict: 'drop',
          reason: 'MALFORMED',
        },
      ),
    ],
  },
  {
    name: 'options of IPv4 do not hide the ports',
    steps: [
      sends(
        'a',
        build.packet(
          frame,
          build.ipv4({ source: a.ip4, destination: b.ip4, options: Uint8Array.of(7, 7, 4, 0, 0, 0, 0) }),
          build.tcp({ source: 40000, destination: 80 }),
        ),
        { verdict: 'redirect' },
      ),
    ],
  },
];
