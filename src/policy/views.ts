import type { PolicyDocumentView, PolicyView } from '../api/schemas/policy.ts';
import { isUnderAudit, type PolicyDocument } from '../model/policy.ts';
import { apiVersions } from './documents/api-versions.ts';

/** A document as lists show it. `selects`: names of the endpoints that it selects. */
export function policyView(document: PolicyDocument, selects: readonly string[]): PolicyView {
  const { name, kind, namespace, spec } = document;
  const rules = (spec.ingress?.length ?? 0) + (spec.egress?.length ?? 0);
  return { name, kind, namespace: namespace || null, selects, rules, audit: isUnderAudit(document) };
}

/** A document as it was applied. */
export function documentView({ kind, namespace, name, labels, annotations, spec }: PolicyDocument): PolicyDocumentView {
  const given = (map: Readonly<Record<string, string>>) => (Object.keys(map).length > 0 ? map : undefined);
  return {
    apiVersion: apiVersions[kind],
    kind,
    metadata: { name, namespace: namespace || undefined, labels: given(labels), annotations: given(annotations) },
    spec: Object.fromEntries(Object.entries(spec).filter(([, value]) => value !== undefined)),
  };
}
