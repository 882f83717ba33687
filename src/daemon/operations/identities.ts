import type { IdentityView } from '../../api/schemas/status.ts';
import { Identity } from '../../maps/generated/abi.ts';
import type { Context } from '../context.ts';

/** Identities that are nobody's labels. */
const reserved: readonly (readonly [name: string, identity: number])[] = [
  ['host', Identity.HOST],
  ['world', Identity.WORLD],
  ['remote-node', Identity.REMOTE_NODE],
];

export function listIdentities({ state }: Context): IdentityView[] {
  const endpoints = new Map<number, string[]>();
  for (const endpoint of state.index.endpoints.values()) {
    const names = endpoints.get(endpoint.identity) ?? [];
    names.push(endpoint.name);
    endpoints.set(endpoint.identity, names);
  }
  return [
    ...reserved.map(([name, identity]) => ({ identity, name, labels: {}, endpoints: [] })),
    ...state.taken.identities.entries().map(({ identity, labels }) => ({
      ...{ identity, name: null, labels },
      endpoints: (endpoints.get(identity) ?? []).sort(),
    })),
  ];
}
