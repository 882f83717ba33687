import type { PolicyDirection } from '../decision.ts';
import type { Block } from '../identity/blocks.ts';
import { namedPortLabel } from '../identity/named-port.ts';
import { driverLabel, namespaceNameLabel } from '../identity/policy-endpoint.ts';
import type { Profile } from '../identity/profile.ts';
import type { LinkedDocument } from './place.ts';
import { type Selector, selectorKey, selects } from './selector.ts';

/** What a document's subject or peer asks for. */
export type TermSpec =
  | {
      readonly kind: 'endpoints';
      /** A namespace by its name, or all that the selector selects. */
      readonly namespace: string | Selector;
      readonly pods: Selector;
    }
  /** Endpoints that have one of these named ports. */
  | { readonly kind: 'port-names'; readonly names: readonly string[] }
  | { readonly kind: 'block'; readonly cidr: string; readonly except: readonly string[] }
  | { readonly kind: 'nodes'; readonly selector: Selector }
  /** Addresses that were learned by a domain name that the pattern is for. */
  | { readonly kind: 'domain'; readonly pattern: string };

/** A peer's use: by which document, in which direction. */
export interface PeerUse {
  readonly document: LinkedDocument;
  readonly direction: PolicyDirection;
}

/** One distinct thing to ask for, shared by all documents that do; and who answers to it. */
export interface Term {
  readonly key: string;
  readonly spec: TermSpec;
  readonly members: Set<Profile>;
  readonly subjectOf: Set<LinkedDocument>;
  readonly peerOf: Set<PeerUse>;
}

export interface Surroundings {
  namespaceLabels(namespace: string): ReadonlyMap<string, string>;
  /** Whether a block holds the addresses whose longest one is `block`. */
  holds(cidr: string, block: Block): boolean;
  readonly nodeLabels: ReadonlyMap<string, string>;
}

export function termKey(spec: TermSpec): string {
  switch (spec.kind) {
    case 'endpoints': {
      const { namespace } = spec;
      const where = typeof namespace === 'string' ? ['name', namespace] : ['selector', selectorKey(namespace)];
      return JSON.stringify(['endpoints', ...where, selectorKey(spec.pods)]);
    }
    case 'port-names':
      return JSON.stringify(['port-names', ...[...spec.names].sort()]);
    case 'block':
      return JSON.stringify(['block', spec.cidr, ...[...spec.except].sort()]);
    case 'nodes':
      return JSON.stringify(['nodes', selectorKey(spec.selector)]);
    case 'domain':
      return JSON.stringify(['domain', spec.pattern]);
  }
}

export function termMatches(spec: TermSpec, profile: Profile, around: Surroundings): boolean {
  const { party, namespace, labels, onHost } = profile.facts;
  switch (spec.kind) {
    case 'endpoints': {
      if (party !== 'endpoint' || !selects(spec.pods, labels)) return false;
      if (onHost && !spec.pods.some(({ key }) => key === driverLabel)) return false;
      return typeof spec.namespace === 'string'
        ? spec.namespace === namespace
        : selects(spec.namespace, around.namespaceLabels(namespace));
    }
    case 'port-names':
      return party === 'endpoint' && spec.names.some((name) => labels.has(namedPortLabel(name)));
    case 'block': {
      const { block } = profile.facts;
      if (block === undefined || !around.holds(spec.cidr, block)) return false;
      return !spec.except.some((cidr) => around.holds(cidr, block));
    }
    case 'nodes':
      if (party === 'host') return selects(spec.selector, around.nodeLabels);
      return party === 'remote-node' && spec.selector.length === 0;
    case 'domain':
      return profile.facts.domains.includes(spec.pattern);
  }
}

/** Where a term is looked for: every profile that matches has one of these anchors. */
export function anchorsOf(spec: TermSpec): readonly string[] {
  switch (spec.kind) {
    case 'endpoints': {
      const equality = spec.pods.find(({ operator }) => operator === 'In');
      if (equality !== undefined) return [...equality.values].map((value) => labelAnchor(equality.key, value));
      if (typeof spec.namespace === 'string') return [namespaceAnchor(spec.namespace)];
      const named = spec.namespace.find(({ key, operator }) => key === namespaceNameLabel && operator === 'In');
      return named === undefined ? [endpointAnchor] : [...named.values].map(namespaceAnchor);
    }
    case 'port-names':
      return spec.names.map((name) => labelKeyAnchor(namedPortLabel(name)));
    case 'block':
      return [blockAnchor(spec.cidr)];
    case 'nodes':
      return [nodeAnchor];
    case 'domain':
      return [domainAnchor(spec.pattern)];
  }
}

/** Of every endpoint. */
export const endpointAnchor = 'endpoint';
/** Of the host, and of other nodes. */
export const nodeAnchor = 'node';

export function labelAnchor(key: string, value: string): string {
  return `label ${key} ${value}`;
}

/** Of whatever has a label with this key. */
export function labelKeyAnchor(key: string): string {
  return `key ${key}`;
}

export function namespaceAnchor(namespace: string): string {
  return `namespace ${namespace}`;
}

export function blockAnchor(cidr: string): string {
  return `block ${cidr}`;
}

export function domainAnchor(pattern: string): string {
  return `domain ${pattern}`;
}
