import { withoutLength } from '../../src/model/address.ts';
import type { ClusterEndpoint, HeldAddress, Node } from '../../src/model/cluster.ts';
import type { Network } from '../../src/model/network.ts';
import { digestOf, type Line } from './digest.ts';
import { prefix } from './simulated-host.ts';
import type { Simulation } from './simulation.ts';

export interface Agreement {
  /** What every host's maps should say, made of etcd's records alone. */
  readonly wanted: string;
  /** What they say, each different answer once. */
  readonly seen: readonly string[];
  /** What is wrong with etcd's records: an address that two endpoints have, or that is not held for its endpoint. */
  readonly faults: readonly string[];
}

/** Compares what all hosts' maps say with what etcd holds. */
export async function agreementOf(simulation: Simulation): Promise<Agreement> {
  const networks = new Map((await records<Network>(simulation, 'networks')).map((one) => [one.id, one]));
  const nodes = new Map((await records<Node>(simulation, 'nodes')).map((one) => [one.name, one]));
  const endpoints = await records<ClusterEndpoint>(simulation, 'endpoints');
  const held = new Map<string, HeldAddress>();
  for (const one of await records<HeldAddress>(simulation, 'addresses')) held.set(`${one.network} ${one.address}`, one);
  const faults: string[] = [];
  const seen = new Map<string, string>();
  const lines = endpoints.map(({ id, network, addresses, mac, labels, node }): Line => {
    const { number = 0, name = '' } = networks.get(network) ?? {};
    const address = withoutLength(addresses[0] ?? '');
    const place = `${network} ${address}`;
    const holder = held.get(place);
    if (seen.has(place)) faults.push(`${address} of ${name} is given to ${seen.get(place)} and ${id}`);
    if (holder?.node !== node || holder.endpoint !== id) faults.push(`${address} of ${name} is not held for ${id}`);
    seen.set(place, id);
    // Documents ask for these, in the network's namespace.
    const party = JSON.stringify([name, labels.app, labels.tier]);
    return { key: `${number} ${address}`, mac, tunnel: nodes.get(node)?.tunnel ?? 'nowhere', party };
  });
  const digests = await simulation.all((process) => process.ask('digests'));
  return { wanted: digestOf(lines), seen: [...new Set(digests.flat())], faults };
}

/** Read with etcd's own tool. */
async function records<Record>(simulation: Simulation, kind: string): Promise<Record[]> {
  const text = await simulation.etcdctl('get', '--prefix', '--print-value-only', `${prefix}/${kind}/`);
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record);
}
