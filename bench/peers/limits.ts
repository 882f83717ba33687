import { type Arena, cable } from '../arena.ts';
import type { Path } from '../tools/path.ts';

/** The name that everything else is compared with. */
export const control = 'bare veth';

/** Two namespaces and the cable between them: nothing that leaves a container is faster. */
export async function bareVeth(arena: Arena): Promise<Path> {
  const [client, server] = [await arena.machine('veth-client'), await arena.machine('veth-server')];
  await cable(
    { machine: client, device: 'eth0', address: '10.0.1.2/24' },
    { machine: server, device: 'eth0', address: '10.0.1.3/24' },
  );
  return { name: control, client, server, address: '10.0.1.3' };
}

/** One namespace, in which both ends are. */
export async function loopback(arena: Arena): Promise<Path> {
  const machine = await arena.machine('loopback');
  return { name: 'loopback', client: machine, server: machine, address: '127.0.0.1' };
}

/** Two namespaces, and a third that routes between them: the kernel's forwarding without any filter. */
export async function routed(arena: Arena): Promise<Path> {
  const [client, router, server] = [
    await arena.machine('routed-client'),
    await arena.machine('routed-router'),
    await arena.machine('routed-server'),
  ];
  await cable(
    { machine: router, device: 'left', address: '10.0.2.1/24' },
    { machine: client, device: 'eth0', address: '10.0.2.2/24' },
  );
  await cable(
    { machine: router, device: 'right', address: '10.0.3.1/24' },
    { machine: server, device: 'eth0', address: '10.0.3.2/24' },
  );
  await router.sysctl({ 'net/ipv4/ip_forward': 1 });
  await client.ip('route add default via 10.0.2.1');
  await server.ip('route add default via 10.0.3.1');
  return { name: 'routed by the kernel', client, server, address: '10.0.3.2' };
}
