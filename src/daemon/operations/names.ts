import type { NamedEndpoint, NamedNetwork, NameEvent } from '../../api/schemas/names.ts';
import { withoutLength } from '../../model/address.ts';
import type { Endpoint } from '../../model/endpoint.ts';
import type { Network } from '../../model/network.ts';
import { driverOf } from '../../network/drivers/registry.ts';
import type { Context } from '../context.ts';
import type { IntentIndex } from '../intent-index.ts';

/**
 * The names of the networks that no engine resolves names for: all of them, then what changes, until `signal` is aborted.
 *
 * A slow reader costs no more than the ids of what has changed meanwhile: what is said of them is read when it asks.
 */
export async function* followNames({ state }: Pick<Context, 'state'>, signal: AbortSignal): AsyncGenerator<NameEvent> {
  const { index } = state;
  const changed = new Set<string>();
  let wake = () => {};
  const forget = index.onChange((id) => {
    changed.add(id);
    wake();
  });
  signal.addEventListener('abort', () => wake(), { once: true });
  try {
    for (const network of [...index.networks.values()].filter(isServed)) yield networkEvent(network);
    for (const { id } of [...index.endpoints.values()]) {
      const event = eventOf(index, id);
      if (event?.event === 'endpoint') yield event;
    }
    yield { event: 'synced' };
    while (!signal.aborted) {
      for (const id of changed) {
        changed.delete(id);
        const event = eventOf(index, id);
        if (event) yield event;
      }
      if (changed.size === 0 && !signal.aborted) await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    forget();
  }
}

/** What is to be said of an id now; undefined: nothing, an engine answers for it. */
function eventOf(index: IntentIndex, id: string): NameEvent | undefined {
  const network = index.networks.get(id);
  if (network) return isServed(network) ? networkEvent(network) : undefined;
  const endpoint = index.endpoints.get(id);
  if (!endpoint) return { event: 'removed', id };
  const own = index.networks.get(endpoint.network);
  return own && isServed(own) ? endpointEvent(endpoint) : undefined;
}

/** Docker has a resolver in each of its containers. */
function isServed(network: Network): boolean {
  return network.owner === 'vetch';
}

function networkEvent(network: Network): NamedNetwork {
  const { id, name, internal, subnets } = network;
  const gateways = driverOf(network).planNetwork(network).hostAddresses.map(withoutLength);
  return { event: 'network', id, name, internal, subnets: subnets.map(({ cidr }) => cidr), gateways };
}

function endpointEvent({ id, network, name, addresses, netns }: Endpoint): NamedEndpoint {
  return { event: 'endpoint', id, network, name, addresses: addresses.map(withoutLength), sandbox: netns };
}
