import { VetchError } from '../api/error.ts';
import type { PolicyDocument } from '../model/policy.ts';
import { qualified } from './documents/api-versions.ts';

/** What people call the kinds, in lower case. */
const kinds: Readonly<Record<string, PolicyDocument['kind']>> = {
  networkpolicy: 'NetworkPolicy',
  networkpolicies: 'NetworkPolicy',
  netpol: 'NetworkPolicy',
  clusternetworkpolicy: 'ClusterNetworkPolicy',
  clusternetworkpolicies: 'ClusterNetworkPolicy',
  cnp: 'ClusterNetworkPolicy',
};

/**
 * The one document that `[KIND/]NAME` means, of a namespace where one is given.
 *
 * @throws VetchError NOT_FOUND; INVALID: an unknown kind, or several are meant, with what tells them apart
 */
export function findDocument(
  documents: Iterable<PolicyDocument>,
  ref: string,
  namespace: string | undefined,
): PolicyDocument {
  const slash = ref.indexOf('/');
  const name = ref.slice(slash + 1);
  const kind = slash === -1 ? undefined : kindNamed(ref.slice(0, slash));
  const found = [...documents].filter(
    (document) =>
      document.name === name &&
      (kind === undefined || document.kind === kind) &&
      (namespace === undefined || document.namespace === namespace),
  );
  const [document] = found;
  if (document === undefined) {
    const where = namespace === undefined ? '' : ` in namespace ${namespace}`;
    throw new VetchError(
      'NOT_FOUND',
      `there is no policy '${ref}'${where}`,
      'vetch policy ls lists those that there are',
    );
  }
  if (found.length > 1) {
    const candidates = found.map((one) => `${one.kind} ${qualified(one)}`).sort();
    throw new VetchError(
      'INVALID',
      `policy '${ref}' means ${candidates.join(', ')}`,
      'give -n NAMESPACE, or KIND/NAME',
    );
  }
  return document;
}

function kindNamed(text: string): PolicyDocument['kind'] {
  const kind = kinds[text.toLowerCase()];
  if (kind !== undefined) return kind;
  throw new VetchError(
    'INVALID',
    `'${text}' is no kind of policy`,
    'use NetworkPolicy or ClusterNetworkPolicy before the slash',
  );
}
