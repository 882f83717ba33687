import type {
  ClusterNetworkPolicy,
  ClusterPeer,
  ClusterPort,
  ClusterProtocol,
  ClusterRule,
  LabelSelector,
  NetworkPolicy,
  NetworkPolicyPeer,
  NetworkPolicyPort,
  PolicyDocument,
  Requirement,
} from '../model/documents.ts';
import type { PolicySet, Step } from '../steps.ts';

/** Everything, as a selector. */
export const all: LabelSelector = {};

/** `pod('a')`: who has this pod label; `pod('a', 'b')`: one of these. */
export function pod(...names: readonly [string, ...string[]]): LabelSelector {
  const [name] = names;
  return names.length === 1
    ? { matchLabels: { pod: name } }
    : { matchExpressions: [{ key: 'pod', operator: 'In', values: names }] };
}

/** The namespace that is called so. */
export function ns(name: string): LabelSelector {
  return { matchLabels: { 'kubernetes.io/metadata.name': name } };
}

export function where(key: string, operator: Requirement['operator'], ...values: string[]): LabelSelector {
  const isAboutValues = operator === 'In' || operator === 'NotIn';
  return { matchExpressions: [isAboutValues ? { key, operator, values } : { key, operator }] };
}

export function np(namespace: string, name: string, spec: NetworkPolicy['spec']): NetworkPolicy {
  return { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name, namespace }, spec };
}

/** Everybody in a namespace receives nothing. */
export function denyIngress(namespace: string, podSelector: LabelSelector = all): NetworkPolicy {
  return np(namespace, 'deny-ingress', { podSelector, policyTypes: ['Ingress'] });
}

/** Everybody in a namespace sends nothing. */
export function denyEgress(namespace: string, podSelector: LabelSelector = all): NetworkPolicy {
  return np(namespace, 'deny-egress', { podSelector, policyTypes: ['Egress'] });
}

export type Way = 'ingress' | 'egress';
export const ways: readonly Way[] = ['ingress', 'egress'];

/** One rule in either direction, about the same peers and ports. */
export interface Rule {
  readonly peers?: readonly NetworkPolicyPeer[];
  readonly ports?: readonly NetworkPolicyPort[];
}

/** A policy in one direction. */
export function only(
  way: Way,
  namespace: string,
  name: string,
  podSelector: LabelSelector,
  ...rules: readonly Rule[]
): NetworkPolicy {
  if (way === 'ingress') {
    const ingress = rules.map(({ peers, ...rest }) => (peers ? { from: peers, ...rest } : rest));
    return np(namespace, name, { podSelector, policyTypes: ['Ingress'], ingress });
  }
  const egress = rules.map(({ peers, ...rest }) => (peers ? { to: peers, ...rest } : rest));
  return np(namespace, name, { podSelector, policyTypes: ['Egress'], egress });
}

export interface ClusterSpec {
  readonly subject?: ClusterNetworkPolicy['spec']['subject'];
  readonly ingress?: NonNullable<ClusterNetworkPolicy['spec']['ingress']>;
  readonly egress?: NonNullable<ClusterNetworkPolicy['spec']['egress']>;
}

/** Its subject is everybody unless it is given. */
export function cnp(
  tier: 'Admin' | 'Baseline',
  priority: number,
  name: string,
  { subject = { namespaces: all }, ...rules }: ClusterSpec,
): ClusterNetworkPolicy {
  return {
    apiVersion: 'policy.networking.k8s.io/v1alpha2',
    kind: 'ClusterNetworkPolicy',
    metadata: { name },
    spec: { tier, priority, subject, ...rules },
  };
}

export function from(action: ClusterRule['action'], peers: readonly ClusterPeer[], ...protocols: ClusterProtocol[]) {
  return { action, from: peers, ...(protocols.length > 0 ? { protocols } : {}) };
}

export function to(action: ClusterRule['action'], peers: readonly ClusterPeer[], ...protocols: ClusterProtocol[]) {
  return { action, to: peers, ...(protocols.length > 0 ? { protocols } : {}) };
}

/** `tcp(80)`, `tcp(80, 81)` as a range. */
export const tcp = (start: number, end?: number): ClusterProtocol => ({ tcp: { destinationPort: port(start, end) } });
export const udp = (start: number, end?: number): ClusterProtocol => ({ udp: { destinationPort: port(start, end) } });
export const sctp = (start: number, end?: number): ClusterProtocol => ({ sctp: { destinationPort: port(start, end) } });

function port(start: number, end: number | undefined): ClusterPort {
  return end === undefined ? { number: start } : { range: { start, end } };
}

/** Peers: a namespace by name, pods of one, pods of any. */
export const inNs = (name: string): ClusterPeer => ({ namespaces: ns(name) });
export const podsIn = (name: string, podSelector: LabelSelector): ClusterPeer => ({
  pods: { namespaceSelector: ns(name), podSelector },
});
export const everybody: ClusterPeer = { namespaces: all };

/** The whole world, of both families. */
export const anywhere: readonly NetworkPolicyPeer[] = [
  { ipBlock: { cidr: '0.0.0.0/0' } },
  { ipBlock: { cidr: '::/0' } },
];

export function set(name: string, ...steps: readonly Step[]): PolicySet {
  return { name, steps };
}

/** A set of one step. */
export function once(name: string, ...apply: readonly PolicyDocument[]): PolicySet {
  return { name, steps: [{ apply }] };
}

/** The same document, under audit. */
export function audited<Document extends PolicyDocument>(document: Document): Document {
  return { ...document, metadata: { ...document.metadata, annotations: { 'vetch.io/enforcement': 'audit' } } };
}
