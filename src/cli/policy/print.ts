import type { DecidedBy } from '../../api/schemas/flow.ts';
import type { PolicyView } from '../../api/schemas/policy.ts';
import { type Column, printTable } from '../table.ts';

const columns: readonly Column<PolicyView>[] = [
  { title: 'NAMESPACE', cell: (policy) => policy.namespace ?? '' },
  { title: 'NAME', cell: (policy) => policy.name },
  { title: 'KIND', cell: (policy) => policy.kind },
  { title: 'RULES', right: true, cell: (policy) => policy.rules },
  { title: 'AUDIT', cell: (policy) => (policy.audit ? 'yes' : '') },
  { title: 'SELECTS', cell: (policy) => policy.selects },
];

export function printPolicies(policies: readonly PolicyView[]): Promise<void> {
  return printTable(columns, policies);
}

/** `NetworkPolicy shop/web, rule 0`. */
export function deciderText(decider: DecidedBy | null): string {
  if (decider === null) return 'no document';
  const { kind, namespace, name, rule } = decider;
  const document = `${kind} ${namespace === null ? name : `${namespace}/${name}`}`;
  return rule === null ? `${document}, which isolates` : `${document}, rule ${rule}`;
}
