import type { IdentityView } from '../../api/schemas/status.ts';
import { namespaceNameLabel } from '../../policy/identity/policy-endpoint.ts';
import type { Context } from '../context.ts';

/** In the order of their numbers; an endpoint is with each identity that one of its addresses has. */
export function listIdentities({ host, state }: Context): IdentityView[] {
  const endpoints = new Map<number, Set<string>>();
  const { policy } = host;
  const remotes = Array.from(state.index.remotes, ([key, { name }]) => ({ name, number: policy.remoteNumber(key) }));
  for (const { name, number = 0 } of [...state.index.endpoints.values(), ...remotes]) {
    const standings = policy.standings(number);
    for (const identity of new Set([standings?.v4.identity ?? 0, standings?.v6.identity ?? 0])) {
      const names = endpoints.get(identity) ?? new Set();
      endpoints.set(identity, names.add(name));
    }
  }
  return [...policy.identities()]
    .sort((a, b) => a.number - b.number)
    .map(({ number, party, namespace, labels, block }) => ({
      identity: number,
      name: party === 'endpoint' ? null : (block ?? party),
      labels: party === 'endpoint' ? { ...labels, [namespaceNameLabel]: namespace } : {},
      endpoints: [...(endpoints.get(number) ?? [])].sort(),
    }));
}
