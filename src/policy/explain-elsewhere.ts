import type { Labels, PolicyDocument } from '../model/policy.ts';
import { PolicyCompiler } from './compiler.ts';
import { IDENTITY_WORLD } from './decision.ts';
import { type Explanation, explain } from './explain.ts';
import type { PolicyEndpoint } from './identity/policy-endpoint.ts';
import { identityOfAddress, type Traffic } from './lookup.ts';

/** What all hosts of a cluster have in common. */
export interface SharedPolicy {
  /** By `policyKey`. */
  readonly documents: ReadonlyMap<string, PolicyDocument>;
  readonly namespaces: ReadonlyMap<string, Labels>;
}

/** Who talks: an endpoint, wherever it is, an address, or anybody else. */
export type ElsewhereParty = Omit<PolicyEndpoint, 'number' | 'remote'> | { readonly address: string } | 'world';

const numbers = { from: 1, to: 2 } as const;

/**
 * What the host of an endpoint decides about it, which another host does not know: by the documents that they have in
 * common, compiled for the two that talk alone.
 *
 * @param node the host's name
 */
export function explainElsewhere(
  { documents, namespaces }: SharedPolicy,
  node: string,
  query: {
    readonly from: ElsewhereParty;
    readonly to: ElsewhereParty;
    readonly traffic: Traffic;
    readonly family: 4 | 6;
  },
): Explanation {
  const compiler = new PolicyCompiler({ node });
  const sides = ['from', 'to'] as const;
  const endpoints = sides.flatMap((side) => {
    const party = query[side];
    if (party === 'world' || !('labels' in party)) return [];
    return [[numbers[side], { ...party, number: numbers[side] }] as const];
  });
  compiler.update({ documents, namespaces, endpoints: new Map(endpoints) });
  const { tables } = compiler;
  const known = (side: (typeof sides)[number]) => {
    const party = query[side];
    if (party === 'world') return { identity: IDENTITY_WORLD };
    if ('address' in party) return { identity: identityOfAddress(tables, party.address, IDENTITY_WORLD) };
    const standing = tables.standings.get(numbers[side])?.[query.family === 4 ? 'v4' : 'v6'];
    return { identity: standing?.identity ?? 0, standing };
  };
  return explain(tables, (number) => compiler.documentNumbered(number), {
    ...{ from: known('from'), to: known('to'), traffic: query.traffic },
  });
}
