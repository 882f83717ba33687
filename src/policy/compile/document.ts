import { canonicalPrefix } from '../../model/address.ts';
import { canonicalDomain } from '../../model/domain-name.ts';
import {
  type ClusterEgressPeer,
  type ClusterNetworkPolicySource,
  type ClusterSelection,
  isUnderAudit,
  type NetworkPolicyPeer,
  type NetworkPolicySource,
  type PolicyDocument,
  policyKey,
} from '../../model/policy.ts';
import { clusterPorts, networkPolicyPorts, type PortSpec } from './ports.ts';
import { compileSelector } from './selector.ts';
import type { TermSpec } from './term.ts';

export type Action = 'Accept' | 'Deny' | 'Pass';

/** The tiers in their order. */
export const ADMIN_TIER = 0;
export const NETWORK_POLICY_TIER = 1;
export const BASELINE_TIER = 2;
export type Tier = typeof ADMIN_TIER | typeof NETWORK_POLICY_TIER | typeof BASELINE_TIER;

/** One rule, or the part of it that concerns these peers. */
export interface Clause {
  /** Index of the rule in its direction. */
  readonly rule: number;
  readonly action: Action;
  /** Undefined: any peer. */
  readonly peers: readonly TermSpec[] | undefined;
  /** Undefined: every protocol and port. */
  readonly ports: PortSpec | undefined;
}

/** One document as the compiler wants it. */
export interface CompiledDocument {
  readonly key: string;
  readonly number: number;
  readonly tier: Tier;
  readonly priority: number;
  readonly audit: boolean;
  readonly subject: TermSpec;
  /** By direction; undefined: the document says nothing about it. */
  readonly clauses: readonly [readonly Clause[] | undefined, readonly Clause[] | undefined];
}

export function compileDocument(document: PolicyDocument): CompiledDocument {
  const common = { key: policyKey(document), number: document.number, audit: isUnderAudit(document) };
  return { ...common, ...(document.kind === 'NetworkPolicy' ? ofNetworkPolicy(document) : ofClusterPolicy(document)) };
}

type Body = Pick<CompiledDocument, 'tier' | 'priority' | 'subject' | 'clauses'>;

function ofNetworkPolicy({ namespace, spec }: NetworkPolicySource): Body {
  const { ingress = [], egress = [] } = spec;
  const types = spec.policyTypes?.length ? spec.policyTypes : egress.length > 0 ? ['Ingress', 'Egress'] : ['Ingress'];
  const accept = (
    peers: readonly NetworkPolicyPeer[] | undefined,
    ports: PortSpec | undefined,
    rule: number,
  ): Clause => ({
    rule,
    action: 'Accept',
    ports,
    peers: peers?.length ? peers.map((peer) => peerOf(peer, namespace)) : undefined,
  });
  return {
    tier: NETWORK_POLICY_TIER,
    priority: 0,
    subject: { kind: 'endpoints', namespace, pods: compileSelector(spec.podSelector) },
    clauses: [
      types.includes('Ingress')
        ? ingress.map(({ from, ports }, rule) => accept(from, networkPolicyPorts(ports), rule))
        : undefined,
      types.includes('Egress')
        ? egress.flatMap(({ to, ports }, rule) => split(accept(to, networkPolicyPorts(ports), rule)))
        : undefined,
    ],
  };
}

function peerOf({ podSelector, namespaceSelector, ipBlock }: NetworkPolicyPeer, namespace: string): TermSpec {
  if (ipBlock !== undefined) {
    const except = (ipBlock.except ?? []).map(canonicalPrefix);
    return { kind: 'block', cidr: canonicalPrefix(ipBlock.cidr), except };
  }
  return {
    kind: 'endpoints',
    namespace: namespaceSelector === undefined ? namespace : compileSelector(namespaceSelector),
    pods: compileSelector(podSelector),
  };
}

function ofClusterPolicy({ spec }: ClusterNetworkPolicySource): Body {
  const clauses = (
    rules: readonly { action: Action; protocols?: Parameters<typeof clusterPorts>[0] }[] | undefined,
    peersOf: (rule: number) => readonly TermSpec[],
  ): readonly Clause[] | undefined =>
    rules?.length
      ? rules.map(({ action, protocols }, rule) => ({
          rule,
          action,
          ports: clusterPorts(protocols),
          peers: peersOf(rule),
        }))
      : undefined;
  return {
    tier: spec.tier === 'Admin' ? ADMIN_TIER : BASELINE_TIER,
    priority: spec.priority,
    subject: selectionOf(spec.subject),
    clauses: [
      clauses(spec.ingress, (rule) => (spec.ingress?.[rule]?.from ?? []).map(selectionOf)),
      clauses(spec.egress, (rule) => (spec.egress?.[rule]?.to ?? []).flatMap(egressPeersOf)),
    ],
  };
}

function selectionOf({ namespaces, pods }: ClusterSelection): TermSpec {
  return {
    kind: 'endpoints',
    namespace: compileSelector(pods === undefined ? namespaces : pods.namespaceSelector),
    pods: compileSelector(pods?.podSelector),
  };
}

function egressPeersOf(peer: ClusterEgressPeer): TermSpec[] {
  if (peer.nodes !== undefined) return [{ kind: 'nodes', selector: compileSelector(peer.nodes) }];
  if (peer.networks !== undefined) {
    return peer.networks.map((cidr) => ({ kind: 'block', cidr: canonicalPrefix(cidr), except: [] }));
  }
  if (peer.domainNames !== undefined) {
    return peer.domainNames.map((pattern) => ({ kind: 'domain', pattern: canonicalDomain(pattern) }));
  }
  return [selectionOf(peer)];
}

/**
 * An egress rule for any peer with named ports concerns two kinds of peers: any, as far as its ports are numbers; and those that
 * have such a port.
 */
function split(clause: Clause): Clause[] {
  const { ports, peers } = clause;
  if (peers !== undefined || ports === undefined || ports.named.length === 0) return [clause];
  const names = [...new Set(ports.named.map(({ name }) => name))];
  const named: Clause = { ...clause, peers: [{ kind: 'port-names', names }] };
  return ports.ranges.length === 0 ? [named] : [{ ...clause, ports: { ...ports, named: [] } }, named];
}
