import type { Endpoint } from '../model/endpoint.ts';
import type { Network } from '../model/network.ts';
import { spansHosts } from './drivers/spans-hosts.ts';

/** Whether every host of the cluster leads to an endpoint by its published ports, as its options or its network's say. */
export function publishesOnAllHosts({ options }: Pick<Endpoint, 'options'>, network: Network): boolean {
  return spansHosts(network) && (options['vetch.publish'] ?? network.options['vetch.publish']) === 'cluster';
}

/** Whether its own host then answers who asks another one. */
export function returnsDirectly({ options }: Pick<Endpoint, 'options'>, network: Network): boolean {
  const chosen = options['vetch.publish.return'] ?? network.options['vetch.publish.return'];
  return publishesOnAllHosts({ options }, network) && chosen === 'direct';
}
