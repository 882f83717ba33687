import type { Labels } from '../../model/policy.ts';

/** What policy knows of an endpoint. */
export interface PolicyEndpoint {
  /** `Endpoint.number`: 1 to 16383; of one on another host what this host has given it. */
  readonly number: number;
  /** It is on another host: others meet it here, and what it may do itself is judged there. */
  readonly remote?: boolean | undefined;
  readonly name: string;
  /** Name of its network. */
  readonly network: string;
  /** Of its network; `host`: only documents that name `vetch.io/driver` select it. */
  readonly driver: string;
  /** Reference of the container's image, where it is known. */
  readonly image?: string | undefined;
  readonly labels: Labels;
  /** With or without prefix length; the first of each family counts. */
  readonly addresses: readonly string[];
}

/** An address that an endpoint was told in an answer. */
export interface LearnedAddress {
  /** `Endpoint.number`. */
  readonly endpoint: number;
  /** Canonical, without prefix length. */
  readonly address: string;
  /** The domain names that it was told for, canonical. */
  readonly names: readonly string[];
  /** The answers' time is over. */
  readonly expired: boolean;
}

export const driverLabel = 'vetch.io/driver';
export const namespaceNameLabel = 'kubernetes.io/metadata.name';

const composeProject = 'com.docker.compose.project';
const composeService = 'com.docker.compose.service';

/**
 * Its own labels and those that Vetch adds, which nobody else can set where Vetch knows them.
 *
 * @param isWanted of a key; default: all
 */
export function policyLabels(
  endpoint: PolicyEndpoint,
  isWanted: (key: string) => boolean = () => true,
): ReadonlyMap<string, string> {
  const wanted = new Map<string, string>();
  for (const part of [endpoint.labels, addedLabels(endpoint)]) {
    for (const [key, value] of Object.entries(part)) if (value !== undefined && isWanted(key)) wanted.set(key, value);
  }
  return wanted;
}

/** Whether {@link policyLabels} has a key. */
export function hasPolicyLabel(endpoint: PolicyEndpoint, key: string): boolean {
  if (Object.hasOwn(endpoint.labels, key)) return true;
  const added: Readonly<Record<string, string | undefined>> = addedLabels(endpoint);
  return Object.hasOwn(added, key) && added[key] !== undefined;
}

function addedLabels(endpoint: PolicyEndpoint) {
  const { labels } = endpoint;
  return {
    'vetch.io/name': endpoint.name,
    'vetch.io/network': endpoint.network,
    'vetch.io/service': labels[composeService],
    'vetch.io/project': labels[composeProject],
    'vetch.io/image': endpoint.image,
    [driverLabel]: endpoint.driver,
  };
}

/** The label `vetch.io/namespace`, else the compose project, else the network's name. */
export function policyNamespace({ labels, network }: Pick<PolicyEndpoint, 'labels' | 'network'>): string {
  return labels['vetch.io/namespace'] || labels[composeProject] || network;
}

/** A namespace's labels, with its name as `kubernetes.io/metadata.name`. */
export function namespaceLabels(namespace: string, labels: Labels = {}): ReadonlyMap<string, string> {
  return new Map([...Object.entries(labels), [namespaceNameLabel, namespace]]);
}
