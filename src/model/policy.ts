import type { Protocol } from './endpoint.ts';

export type Labels = Readonly<Record<string, string>>;

/** Kubernetes' LabelSelector; all that it names must hold. Empty: it selects everything. */
export interface LabelSelector {
  readonly matchLabels?: Labels | undefined;
  readonly matchExpressions?: readonly LabelRequirement[] | undefined;
}

export interface LabelRequirement {
  readonly key: string;
  /** `NotIn` and `DoesNotExist` also hold where the label is missing. */
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  /** For `In` and `NotIn`, at least one. */
  readonly values?: readonly string[] | undefined;
}

export type Direction = 'Ingress' | 'Egress';

/** The spec of a `networking.k8s.io/v1` NetworkPolicy, as written. */
export interface NetworkPolicySpec {
  /** Default: every endpoint of the document's namespace. */
  readonly podSelector?: LabelSelector | undefined;
  /** Default: Ingress, and Egress where there is an egress rule. */
  readonly policyTypes?: readonly Direction[] | undefined;
  readonly ingress?: readonly NetworkPolicyIngressRule[] | undefined;
  readonly egress?: readonly NetworkPolicyEgressRule[] | undefined;
}

export interface NetworkPolicyIngressRule {
  /** Absent or empty: from everywhere. */
  readonly from?: readonly NetworkPolicyPeer[] | undefined;
  /** Absent or empty: every protocol and port. */
  readonly ports?: readonly NetworkPolicyPort[] | undefined;
}

export interface NetworkPolicyEgressRule {
  /** Absent or empty: to everywhere. */
  readonly to?: readonly NetworkPolicyPeer[] | undefined;
  /** Absent or empty: every protocol and port. */
  readonly ports?: readonly NetworkPolicyPort[] | undefined;
}

/** `ipBlock` alone, or one of the selectors, or both of them. */
export interface NetworkPolicyPeer {
  /** Without `namespaceSelector`: of the document's own namespace. */
  readonly podSelector?: LabelSelector | undefined;
  readonly namespaceSelector?: LabelSelector | undefined;
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] | undefined } | undefined;
}

export interface NetworkPolicyPort {
  /** Default TCP. */
  readonly protocol?: 'TCP' | 'UDP' | 'SCTP' | undefined;
  /** A number, or the name of one; absent: every port of the protocol. */
  readonly port?: number | string | undefined;
  /** Last port of a range that begins with a `port` in digits. */
  readonly endPort?: number | undefined;
}

/** The spec of a `policy.networking.k8s.io/v1alpha2` ClusterNetworkPolicy, as written. */
export interface ClusterNetworkPolicySpec {
  readonly tier: 'Admin' | 'Baseline';
  /** 0 to 1000, the lower one first. */
  readonly priority: number;
  readonly subject: ClusterSelection;
  readonly ingress?: readonly ClusterIngressRule[] | undefined;
  readonly egress?: readonly ClusterEgressRule[] | undefined;
}

/** Exactly one of them. */
export interface ClusterSelection {
  readonly namespaces?: LabelSelector | undefined;
  readonly pods?:
    | { readonly namespaceSelector?: LabelSelector | undefined; readonly podSelector: LabelSelector }
    | undefined;
}

export type ClusterAction = 'Accept' | 'Deny' | 'Pass';

interface ClusterRule {
  readonly name?: string | undefined;
  readonly action: ClusterAction;
  /** Absent: every protocol and port. */
  readonly protocols?: readonly ClusterProtocol[] | undefined;
}

export interface ClusterIngressRule extends ClusterRule {
  readonly from: readonly ClusterSelection[];
}

export interface ClusterEgressRule extends ClusterRule {
  readonly to: readonly ClusterEgressPeer[];
}

/** Exactly one of them. */
export interface ClusterEgressPeer extends ClusterSelection {
  readonly nodes?: LabelSelector | undefined;
  /** Prefixes. */
  readonly networks?: readonly string[] | undefined;
  readonly domainNames?: readonly string[] | undefined;
}

/** Exactly one of them. */
export type ClusterProtocol = {
  readonly [P in Protocol]?: { readonly destinationPort: ClusterPort } | undefined;
} & { readonly destinationNamedPort?: string | undefined };

/** Exactly one of them. */
export interface ClusterPort {
  readonly number?: number | undefined;
  readonly range?: { readonly start: number; readonly end: number } | undefined;
}

interface PolicyMetadata {
  readonly name: string;
  readonly labels: Labels;
  readonly annotations: Labels;
}

export interface NetworkPolicySource extends PolicyMetadata {
  readonly kind: 'NetworkPolicy';
  readonly namespace: string;
  readonly spec: NetworkPolicySpec;
}

export interface ClusterNetworkPolicySource extends PolicyMetadata {
  readonly kind: 'ClusterNetworkPolicy';
  /** It has none. */
  readonly namespace: '';
  readonly spec: ClusterNetworkPolicySpec;
}

/** One policy document as it was applied, validated. */
export type PolicySource = NetworkPolicySource | ClusterNetworkPolicySource;

/** One policy document as stored. `number`, 1 to 65535 and unique on the host, names it in the compiled tables. */
export type PolicyDocument = PolicySource & { readonly number: number };

/** Label or annotation of a document; `audit`: what it would deny passes and is told. */
export const enforcementKey = 'vetch.io/enforcement';

/** `kind/namespace/name`; the namespace of a cluster's document is empty. */
export function policyKey(document: Pick<PolicySource, 'kind' | 'namespace' | 'name'>): string {
  return `${document.kind}/${document.namespace}/${document.name}`;
}

export function isUnderAudit(document: Pick<PolicySource, 'labels' | 'annotations'>): boolean {
  return document.annotations[enforcementKey] === 'audit' || document.labels[enforcementKey] === 'audit';
}
