import { setTimeout } from 'node:timers/promises';
import { EtcdServers } from '../../test/lab/etcd-servers.ts';
import type { Host } from '../../test/lab/host.ts';
import { Lab } from '../../test/lab/lab.ts';
import { Arena } from '../arena.ts';
import { interleave } from '../measure/interleave.ts';
import { compare } from '../measure/rounds.ts';
import { dockerSwarm, swarmOverlay } from '../peers/docker-swarm.ts';
import { kernelVxlan } from '../peers/kernel-vxlan.ts';
import { atLeast, atMost, type Figure, type Goal, type Row } from '../row.ts';
import { bulk } from '../tools/iperf3.ts';
import type { Path, Tool } from '../tools/path.ts';
import { roundTrip, sockperfPitch } from '../tools/sockperf.ts';

const underlay = 'bare underlay';

export const overlay: Row = {
  number: 9,
  name: 'overlay, container to container on two hosts: round trip; bulk',
  async run() {
    const machines = ['etcd', 'bare-client', 'bare-server', 'vxlan-a', 'vxlan-b'];
    const hosts = ['h1', 'h2', 'swarm-manager', 'swarm-worker'];
    await using lab = await Lab.create({ hosts, clients: machines, start: false });
    await using arena = new Arena();
    await using etcd = await EtcdServers.start({ count: 1, machine: lab.client('etcd') });
    const server = lab.client('bare-server');
    const swarm = await dockerSwarm(lab.host('swarm-manager'), lab.host('swarm-worker'));
    const paths: Path[] = [
      { name: underlay, client: lab.client('bare-client'), server, address: server.address4 },
      await kernelVxlan(arena, lab.client('vxlan-a'), lab.client('vxlan-b')),
      ...(typeof swarm === 'string' ? [] : [swarm]),
      await ours(lab.host('h1'), lab.host('h2'), etcd.endpoints),
    ];
    const without = typeof swarm === 'string' ? `without ${swarmOverlay}: ${swarm}` : undefined;
    return [
      await measured({ paths, without, what: 'TCP round trip', unit: 'µs', goal: atMost(1.25), tool: roundTrip }),
      await measured({ paths, without, what: 'TCP bulk', unit: 'Gb/s', goal: atLeast(0.9), tool: bulk }),
    ];
  },
};

/** Two hosts of a cluster, and a container on each. */
async function ours(h1: Host, h2: Host, endpoints: readonly string[]): Promise<Path> {
  const store = ['--store', `etcd://${endpoints.join(',')}`, '--store-prefix', '/vetch/bench'];
  await Promise.all([h1.start(...store), h2.start(...store)]);
  await h1.vetch('network', 'create', 'bench', '--driver', 'overlay', '--subnet', '10.100.0.0/24');
  await until(async () => (await h2.vetch<unknown[]>('network', 'ls')).length === 1);
  const [client] = await h1.attach('bench', 'client');
  const [server, { addresses }] = await h2.attach('bench', 'server');
  for (const host of [h1, h2]) await until(async () => (await host.vetch<unknown[]>('endpoint', 'ls')).length === 2);
  return { name: 'Vetch', client, server, address: bare(addresses[0] ?? '') };
}

async function until(there: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    if (await there()) return;
    await setTimeout(100);
  }
  throw new Error('the hosts do not come to know each other');
}

const bare = (address: string) => address.slice(0, address.indexOf('/'));

interface Measured {
  readonly paths: readonly Path[];
  /** Which peer is missing, and why. */
  readonly without: string | undefined;
  readonly what: string;
  readonly unit: string;
  readonly goal: Goal;
  readonly tool: Tool;
}

async function measured({ paths, without, what, unit, goal, tool }: Measured): Promise<Figure> {
  const servers = await Promise.all(paths.map(({ server }) => tool.serve(server)));
  try {
    const subjects = await Promise.all(paths.map((path) => tool.subject(path)));
    const pitch = tool === roundTrip ? { pitch: sockperfPitch } : {};
    const { rounds, dropped } = await interleave(subjects, { control: underlay, ...pitch });
    const vetch = compare(rounds, 'Vetch', underlay);
    const others = paths
      .filter(({ name }) => name !== 'Vetch')
      .map(({ name }) => ({ name, ...compare(rounds, name, underlay) }));
    const absolute = [{ name: 'Vetch', ...vetch }, ...others].map((one) => `${one.name} ${one.absolute}`);
    return {
      name: `overlay, container to container on two hosts, ${what}`,
      unit: `× ${underlay}`,
      vetch: vetch.ratio,
      spread: vetch.spread,
      peers: Object.fromEntries(others.filter(({ name }) => name !== underlay).map(({ name, ratio }) => [name, ratio])),
      goal,
      note: [
        `medians in ${unit}: ${absolute.join(', ')}`,
        `${rounds.length} rounds, ${dropped} dropped`,
        'hosts in namespaces on one machine, joined by a bridge',
        ...(without === undefined ? [] : [without]),
      ].join('; '),
    };
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
}
