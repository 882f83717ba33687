import type { Endpoint } from '../model/endpoint.ts';
import type { Intent } from '../model/intent.ts';
import type { Network } from '../model/network.ts';
import type { Labels, PolicyDocument } from '../model/policy.ts';
import type { PolicyUpdate } from './compiler.ts';
import type { PolicyEndpoint } from './identity/policy-endpoint.ts';

/** What of an intent policy depends on. */
export type PolicyIntent = Pick<Intent, 'networks' | 'endpoints' | 'policies' | 'namespaces'>;

/** An endpoint as it was, and its network, whose name and driver are labels. */
interface Seen {
  readonly endpoint: Endpoint;
  readonly network: Network | undefined;
}

/** Tells what of the intent has changed since the last time. What is the same object has not changed. */
export class IntentFollower {
  #policies: ReadonlyMap<string, PolicyDocument> = new Map();
  #namespaces: ReadonlyMap<string, Labels> = new Map();
  #endpoints: ReadonlyMap<number, Seen> = new Map();

  /** The change that leads to this intent; it counts as made once {@link IntentFollower.follow} is called with the same. */
  changes(intent: PolicyIntent): PolicyUpdate {
    const endpoints = seenIn(intent);
    const changed = new Map<number, PolicyEndpoint | undefined>();
    for (const [number, { endpoint, network }] of endpoints) {
      const before = this.#endpoints.get(number);
      if (before?.endpoint !== endpoint || before.network !== network)
        changed.set(number, asPolicyEndpoint(endpoint, network));
    }
    for (const number of this.#endpoints.keys()) if (!endpoints.has(number)) changed.set(number, undefined);
    return {
      documents: difference(this.#policies, intent.policies),
      namespaces: difference(this.#namespaces, intent.namespaces),
      endpoints: changed,
    };
  }

  /** The changes have been made. */
  follow(intent: PolicyIntent): void {
    this.#policies = new Map(intent.policies);
    this.#namespaces = new Map(intent.namespaces);
    this.#endpoints = seenIn(intent);
  }
}

/** Who an endpoint is to policy. */
export function asPolicyEndpoint(endpoint: Endpoint, network: Network | undefined): PolicyEndpoint {
  const { number, name, labels, addresses } = endpoint;
  return { number, name, network: network?.name ?? endpoint.network, driver: network?.driver ?? '', labels, addresses };
}

function seenIn({ endpoints, networks }: PolicyIntent): Map<number, Seen> {
  const seen = Array.from(endpoints.values(), (endpoint): [number, Seen] => [
    endpoint.number,
    { endpoint, network: networks.get(endpoint.network) },
  ]);
  return new Map(seen);
}

function difference<Value>(
  before: ReadonlyMap<string, Value>,
  after: ReadonlyMap<string, Value>,
): ReadonlyMap<string, Value | undefined> {
  const changed = new Map<string, Value | undefined>();
  for (const [key, value] of after) if (before.get(key) !== value) changed.set(key, value);
  for (const key of before.keys()) if (!after.has(key)) changed.set(key, undefined);
  return changed;
}
