import type { Machine } from './machine.ts';

/** Addresses that documentation is written with, so that none can be anybody's. */
export interface Addresses {
  readonly address4: string;
  readonly address6: string;
}

const segments = {
  /** The hosts' wire. */
  fabric: { prefix4: '198.51.100', prefix6: '2001:db8:f' },
  /** Behind the hosts' default gateway. */
  world: { prefix4: '203.0.113', prefix6: '2001:db8:3' },
} as const;

export type Segment = keyof typeof segments;

function addressesOf(segment: Segment, host: number): Addresses {
  const { prefix4, prefix6 } = segments[segment];
  return { address4: `${prefix4}.${host}`, address6: `${prefix6}::${host.toString(16)}` };
}

/** Duplicate address detection would keep every machine's link-local address unusable for its first seconds. */
const withoutDad = { 'net/ipv6/conf/default/dad_transmits': 0 };

/** Gives the router its two bridges; it routes between them, and is everybody's default gateway. */
async function setUpRouter(router: Machine): Promise<void> {
  await router.sysctl(withoutDad);
  const lines: string[] = [];
  for (const segment of Object.keys(segments) as Segment[]) {
    const { address4, address6 } = addressesOf(segment, 1);
    // Without snooping a bridge gives multicast to all, at once
    lines.push(
      `link add ${segment} type bridge forward_delay 0 mcast_snooping 0`,
      `link set ${segment} up`,
      `address add ${address4}/24 dev ${segment}`,
      `address add ${address6}/64 dev ${segment} nodad`,
    );
  }
  await router.ip(...lines);
  await router.sysctl({ 'net/ipv4/ip_forward': 1, 'net/ipv6/conf/all/forwarding': 1 });
}

let cables = 0;

/** Lays a cable from a bridge to a machine's `eth0`, with addresses and a default route. */
async function connect(router: Machine, machine: Machine, segment: Segment, addresses: Addresses): Promise<void> {
  const port = `port${cables++}`;
  await machine.sysctl({
    ...withoutDad,
    // A host as distributions set it up, at its strictest: it forwards nothing and checks reverse paths.
    'net/ipv4/ip_forward': 0,
    'net/ipv4/conf/all/rp_filter': 1,
    'net/ipv4/conf/default/rp_filter': 1,
    'net/ipv4/conf/default/accept_redirects': 0,
    'net/ipv6/conf/all/forwarding': 0,
    'net/ipv6/conf/default/accept_ra': 1,
  });
  await router.ip(
    `link add ${port} type veth peer name eth0 netns ${machine.place.holder}`,
    `link set ${port} master ${segment} up`,
  );
  const gateway = addressesOf(segment, 1);
  await machine.ip(
    'link set eth0 up',
    `address add ${addresses.address4}/24 dev eth0`,
    `address add ${addresses.address6}/64 dev eth0 nodad`,
    `route add default via ${gateway.address4}`,
    `route add ::/0 via ${gateway.address6}`,
  );
  await machine.sysctl({ 'net/ipv6/conf/default/dad_transmits': 1 });
}

/** The wire between a lab's machines. */
export const fabric = {
  setUpRouter,
  connect,
  hostAddresses: (index: number) => addressesOf('fabric', 10 + index),
  clientAddresses: (index: number) => addressesOf('fabric', 100 + index),
  remoteAddresses: (index: number) => addressesOf('world', 100 + index),
};
