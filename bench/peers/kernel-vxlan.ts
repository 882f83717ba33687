import type { Client } from '../../test/lab/lab.ts';
import type { Machine } from '../../test/lab/machine.ts';
import { type Arena, cable } from '../arena.ts';
import type { Path } from '../tools/path.ts';

const [network, mtu] = [42, 1450];

/** Two machines whose containers are joined by a bridge and the kernel's own VXLAN, which is told where to send: no rules, no store. */
export async function kernelVxlan(arena: Arena, a: Client, b: Client): Promise<Path> {
  const client = await end(arena, a, b, 'client', '10.90.0.2');
  const server = await end(arena, b, a, 'server', '10.90.0.3');
  return { name: 'kernel VXLAN and bridge', client, server, address: '10.90.0.3' };
}

async function end(arena: Arena, here: Client, there: Client, role: string, address: string): Promise<Machine> {
  const [local, remote] = [here.address4, there.address4];
  const container = await arena.machine(`vxlan-${role}`);
  await here.ip(
    'link add br0 type bridge',
    `link add vxlan0 type vxlan id ${network} dstport 4789 local ${local} remote ${remote} dev eth0`,
    `link set vxlan0 mtu ${mtu} master br0 up`,
    'link set br0 up',
  );
  await cable({ machine: here, device: 'port0' }, { machine: container, device: 'eth0', address: `${address}/24` });
  await here.ip(`link set port0 mtu ${mtu} master br0`);
  await container.ip(`link set eth0 mtu ${mtu}`);
  return container;
}
