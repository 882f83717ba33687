import { version } from '../api/version.ts';
import type { ClusterEndpoint, Node } from '../model/cluster.ts';
import type { Endpoint } from '../model/endpoint.ts';
import { spansHosts } from '../network/drivers/spans-hosts.ts';
import { toldAddresses } from '../reconcile/desired/tunnel.ts';
import type { PresenceWriter } from '../store/cluster-contract.ts';
import type { Context } from './context.ts';

const started = new Date().toISOString();

/** This host, as it is now. */
export function ownNode({ host, options }: Pick<Context, 'host' | 'options'>): Node {
  const { tunnel } = host;
  return {
    ...{ name: options.node, version, addresses: toldAddresses(host.facts) },
    ...(tunnel === undefined ? {} : { tunnel }),
    ...keysOf(host),
    started,
  };
}

function keysOf({ encryption }: Context['host']): Pick<Node, 'wireguard' | 'movedTo'> {
  const wireguard = encryption.published().map(({ publicKey, port }) => ({ publicKey, port }));
  const { movedTo } = encryption;
  return { ...(wireguard.length > 0 ? { wireguard } : {}), ...(movedTo.length > 0 ? { movedTo } : {}) };
}

/** Tells the other hosts of this one and of its endpoints, and from now on of what becomes of these. */
export function publishAll(context: Pick<Context, 'cluster' | 'host' | 'options' | 'state' | 'addresses'>): void {
  const { addresses, cluster, state } = context;
  const isShared = (endpoint: Endpoint) => spansHosts(state.networkOf(endpoint));
  const published = new Set<string>();
  const put = (writer: PresenceWriter, endpoint: Endpoint) => {
    published.add(endpoint.id);
    writer.putEndpoint(told(endpoint));
  };
  cluster.publish((writer) => {
    writer.putNode(ownNode(context));
    for (const endpoint of state.index.endpoints.values()) if (isShared(endpoint)) put(writer, endpoint);
  });
  state.onEndpoint((id, endpoint) => {
    if (endpoint ? !isShared(endpoint) : !published.delete(id)) return;
    cluster.publish((writer) => (endpoint ? put(writer, endpoint) : writer.deleteEndpoint(id)));
    addresses.wake();
  });
}

/** What others have to know of an endpoint. */
function told({ id, name, network, owner, mac, addresses, labels, ports }: Endpoint): Omit<ClusterEndpoint, 'node'> {
  return { id, name, network, owner, mac, addresses, labels, ports };
}

/** Tells the other hosts of this one. */
export function publishNode(context: Pick<Context, 'cluster' | 'host' | 'options'>): void {
  context.cluster.publish((writer) => writer.putNode(ownNode(context)));
}
