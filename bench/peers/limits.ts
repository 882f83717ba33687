import type { Machine } from '../../test/lab/machine.ts';
import { type Arena, cable } from '../arena.ts';
import type { Path } from '../tools/path.ts';

const redirectObject = new URL('../fixtures/redirect.bpf.o', import.meta.url).pathname;

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

/** What the programs of a host are between: two containers, or a machine behind the uplink and a container. */
export type RedirectedEnds = 'containers' | 'outside';

export interface Redirected extends Path {
  /** Between the client at its device `left` and the server at `right`. */
  readonly host: Machine;
}

/** Two namespaces, and a third whose programs give what one sends to the other: what no program between them can beat. */
export async function redirected(arena: Arena, ends: RedirectedEnds): Promise<Redirected> {
  const host = await arena.machine(`redirect-${ends}`);
  const machines = [];
  for (const [index, name] of ['left', 'right'].entries()) {
    const machine = await arena.machine(`redirect-${ends}-${name}`);
    machines.push(machine);
    // The program knows them by these numbers.
    await host.ip(
      `link add ${name} index ${1001 + index} type veth peer name eth0 netns ${machine.place.holder}`,
      `link set ${name} up`,
    );
    await machine.ip(`address add 10.0.4.${2 + index}/24 dev eth0`, 'link set eth0 up');
    await host.must('tc', 'qdisc', 'add', 'dev', name, 'clsact');
    const program = [
      'bpf',
      'direct-action',
      'object-file',
      redirectObject,
      'section',
      ends === 'outside' ? 'tc/outside' : 'tc',
    ];
    await host.must('tc', 'filter', 'add', 'dev', name, 'ingress', ...program);
  }
  const [client, server] = machines;
  if (!client || !server) throw new Error('there are no two ends');
  const name = ends === 'outside' ? 'bare redirects' : 'bare redirect_peer';
  return { name, client, host, server, address: '10.0.4.3' };
}

export interface Routed extends Path {
  /** Between the client at its device `left` and the server at `right`. */
  readonly router: Machine;
}

export const routerAddress = '10.0.2.1';

/**
 * Two namespaces, and a third that routes between them: the kernel's forwarding without any filter.
 *
 * @param prefix of the machines' names, so that there can be several
 */
export async function routed(arena: Arena, name = 'routed by the kernel', prefix = 'routed'): Promise<Routed> {
  const [client, router, server] = [
    await arena.machine(`${prefix}-client`),
    await arena.machine(`${prefix}-router`),
    await arena.machine(`${prefix}-server`),
  ];
  await cable(
    { machine: router, device: 'left', address: `${routerAddress}/24` },
    { machine: client, device: 'eth0', address: '10.0.2.2/24' },
  );
  await cable(
    { machine: router, device: 'right', address: '10.0.3.1/24' },
    { machine: server, device: 'eth0', address: '10.0.3.2/24' },
  );
  await router.sysctl({ 'net/ipv4/ip_forward': 1 });
  await client.ip(`route add default via ${routerAddress}`);
  await server.ip('route add default via 10.0.3.1');
  return { name, client, router, server, address: '10.0.3.2' };
}
