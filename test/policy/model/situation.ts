import type { PolicyDocument } from './documents.ts';

export type Labels = Readonly<Record<string, string>>;
export type Family = 4 | 6;
export type Protocol = 'tcp' | 'udp' | 'sctp' | 'icmp';
export type Direction = 'ingress' | 'egress';

export interface Endpoint {
  readonly party: 'endpoint';
  /** Unique. */
  readonly name: string;
  readonly network: string;
  readonly namespace: string;
  /** As selectors see them: its own, and those that are added (`vetch.io/name` and so on). */
  readonly labels: Labels;
  readonly addresses: Readonly<Record<Family, string>>;
}

/** Who is no endpoint: the host that the endpoints are on, or anybody beyond it. */
export interface Outsider {
  readonly party: 'host' | 'world';
  readonly name: string;
  readonly addresses: Readonly<Record<Family, string>>;
}

export type Party = Endpoint | Outsider;

/** All that an answer depends on. */
export interface Situation {
  readonly documents: readonly PolicyDocument[];
  /** Labels of each namespace, without `kubernetes.io/metadata.name`. A namespace without an entry has none. */
  readonly namespaces: Readonly<Record<string, Labels>>;
  /** Labels of the host, for `nodes`. */
  readonly node: Labels;
  /** What endpoints were told. Default: nothing. */
  readonly answers?: readonly Answered[];
}

/** An address that an endpoint was told for a name. */
export interface Answered {
  /** Its name. */
  readonly endpoint: string;
  readonly name: string;
  readonly address: string;
}

/** The first packet of a flow; its replies follow from it. */
export interface Question {
  readonly from: Party;
  readonly to: Party;
  readonly family: Family;
  readonly protocol: Protocol;
  /** Destination port, after any translation; means nothing to icmp. */
  readonly port: number;
}

export function namespaceLabels(situation: Situation, namespace: string): Labels {
  return { ...situation.namespaces[namespace], 'kubernetes.io/metadata.name': namespace };
}

/** The port that an endpoint calls by this name (`vetch.io/port.NAME=80/tcp`), if it does. */
export function namedPort(
  endpoint: Endpoint,
  name: string,
): { readonly port: number; readonly protocol: string } | undefined {
  const [port, protocol] = endpoint.labels[`vetch.io/port.${name}`]?.split('/') ?? [];
  return port === undefined || protocol === undefined ? undefined : { port: Number(port), protocol };
}
