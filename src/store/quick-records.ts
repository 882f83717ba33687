import { parseAddress, parseMac, withoutLength } from '../model/address.ts';
import type { ClusterEndpoint, HeldAddress } from '../model/cluster.ts';
import { Interner } from './interner.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Ids of networks, names of hosts, values of labels: of each there are few, in very many records. */
const texts = new Interner<string>(8_192);
const labelSets = new Interner<Readonly<Record<string, string>>>(8_192);
const one = (text: string) => texts.one(text, text);
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
    return { network: one(network), address, node: one(node), endpoint };
  },

  'cluster-endpoints'({ id, name, network, owner, labels, node, mac, addresses, ports }) {
    if (!isFilled(id) || !isFilled(name) || !isFilled(network) || !isFilled(node)) return undefined;
    const knownOwner = owners.find((known) => known === owner);
    // What is published is left to the schema.
    if (!knownOwner || !isMac(mac) || !isList(addresses) || !isList(ports) || ports.length > 0) return undefined;
    const read = labelsOf(labels);
    if (!read || !addresses.every(isAddress)) return undefined;
    const [ofNetwork, ofNode] = [one(network), one(node)];
    // As one literal: what is spread into an object lies apart from it.
    // biome-ignore format: nine lines say no more
    return { id, name, network: ofNetwork, owner: knownOwner, labels: read, node: ofNode, mac, addresses, ports: noPorts };
  },
};

/** @returns one object for all that have the same labels: a service's endpoints do */
function labelsOf(labels: unknown): Readonly<Record<string, string>> | undefined {
  if (typeof labels !== 'object' || labels === null || Array.isArray(labels)) return undefined;
  const all = labels as Record<string, unknown>;
  let text = '';
  for (const key in all) {
    const value = all[key];
    if (typeof value !== 'string' || key === '__proto__') return undefined;
    all[key] = one(value);
    // With lengths, for either may hold whatever would part them.
    text += `${key.length} ${value.length} ${key}${value}`;
  }
  return labelSets.one(all as Record<string, string>, text);
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
