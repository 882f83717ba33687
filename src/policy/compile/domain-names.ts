import { VetchError } from '../../api/error.ts';
import type { PolicySource } from '../../model/policy.ts';

/**
 * Domain names as peers are not enforced yet: nothing learns their addresses.
 *
 * @throws VetchError UNSUPPORTED with the field's path
 */
export function refuseDomainNames(document: PolicySource): void {
  if (document.kind !== 'ClusterNetworkPolicy') return;
  const { name, spec } = document;
  for (const [rule, { to }] of (spec.egress ?? []).entries()) {
    for (const [i, { domainNames }] of to.entries()) {
      if (domainNames === undefined) continue;
      throw new VetchError(
        'UNSUPPORTED',
        `ClusterNetworkPolicy ${name}: spec.egress[${rule}].to[${i}].domainNames: domain names are not enforced yet`,
        'name their addresses as networks',
      );
    }
  }
}
