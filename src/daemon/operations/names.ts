import type { NamedEndpoint, NamedNetwork, NameEvent } from '../../api/schemas/names.ts';
import { withoutLength } from '../../model/address.ts';
import type { ClusterEndpoint } from '../../model/cluster.ts';
import type { Endpoint } from '../../model/endpoint.ts';
import type { Network } from '../../model/network.ts';
import type { Service } from '../../model/service.ts';
import { driverOf } from '../../network/drivers/registry.ts';
import type { Context } from '../context.ts';
import type { PolicyEngine } from '../policy-engine.ts';

interface NamesContext extends Pick<Context, 'state'> {
  readonly policy: Pick<PolicyEngine, 'domainsOf' | 'onStandings'>;
}

/**
 * The names of the networks that no engine resolves names for, and who may reach domain names: all of them, then what
 * changes, until `signal` is aborted.
 *
 * A slow reader costs no more than the ids of what has changed meanwhile: what is said of them is read when it asks.
 */
export async function* followNames(context: NamesContext, signal: AbortSignal): AsyncGenerator<NameEvent> {
  const { policy, state } = context;
  const { index } = state;
  const changed = new Set<string>();
  let wake = () => {};
  const forgetIntent = index.onChange((id) => {
    changed.add(id);
    wake();
  });
  const forgetPolicy = policy.onStandings((numbers) => {
    for (const number of numbers) {
      const endpoint = index.endpointNumbered(number);
      // With the first that may reach domain names a network's gateway begins to answer.
      if (endpoint) changed.add(endpoint.network).add(endpoint.id);
    }
    wake();
  });
  signal.addEventListener('abort', () => wake(), { once: true });
  /** What was told, by id: the network that it depends on. */
  const told = new Map<string, string>();
  const tell = function* (id: string): Generator<NameEvent> {
    const event = eventOf(context, id);
    const network = told.get(id);
    if (event) {
      // Policy may have spoken of an endpoint before it was put there.
      if (event.event === 'endpoint' && !told.has(event.network)) yield* tell(event.network);
      told.set(id, 'network' in event ? event.network : '');
      yield event;
    } else if (network !== undefined) {
      // Of what was never told there is nothing to take back.
      told.delete(id);
      yield { event: 'removed', id };
      // With the last that may reach domain names a network's gateway ceases to answer.
      if (told.has(network)) changed.add(network);
    }
  };
  try {
    for (const id of [...index.networks.keys()]) yield* tell(id);
    for (const id of [...index.endpoints.keys(), ...index.services.keys(), ...index.remotes.keys()]) yield* tell(id);
    yield { event: 'synced' };
    while (!signal.aborted) {
      for (const id of changed) {
        changed.delete(id);
        yield* tell(id);
      }
      if (changed.size === 0 && !signal.aborted) await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    forgetIntent();
    forgetPolicy();
  }
}

/** What is to be said of an id now; undefined: nothing, it is gone or an engine answers for it. */
function eventOf(context: NamesContext, id: string): NameEvent | undefined {
  const { index } = context.state;
  const network = index.networks.get(id);
  if (network) return isServed(context, network) ? networkEvent(network) : undefined;
  const service = index.services.get(id);
  if (service) return hasNames(index.networks.get(service.network)) ? serviceEvent(service) : undefined;
  const remote = index.remotes.get(id);
  if (remote) return hasNames(index.networks.get(remote.network)) ? remoteEvent(id, remote) : undefined;
  const endpoint = index.endpoints.get(id);
  const own = endpoint && index.networks.get(endpoint.network);
  if (!endpoint || !own) return undefined;
  const domains = context.policy.domainsOf(endpoint.number);
  return hasNames(own) || domains.length > 0 ? endpointEvent(endpoint, domains) : undefined;
}

/** Docker has a resolver in each of its containers. */
function hasNames(network: Network | undefined): boolean {
  return network?.owner === 'vetch';
}

/** Whether questions are answered at a network's gateways: also those of whoever may reach domain names. */
export function isServed({ policy, state }: NamesContext, network: Network): boolean {
  if (hasNames(network)) return true;
  for (const { number } of state.index.endpointsOf(network.id).values()) {
    if (policy.domainsOf(number).length > 0) return true;
  }
  return false;
}

function networkEvent(network: Network): NamedNetwork {
  const { id, name, internal, subnets } = network;
  const gateways = driverOf(network).planNetwork(network).hostAddresses.map(withoutLength);
  const cidrs = subnets.map(({ cidr }) => cidr);
  return { event: 'network', id, name, internal, subnets: cidrs, gateways, names: hasNames(network) };
}

function endpointEvent({ id, network, name, addresses, netns }: Endpoint, domains: readonly string[]): NamedEndpoint {
  return {
    ...{ event: 'endpoint', id, network, name, addresses: addresses.map(withoutLength), sandbox: netns },
    domains: [...domains],
  };
}

/** Who asks is a container of this host, so that of another host's only the name matters. @param key `NODE/ID` */
function remoteEvent(key: string, { network, name, addresses }: ClusterEndpoint): NamedEndpoint {
  const bare = addresses.map(withoutLength);
  return { event: 'endpoint', id: key, network, name, addresses: bare, sandbox: '', domains: [] };
}

/** A service is asked for like an endpoint of no container. */
function serviceEvent({ id, network, name, vip }: Service): NamedEndpoint {
  return { event: 'endpoint', id, network, name, addresses: [vip], sandbox: '', domains: [] };
}
