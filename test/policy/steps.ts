import type { PolicyDocument } from './model/documents.ts';
import type { Endpoint, Labels, Party, Situation } from './model/situation.ts';

/** Labels to set; null removes one. */
export type LabelChange = Readonly<Record<string, string | null>>;

/** What is done at once, before the whole matrix is judged. */
export interface Step {
  /** Creates, or replaces what has the same kind, namespace and name. */
  readonly apply?: readonly PolicyDocument[];
  /** By {@link keyOf}: `x/deny-all` of a NetworkPolicy, `deny-all` of a ClusterNetworkPolicy. */
  readonly delete?: readonly string[];
  /** By the endpoint's name, as `x-a`. */
  readonly labelEndpoints?: Readonly<Record<string, LabelChange>>;
  readonly labelNamespaces?: Readonly<Record<string, LabelChange>>;
}

/** A promise about enforcement, told as what a user does. */
export interface PolicySet {
  readonly name: string;
  readonly steps: readonly Step[];
}

/** Where a set has come to. */
export interface State {
  readonly situation: Situation;
  readonly parties: readonly Party[];
}

export function keyOf(document: PolicyDocument): string {
  return document.kind === 'NetworkPolicy'
    ? `${document.metadata.namespace}/${document.metadata.name}`
    : document.metadata.name;
}

/** What the model has to know after a step. @throws Error when the step names what is not there */
export function after({ situation, parties }: State, step: Step): State {
  const documents = new Map(situation.documents.map((document) => [keyOf(document), document]));
  for (const document of step.apply ?? []) documents.set(keyOf(document), document);
  for (const key of step.delete ?? []) if (!documents.delete(key)) throw new Error(`there is no policy ${key}`);
  const namespaces = { ...situation.namespaces };
  for (const [name, change] of Object.entries(step.labelNamespaces ?? {}))
    namespaces[name] = changed(namespaces[name] ?? {}, change);
  for (const name of Object.keys(step.labelEndpoints ?? {}))
    if (!parties.some((party) => party.name === name)) throw new Error(`there is no endpoint ${name}`);
  return {
    situation: { ...situation, documents: [...documents.values()], namespaces },
    parties: parties.map((party) => {
      const change = step.labelEndpoints?.[party.name];
      return party.party === 'endpoint' && change ? relabelled(party, change) : party;
    }),
  };
}

function relabelled(endpoint: Endpoint, change: LabelChange): Endpoint {
  const labels = changed(endpoint.labels, change);
  return { ...endpoint, labels, namespace: labels['vetch.io/namespace'] ?? endpoint.network };
}

function changed(labels: Labels, change: LabelChange): Labels {
  const result = { ...labels };
  for (const [key, value] of Object.entries(change)) {
    if (value === null) delete result[key];
    else result[key] = value;
  }
  return result;
}
