import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Netns } from '../../../src/netlink/netns.ts';
import { ownCgroup } from '../loader-support.ts';
import { remotes } from '../world/plan.ts';
import type { Sandbox } from './sandbox.ts';
import { createFabric, enterMounts } from './three-hosts.ts';
import { TunnelHost } from './tunnel-host.ts';

// What a process of the host sends to a tunnel's port would come from its own node's address.

let fabric: Netns;
let cgroup: ReturnType<typeof ownCgroup>;
let host: TunnelHost;
let other: TunnelHost;

beforeAll(() => {
  cgroup = ownCgroup();
  enterMounts();
  fabric = createFabric();
  host = TunnelHost.create('host', '192.0.2.1', fabric, { also: ['192.0.2.9'] });
  host.ip('address add 2001:db8:f::1/64 dev uplink0 nodad');
  other = TunnelHost.create('other', '192.0.2.2', fabric);
  host.addContainer('x', 17);
  host.addNode(1, other, ['z']);
  host.watchSockets(cgroup.path);
});
afterAll(async () => {
  for (const one of [host, other]) await one?.[Symbol.asyncDispose]();
  cgroup?.[Symbol.dispose]();
  fabric?.close();
});

const nobody = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups'];

const ways = {
  connects: 's.connect((sys.argv[1], int(sys.argv[2])))',
  sends: 's.sendto(b"x", (sys.argv[1], int(sys.argv[2])))',
};

/** Gives `passes`, or what the kernel said. */
async function speak(
  from: Sandbox,
  as: readonly string[],
  way: keyof typeof ways,
  address: string,
  { port = 4789, transport = 'DGRAM', family = address.includes(':') ? 'AF_INET6' : 'AF_INET' } = {},
): Promise<string> {
  const program = `
import errno, socket, sys
s = socket.socket(socket.${family}, socket.SOCK_${transport})
s.settimeout(0.2)
try:
    ${ways[way]}
    print("passes")
except OSError as error:
    print(errno.errorcode.get(error.errno, "timeout"))`;
  const inside = ['sh', '-c', 'echo 0 > "$0/cgroup.procs" && exec "$@"', cgroup.path, ...as];
  return (await from.exec(...inside, 'python3', '-c', program, address, String(port))).stdout.trim();
}

describe.each(Object.keys(ways) as (keyof typeof ways)[])('a process without privilege that %s', (way) => {
  test.each([
    ['to a node', '192.0.2.2', {}],
    ['to any other address', '192.0.2.77', {}],
    ['over IPv6', '2001:db8:f::2', {}],
    ['to an IPv4 address of a socket of IPv6', '::ffff:192.0.2.2', {}],
  ])('to the port of tunnels is refused, and counted, %s', async (_name, address, options) => {
    expect(
      await host.drops(async () => expect(await speak(host, nobody, way, address, options)).toBe('EPERM')),
    ).toEqual({
      TUNNEL_FORGED: 1,
    });
  });

  test.each([
    ['to another port', (host_) => speak(host_, nobody, way, '192.0.2.2', { port: 4790 })],
    ['as root', (host_) => speak(host_, [], way, '192.0.2.2')],
    [
      'in a container, where its address is its own',
      (host_) => speak(host_.container('x'), nobody, way, remotes.z.ip4),
    ],
  ] as [string, (on: TunnelHost) => Promise<string>][])('is not held up %s', async (_name, speaks) => {
    expect(await host.drops(async () => expect(await speaks(host)).toBe('passes'))).toEqual({});
  });
});

test('TCP has no tunnels', async () => {
  expect(await host.drops(() => speak(host, nobody, 'connects', '192.0.2.2', { transport: 'STREAM' }))).toEqual({});
});

test('a host without a device for tunnels has nothing that could be forged', async () => {
  const config = host.maps.config.get(0);
  if (!config) throw new Error('there is no configuration');
  host.maps.config.set(0, { ...config, overlayIfindex: 0 });
  expect(await host.drops(() => speak(host, nobody, 'sends', '192.0.2.2'))).toEqual({});
  host.maps.config.set(0, config);
});
