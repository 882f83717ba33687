import { parseAddress, parseMac, withoutLength } from '../model/address.ts';
import type { ClusterEndpoint, HeldAddress } from '../model/cluster.ts';
import { Interner } from './interner.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Ids of networks, names of hosts, values of labels: of each there are few, in very many records. */
const texts = new Interner(8_192);
const owners = ['vetch', 'docker', 'cni'] as const;
const noPorts: ClusterEndpoint['ports'] = [];

/**
 * Readers of the kinds of which a cluster has a hundred thousand records, several times as fast as their schemas: they give
 * what those do. Whatever they do not make sense of is undefined, and left to the schemas.
 */
export const quickReaders: {
  readonly addresses: (record: Fields) => HeldAddress | undefined;
  readonly 'cluster-endpoints': (record: Fields) => ClusterEndpoint | undefined;
} = {
  addresses({ network, address, node, endpoint }) {
    if (!isFilled(network) || !isFilled(address) || !isFilled(node) || typeof endpoint !== 'string') return undefined;
    return { network: texts.one(network), address, node: texts.one(node), endpoint };
  },

  'cluster-endpoints'({ id, name, network, owner, labels, node, mac, addresses, ports }) {
    if (!isFilled(id) || !isFilled(name) || !isFilled(network) || !isFilled(node)) return undefined;
    const knownOwner = owners.find((one) => one === owner);
    // What is published is left to the schema.
    if (!knownOwner || !isMac(mac) || !isList(addresses) || !isList(ports) || ports.length > 0) return undefined;
    const read = labelsOf(labels);
    if (!read || !addresses.every(isAddress)) return undefined;
    return {
      ...{ id, name, network: texts.one(network), owner: knownOwner, labels: read, node: texts.one(node) },
      ...{ mac, addresses, ports: noPorts },
    };
  },
};

/** @returns the same object, whose texts are those of other records */
function labelsOf(labels: unknown): Record<string, string> | undefined {
  if (typeof labels !== 'object' || labels === null || Array.isArray(labels)) return undefined;
  const all = labels as Record<string, unknown>;
  for (const key in all) {
    const value = all[key];
    if (typeof value !== 'string' || key === '__proto__') return undefined;
    all[key] = texts.one(value);
  }
  return all as Record<string, string>;
}

function isFilled(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

function isMac(value: unknown): value is string {
  return typeof value === 'string' && isReadable(parseMac, value);
}

function isAddress(value: unknown): value is string {
  return typeof value === 'string' && isReadable(parseAddress, withoutLength(value));
}

function isReadable(read: (text: string) => unknown, text: string): boolean {
  try {
    read(text);
    return true;
  } catch {
    return false;
  }
}
