import * as build from '../kernel/packet/build.ts';

/** What an attacker knows of somebody on its network. */
export interface Neighbour {
  readonly mac: string;
  readonly address4: string;
  readonly address6: string;
}

export interface Scene {
  readonly attacker: Neighbour & { readonly linkLocal: string };
  readonly victim: Neighbour;
  /** Talks with the victim from this TCP port, of either family, to port 80. */
  readonly friend: Neighbour & { readonly port: number };
  readonly gateway: Neighbour;
  /** Of another network. */
  readonly stranger: Omit<Neighbour, 'mac'>;
  readonly strangersGateway: Omit<Neighbour, 'mac'>;
  readonly host: Omit<Neighbour, 'mac'>;
  readonly outside: Omit<Neighbour, 'mac'>;
}

export interface Attack {
  readonly name: string;
  /** The reason that each of the frames is dropped for. */
  readonly reason: string;
  readonly frames: readonly Uint8Array[];
}

/** What the kernels of containers and of the host ask and report by themselves, now and then, is dropped for these. */
const unasked = ['ND_UNANSWERED', 'MULTICAST_FROM_HOST'];

/** What was dropped between two looks, as `REASON N, …`; but for what nobody sent on purpose, unless it is expected. */
export function droppedBetween(
  before: Readonly<Record<string, number>>,
  after: Readonly<Record<string, number>>,
  expected: string,
): string {
  return Object.entries(after)
    .map(([reason, count]) => [reason, count - (before[reason] ?? 0)] as const)
    .filter(([reason, count]) => count > 0 && (reason === expected || !unasked.includes(reason)))
    .map(([reason, count]) => `${reason} ${count}`)
    .join(', ');
}

/** The port that all the attacks speak to or from, by which a capture knows them. */
export const attackPort = 6666;
/** A MAC that nobody has. */
export const nobodysMac = '02:66:66:66:66:66';

type Family = 4 | 6;
const families = [4, 6] as const;
const udp = build.udp({ source: attackPort, destination: attackPort });
const text = build.payload('attack');

function address(of: Omit<Neighbour, 'mac'>, family: Family): string {
  return family === 4 ? of.address4 : of.address6;
}

function ip(source: string, destination: string, more: { hops?: number; id?: number } = {}): build.Layer {
  const ends = { source, destination };
  if (!destination.includes(':')) return build.ipv4({ ...ends, ttl: more.hops ?? 64, id: more.id ?? 1 });
  return build.ipv6({ ...ends, hopLimit: more.hops ?? 64 });
}

/** Everything that is dropped whatever the network's permissions are, frame by frame. */
export function attacks(scene: Scene): Attack[] {
  const { attacker, victim, friend, gateway, stranger, outside } = scene;
  const to = (mac: string, source = attacker.mac) => build.eth({ destination: mac, source });
  const own = (family: Family) => address(attacker, family);
  const each = (make: (family: Family) => Uint8Array | Uint8Array[]) => families.flatMap((family) => make(family));
  const via = (family: Family, destination: string, ...layers: build.Layer[]) =>
    build.packet(to(gateway.mac), ip(own(family), destination), ...layers);

  return [
    {
      name: "somebody else's MAC",
      reason: 'SPOOFED',
      frames: each((family) =>
        [friend.mac, gateway.mac, nobodysMac, build.broadcastMac].map((mac) =>
          build.packet(to(victim.mac, mac), ip(own(family), address(victim, family)), udp, text),
        ),
      ),
    },
    {
      name: "somebody else's address",
      reason: 'SPOOFED',
      frames: each((family) =>
        [friend, victim, gateway, stranger, scene.host, outside].flatMap((whose) => [
          build.packet(to(victim.mac), ip(address(whose, family), address(victim, family)), udp, text),
          build.packet(to(gateway.mac), ip(address(whose, family), address(outside, family)), udp, text),
        ]),
      ),
    },
    {
      name: 'no address at all, or a loopback one',
      reason: 'SPOOFED',
      frames: each((family) =>
        (family === 4 ? ['0.0.0.0', '127.0.0.1'] : ['::', '::1']).map((source) =>
          build.packet(to(victim.mac), ip(source, address(victim, family)), udp, text),
        ),
      ),
    },
    {
      name: 'a reset in the name of a friend',
      reason: 'SPOOFED',
      frames: each((family) =>
        build.packet(
          to(victim.mac),
          ip(address(friend, family), address(victim, family)),
          build.tcp({ source: friend.port, destination: 80, flags: 'R' }),
        ),
      ),
    },
    {
      name: "ARP that announces a victim's or the gateway's address",
      reason: 'ARP_FORGED',
      frames: [friend, gateway].flatMap((whose) => [
        ...[victim.mac, build.broadcastMac].map((mac) =>
          build.packet(
            to(mac),
            build.arp({
              operation: 'reply',
              ...{ senderMac: attacker.mac, senderIp: whose.address4 },
              ...{ targetMac: victim.mac, targetIp: victim.address4 },
            }),
          ),
        ),
        ...[whose.address4, victim.address4].map((targetIp) =>
          build.packet(
            to(build.broadcastMac),
            build.arp({ operation: 'request', senderMac: attacker.mac, senderIp: whose.address4, targetIp }),
          ),
        ),
        build.packet(
          to(victim.mac),
          build.arp({
            operation: 'reply',
            ...{ senderMac: whose.mac, senderIp: attacker.address4 },
            ...{ targetMac: victim.mac, targetIp: victim.address4 },
          }),
        ),
      ]),
    },
    {
      name: 'ARP that announces its own address to all',
      reason: 'ARP_UNANSWERED',
      frames: [
        build.packet(
          to(build.broadcastMac),
          build.arp({
            operation: 'request',
            senderMac: attacker.mac,
            senderIp: attacker.address4,
            targetIp: attacker.address4,
          }),
        ),
      ],
    },
    {
      name: "neighbour advertisements of a victim's or the gateway's address",
      reason: 'ND_FORGED',
      frames: [attacker.address6, attacker.linkLocal].flatMap((source) =>
        [friend, gateway].flatMap((whose) =>
          [
            [victim.mac, victim.address6],
            ['33:33:00:00:00:01', 'ff02::1'],
          ].map(([mac = '', destination = '']) =>
            build.packet(
              to(mac),
              ip(source, destination, { hops: 255 }),
              build.neighbourAdvertisement(whose.address6, attacker.mac, 0xa0),
            ),
          ),
        ),
      ),
    },
    {
      name: 'neighbour solicitations with a MAC that lies',
      reason: 'ND_FORGED',
      frames: [
        build.packet(
          to(victim.mac),
          ip(attacker.address6, victim.address6, { hops: 255 }),
          build.neighbourSolicitation(victim.address6, nobodysMac),
        ),
      ],
    },
    {
      name: 'router advertisements, hidden behind extension headers or not, and redirects',
      reason: 'ROUTER_ADVERTISEMENT',
      frames: [
        ...[[], [build.extension('hop-by-hop')], [build.extension('destination'), build.extension('destination')]].map(
          (headers) =>
            build.packet(
              to('33:33:00:00:00:01'),
              ip(attacker.linkLocal, 'ff02::1', { hops: 255 }),
              ...headers,
              build.routerAdvertisement(attacker.mac),
            ),
        ),
        build.packet(
          to(victim.mac),
          ip(attacker.linkLocal, victim.address6, { hops: 255 }),
          build.fragmentHeader({ id: 1, offset: 0, more: true }),
          build.routerAdvertisement(attacker.mac),
        ),
        build.packet(
          to(victim.mac),
          ip(attacker.linkLocal, victim.address6, { hops: 255 }),
          build.redirect6(attacker.linkLocal, friend.address6),
        ),
        build.packet(
          to(victim.mac),
          ip(attacker.address4, victim.address4),
          build.icmpErrors.redirect(),
          ...[ip(victim.address4, friend.address4), udp],
        ),
        build.packet(to(victim.mac), ip(attacker.address4, victim.address4), build.icmp({ type: 9 })),
      ],
    },
    {
      name: 'DHCP servers, from whichever port they speak',
      reason: 'DHCP_SERVER',
      frames: [
        ...[67, attackPort].flatMap((source) =>
          [
            [victim.mac, victim.address4],
            [build.broadcastMac, '255.255.255.255'],
          ].map(([mac = '', destination = '']) =>
            build.packet(
              to(mac),
              ip(attacker.address4, destination),
              build.udp({ source, destination: 68 }),
              build.payload(240),
            ),
          ),
        ),
        ...[547, attackPort].map((source) =>
          build.packet(
            to(victim.mac),
            ip(attacker.linkLocal, victim.address6),
            build.udp({ source, destination: 546 }),
            text,
          ),
        ),
      ],
    },
    {
      name: 'unicast packets in broadcast and multicast frames',
      reason: 'UNICAST_IN_BROADCAST',
      frames: each((family) =>
        [build.broadcastMac, '01:00:5e:00:00:fb', '33:33:00:00:00:01'].flatMap((mac) =>
          [victim, stranger, gateway].map((whose) =>
            build.packet(to(mac), ip(own(family), address(whose, family)), udp, text),
          ),
        ),
      ),
    },
    {
      name: 'group packets in unicast frames',
      reason: 'MALFORMED',
      frames: [
        build.packet(to(victim.mac), ip(attacker.address4, '224.0.0.251'), udp, text),
        build.packet(to(victim.mac), ip(attacker.address6, 'ff02::fb'), udp, text),
      ],
    },
    {
      name: 'tunnel packets to addresses of the host',
      reason: 'TUNNEL_FORGED',
      frames: each((family) =>
        [scene.host, gateway].map((whose) =>
          via(
            family,
            address(whose, family),
            build.udp({ source: attackPort, destination: 4789 }),
            build.payload(Uint8Array.of(8, 0, 0, 0, 0, 0, 1, 0)),
            build.raw(
              build.packet(to(victim.mac, friend.mac), ip(address(friend, family), address(victim, family)), udp, text),
            ),
          ),
        ),
      ),
    },
    {
      name: 'frames with VLAN tags',
      reason: 'VLAN_TAGGED',
      frames: each((family) => [
        build.packet(to(victim.mac), build.vlan(7), ip(own(family), address(victim, family)), udp, text),
        build.packet(to(build.broadcastMac), build.vlan(0), ip(own(family), address(victim, family)), udp, text),
        build.packet(
          build.eth({ destination: victim.mac, source: attacker.mac, etherType: 0x88a8 }),
          build.vlan(7),
          ip(own(family), address(victim, family)),
          ...[udp, text],
        ),
      ]),
    },
    {
      name: 'first fragments without their ports, and later ones that would rewrite them',
      reason: 'FRAGMENT_OVERLAP',
      frames: each((family) => {
        const segment = [build.tcp({ source: attackPort, destination: 80 }), build.payload(40)];
        const ends = { source: own(family), destination: address(victim, family) };
        return family === 4
          ? build.fragments4(to(victim.mac), { ...ends, id: 11 }, segment, [8]).slice(0, 2)
          : build.fragments6(to(victim.mac), ends, segment, [8], 11).slice(0, 2);
      }),
    },
    {
      name: 'later fragments without a first',
      reason: 'FRAGMENT_UNKNOWN',
      frames: each((family) =>
        [victim, scene.host, outside].map((whose) => {
          const ends = { source: own(family), destination: address(whose, family) };
          const mac = whose === victim ? victim.mac : gateway.mac;
          const datagram = [udp, build.payload(64)];
          const [, later = new Uint8Array()] =
            family === 4
              ? build.fragments4(to(mac), { ...ends, id: 12 }, datagram, [24])
              : build.fragments6(to(mac), ends, datagram, [24], 12);
          return later;
        }),
      ),
    },
    {
      name: 'ports that only the padding behind a packet has',
      reason: 'TRUNCATED',
      frames: [
        // The receiver cuts the padding off: the true ports would come with the next fragment.
        build.packet(
          to(victim.mac),
          build.ipv6({ source: attacker.address6, destination: victim.address6, payloadLength: 16 }),
          build.fragmentHeader({ id: 13, offset: 0, more: true }),
          build.extension('destination'),
          ...[udp, text],
        ),
        build.packet(
          to(victim.mac),
          build.ipv4({ source: attacker.address4, destination: victim.address4, totalLength: 20, id: 13, more: true }),
          ...[udp, text],
        ),
      ],
    },
    {
      name: 'IPv4 addresses mapped into IPv6',
      reason: 'MARTIAN',
      frames: [
        [`::ffff:${hex(attacker.address4)}`, victim.address6],
        [`::ffff:${hex(friend.address4)}`, victim.address6],
        [attacker.address6, `::ffff:${hex(victim.address4)}`],
        [`::ffff:${hex(attacker.address4)}`, `::ffff:${hex(stranger.address4)}`],
      ].map(([source = '', destination = '']) => build.packet(to(victim.mac), ip(source, destination), udp, text)),
    },
    {
      name: 'loopback addresses of the host',
      reason: 'MARTIAN',
      frames: [via(4, '127.0.0.1', udp, text), via(6, '::1', udp, text)],
    },
    {
      name: 'more extension headers than anybody sends, and two fragment headers',
      reason: 'MALFORMED',
      frames: [
        build.packet(
          to(victim.mac),
          ip(attacker.address6, victim.address6),
          ...Array.from({ length: 8 }, () => build.extension('destination')),
          ...[udp, text],
        ),
        build.packet(
          to(victim.mac),
          ip(attacker.address6, victim.address6),
          build.fragmentHeader({ id: 14, offset: 0, more: true }),
          build.fragmentHeader({ id: 14, offset: 0, more: true }),
          ...[udp, text],
        ),
      ],
    },
    {
      name: 'another network, also by its gateway, by extension headers and by broadcast addresses',
      reason: 'ISOLATED',
      frames: [
        ...each((family) => [
          via(family, address(stranger, family), udp, text),
          via(family, address(stranger, family), build.echo(family, 'request')),
          via(family, address(scene.strangersGateway, family), udp, text),
        ]),
        via(4, '10.89.255.255', udp, text),
        via(6, stranger.address6, build.extension('hop-by-hop'), build.extension('destination'), udp, text),
        via(6, stranger.address6, build.extension('routing', Uint8Array.of(0, 0, 0, 0, 0, 0)), udp, text),
      ],
    },
    {
      name: 'errors about a conversation of others',
      reason: 'ICMP_UNRELATED',
      frames: each((family) => {
        const quote = (from: string, sourcePort: number, into: string, port: number) => [
          ip(from, into),
          build.tcp({ source: sourcePort, destination: port, flags: 'A' }),
        ];
        const errors =
          family === 4
            ? [build.icmpErrors.unreachable(3), build.icmpErrors.fragmentationNeeded(68)]
            : [build.icmpErrors.unreachable6(4), build.icmpErrors.packetTooBig(1280)];
        const [friends, victims] = [address(friend, family), address(victim, family)];
        return errors.flatMap((error) => [
          build.packet(to(friend.mac), ip(own(family), friends), error, ...quote(friends, friend.port, victims, 80)),
          build.packet(to(victim.mac), ip(own(family), victims), error, ...quote(victims, 80, friends, friend.port)),
          via(family, address(outside, family), error, ...quote(address(outside, family), friend.port, victims, 80)),
          via(
            family,
            address(outside, family),
            ...[error, ...quote(address(outside, family), friend.port, address(scene.host, family), 8080)],
          ),
        ]);
      }),
    },
    {
      name: 'segments of connections that nobody opened',
      reason: 'CONNTRACK_INVALID',
      frames: each((family) => [
        build.packet(
          to(victim.mac),
          ip(own(family), address(victim, family)),
          build.tcp({ source: attackPort, destination: 80, flags: 'SA' }),
        ),
        build.packet(
          to(victim.mac),
          ip(own(family), address(victim, family)),
          build.tcp({ source: attackPort, destination: 80, flags: 'R' }),
        ),
        via(family, address(outside, family), build.tcp({ source: attackPort, destination: 80, flags: 'A' })),
      ]),
    },
    {
      name: 'protocols that no network carries',
      reason: 'UNKNOWN_PROTOCOL',
      frames: [0x88cc, 0x8863, 0x0026].map((etherType) =>
        build.packet(build.eth({ destination: '01:80:c2:00:00:00', source: attacker.mac, etherType }), text),
      ),
    },
  ];
}

function hex(address4: string): string {
  const [a = 0, b = 0, c = 0, d = 0] = address4.split('.').map(Number);
  return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
}
