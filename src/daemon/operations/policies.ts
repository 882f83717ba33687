import type { ApplyPoliciesRequest, PolicyDocumentView, PolicyView } from '../../api/schemas/policy.ts';
import { type PolicyDocument, policyKey } from '../../model/policy.ts';
import type { PolicyUpdate } from '../../policy/compiler.ts';
import { findDocument } from '../../policy/find-document.ts';
import { freeNumber } from '../../policy/free-number.ts';
import { documentView, policyView } from '../../policy/views.ts';
import { changeCluster } from '../change-cluster.ts';
import type { PolicyContext } from '../context.ts';

/** @throws VetchError INVALID, UNSUPPORTED: with file, line and path; MAP_FULL with the numbers. Nothing is changed */
export async function applyPolicies(
  context: PolicyContext,
  { text, file }: ApplyPoliciesRequest,
): Promise<PolicyView[]> {
  // Most daemons run for long before somebody gives them YAML to read.
  const { parsePolicies } = await import('../../policy/documents/parse.ts');
  const sources = parsePolicies(text, file);
  return changeCluster(context, async () => {
    const { policies } = context.state.index;
    let last = context.state.index.lastPolicyNumber;
    let taken: Set<number> | undefined;
    const documents = sources.map((source): PolicyDocument => {
      const known = policies.get(policyKey(source))?.number;
      if (known !== undefined) return { ...source, number: known };
      taken ??= new Set(Array.from(policies.values(), ({ number }) => number));
      last = freeNumber(taken, last);
      taken.add(last);
      return { ...source, number: last };
    });
    const keyed = new Map(documents.map((document) => [policyKey(document), document]));
    await enforce(context, { documents: keyed }, (writer) => {
      for (const document of documents) writer.putPolicy(document);
    });
    for (const document of documents) context.state.index.putPolicy(document);
    return documents.map((document) => view(context, document));
  });
}

export function listPolicies(context: PolicyContext): PolicyView[] {
  return [...context.state.index.policies]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, document]) => view(context, document));
}

/** @throws VetchError NOT_FOUND, INVALID */
export function getPolicy({ state }: PolicyContext, ref: string, namespace: string | undefined): PolicyDocumentView {
  return documentView(findDocument(state.index.policies.values(), ref, namespace));
}

/** What only it denied may pass from now on. @throws VetchError NOT_FOUND, INVALID */
export function deletePolicy(context: PolicyContext, ref: string, namespace: string | undefined): Promise<void> {
  return changeCluster(context, async () => {
    const { index } = context.state;
    const key = policyKey(findDocument(index.policies.values(), ref, namespace));
    await enforce(context, { documents: new Map([[key, undefined]]) }, (writer) => writer.deletePolicy(key));
    index.deletePolicy(key);
  });
}

/**
 * Stored once it is certain that it can be in force, and in force once it is stored: what cannot be stored is not in force
 * at any moment. The caller holds the lock, and changes the index.
 */
export async function enforce(
  { cluster, policy, log }: PolicyContext,
  update: Pick<PolicyUpdate, 'documents' | 'namespaces'>,
  write: Parameters<PolicyContext['cluster']['transaction']>[0],
): Promise<void> {
  await policy.change(update, () => cluster.transaction(write));
  const { documents = new Map(), namespaces = new Map() } = update;
  log.info({ documents: [...documents.keys()], namespaces: [...namespaces.keys()] }, 'policy changed');
}

function view({ policy, state }: PolicyContext, document: PolicyDocument): PolicyView {
  const numbers = new Set(policy.selected(policyKey(document)));
  const selected = [...state.index.endpoints.values()].filter(({ number }) => numbers.has(number));
  return policyView(document, selected.map(({ name }) => name).sort());
}
