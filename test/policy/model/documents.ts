/**
 * The documents as users write them, field by field; only what decides about traffic. The same objects are written
 * as YAML for the command line and judged by the model.
 */

export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly Requirement[];
}

export interface Requirement {
  readonly key: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  readonly values?: readonly string[];
}

export interface Metadata {
  readonly name: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface NetworkPolicy {
  readonly apiVersion: 'networking.k8s.io/v1';
  readonly kind: 'NetworkPolicy';
  readonly metadata: Metadata & { readonly namespace: string };
  readonly spec: {
    readonly podSelector: LabelSelector;
    readonly policyTypes?: readonly ('Ingress' | 'Egress')[];
    readonly ingress?: readonly {
      readonly from?: readonly NetworkPolicyPeer[];
      readonly ports?: readonly NetworkPolicyPort[];
    }[];
    readonly egress?: readonly {
      readonly to?: readonly NetworkPolicyPeer[];
      readonly ports?: readonly NetworkPolicyPort[];
    }[];
  };
}

export interface NetworkPolicyPeer {
  readonly podSelector?: LabelSelector;
  readonly namespaceSelector?: LabelSelector;
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] };
}

export interface NetworkPolicyPort {
  /** Default: TCP. */
  readonly protocol?: 'TCP' | 'UDP' | 'SCTP';
  /** A number, or the name of a port of the endpoint that receives. Default: every port of the protocol. */
  readonly port?: number | string;
  readonly endPort?: number;
}

export interface ClusterNetworkPolicy {
  readonly apiVersion: 'policy.networking.k8s.io/v1alpha2';
  readonly kind: 'ClusterNetworkPolicy';
  readonly metadata: Metadata;
  readonly spec: {
    readonly tier: 'Admin' | 'Baseline';
    /** 0 to 1000; the lower number is asked first. */
    readonly priority: number;
    readonly subject: { readonly namespaces?: LabelSelector; readonly pods?: NamespacedPod };
    readonly ingress?: readonly (ClusterRule & { readonly from: readonly ClusterPeer[] })[];
    readonly egress?: readonly (ClusterRule & { readonly to: readonly ClusterPeer[] })[];
  };
}

export interface ClusterRule {
  readonly name?: string;
  readonly action: 'Accept' | 'Deny' | 'Pass';
  readonly protocols?: readonly ClusterProtocol[];
}

/** One of them. `nodes`, `networks` and `domainNames` are of egress alone, the last of Accept alone. */
export interface ClusterPeer {
  readonly namespaces?: LabelSelector;
  readonly pods?: NamespacedPod;
  readonly nodes?: LabelSelector;
  readonly networks?: readonly string[];
  /** `example.com`, or `*.example.com` for all below it. */
  readonly domainNames?: readonly string[];
}

export interface NamespacedPod {
  readonly namespaceSelector?: LabelSelector;
  readonly podSelector: LabelSelector;
}

/** One of them. */
export interface ClusterProtocol {
  readonly tcp?: { readonly destinationPort?: ClusterPort };
  readonly udp?: { readonly destinationPort?: ClusterPort };
  readonly sctp?: { readonly destinationPort?: ClusterPort };
  readonly destinationNamedPort?: string;
}

/** One of them. */
export interface ClusterPort {
  readonly number?: number;
  readonly range?: { readonly start: number; readonly end: number };
}

export type PolicyDocument = NetworkPolicy | ClusterNetworkPolicy;
