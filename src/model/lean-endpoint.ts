import type { Endpoint } from './endpoint.ts';

const none: Readonly<Record<string, string>> = Object.freeze({});
const noPorts: Endpoint['ports'] = Object.freeze([]);

/**
 * The same endpoint in half of the memory, of which a host may have ten thousand: all of its fields in one block, and what
 * is empty shared with the others.
 *
 * @param network the id of its network, where that text is already in memory
 */
export function leanEndpoint(endpoint: Endpoint, network = endpoint.network): Endpoint {
  const { cgroup, labels, options, ports } = endpoint;
  const lean: Endpoint = {
    id: endpoint.id,
    number: endpoint.number,
    name: endpoint.name,
    network,
    owner: endpoint.owner,
    ifname: endpoint.ifname,
    hostIfname: endpoint.hostIfname,
    mac: endpoint.mac,
    addresses: endpoint.addresses,
    netns: endpoint.netns,
    labels: isEmpty(labels) ? none : labels,
    options: isEmpty(options) ? none : options,
    ports: ports.length === 0 ? noPorts : ports,
    created: endpoint.created,
  };
  return cgroup === undefined ? lean : { ...lean, cgroup };
}

function isEmpty(texts: Readonly<Record<string, string>>): boolean {
  for (const _ in texts) return false;
  return true;
}
