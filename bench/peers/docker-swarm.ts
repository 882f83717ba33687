import { Engine } from '../../test/lab/engine.ts';
import type { Host } from '../../test/lab/host.ts';
import { Machine } from '../../test/lab/machine.ts';
import type { Path } from '../tools/path.ts';

export const swarmOverlay = "Docker's swarm overlay";

const [network, subnet] = ['bench', '10.110.0.0/24'];

/** Two real engines in a swarm, and its own overlay between a container on each. The reason, where this machine cannot have it. */
export async function dockerSwarm(manager: Host, worker: Host): Promise<Path | string> {
  try {
    const [first, second] = await Promise.all([manager, worker].map((host) => Engine.start(host, { vetch: false })));
    if (!first || !second) throw new Error('there are two engines');
    await first.docker('swarm', 'init', '--advertise-addr', manager.address4);
    const token = await first.docker('swarm', 'join-token', '--quiet', 'worker');
    await second.docker('swarm', 'join', '--advertise-addr', worker.address4, '--token', token, manager.address4);
    await first.docker('network', 'create', '--driver', 'overlay', '--attachable', '--subnet', subnet, network);
    const client = await container(first, 'swarm-client');
    const server = await container(second, 'swarm-server');
    return { name: swarmOverlay, client, server, address: await second.container('swarm-server').address(network) };
  } catch (error) {
    return (error instanceof Error ? error.message : String(error)).split('\n').slice(-2).join(' ').trim();
  }
}

/** As other paths' programs its own run in its network namespace alone, and are held up by nothing else of the engine's. */
async function container(engine: Engine, name: string): Promise<Machine> {
  await engine.docker(...engine.runArguments(name, ['--network', network]), 'links', 'sleep', 'infinity');
  const pid = await engine.docker('inspect', '--format', '{{ .State.Pid }}', name);
  return new Machine(name, { ...engine.host.place, netns: `/proc/${pid}/ns/net` });
}
