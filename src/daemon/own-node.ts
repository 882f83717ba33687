import { version } from '../api/version.ts';
import { formatAddress } from '../model/address.ts';
import type { Node } from '../model/cluster.ts';
import { uplinksOf } from '../reconcile/desired/uplinks.ts';
import type { Context } from './context.ts';

const started = new Date().toISOString();

/** This host, as it is now. */
export function ownNode({ host, options }: Pick<Context, 'host' | 'options'>): Node {
  const { facts } = host;
  const uplinks = new Set(uplinksOf(facts).map(({ ifindex }) => ifindex));
  const usable = facts.addresses.filter(({ ifindex, global }) => global && uplinks.has(ifindex));
  const addresses = [...new Set(usable.map(({ address }) => formatAddress(address)))].sort();
  return { name: options.node, version, addresses, started };
}

/** Tells the other hosts of this one. */
export function publishNode(context: Pick<Context, 'cluster' | 'host' | 'options'>): void {
  context.cluster.publish((writer) => writer.putNode(ownNode(context)));
}
