import { prefixesOverlap } from '../model/address.ts';
import type { HeldAddress, NumberedIdentity } from '../model/cluster.ts';
import type { Network } from '../model/network.ts';
import type { PolicyDocument } from '../model/policy.ts';
import type { ClusterView } from './cluster-view.ts';
import type { ClusterWrite } from './cluster-writes.ts';
import { ConflictError } from './conflict.ts';
import { Staged } from './staged.ts';

/** A network takes along what hosts hold of it in advance. */
export function withHeldInAdvance(view: ClusterView, writes: readonly ClusterWrite[]): readonly ClusterWrite[] {
  return writes.flatMap((write): readonly ClusterWrite[] => {
    if (write.kind !== 'networks' || write.record) return [write];
    const held = [...view.addresses].filter(([, { network, endpoint }]) => network === write.key && endpoint === '');
    return [...held.map(([key]) => ({ kind: 'addresses', key }) as const), write];
  });
}

/** What `ClusterWriter` promises. @throws ConflictError which write breaks it, and how */
export function checkWrites(view: ClusterView, writes: readonly ClusterWrite[]): void {
  const staged = new Staged(view);
  for (const write of writes) {
    if (write.kind === 'networks' && write.record) checkNetwork(staged, write.record);
    else if (write.kind === 'networks') checkUnused(staged, write.key);
    else if (write.kind === 'addresses' && write.record) checkAddress(staged, write.key, write.record);
    else if (write.kind === 'identities' && write.record) checkIdentity(staged, write.key, write.record);
    else if (write.kind === 'policies' && write.record) checkDocument(staged, write.key, write.record);
    staged.add(write);
  }
}

function checkNetwork(staged: Staged, network: Network): void {
  for (const other of staged.values('networks')) {
    if (other.id === network.id) continue;
    if (other.name === network.name) {
      const message = `the cluster has a network ${network.name} already`;
      throw new ConflictError('ALREADY_EXISTS', message, 'choose another name');
    }
    if (other.number === network.number) {
      throw new ConflictError('ALREADY_EXISTS', `network ${other.name} has the number ${network.number}`, 'try again');
    }
    for (const { cidr } of network.subnets) {
      const overlapping = other.subnets.find((subnet) => prefixesOverlap(subnet.cidr, cidr));
      if (!overlapping) continue;
      const message = `subnet ${cidr} overlaps ${overlapping.cidr} of network ${other.name}`;
      throw new ConflictError('SUBNET_OVERLAP', message, 'choose another subnet, or none for an automatic one');
    }
  }
}

function checkUnused(staged: Staged, id: string): void {
  for (const { network, address, node, endpoint } of staged.values('addresses')) {
    if (network !== id || endpoint === '') continue;
    const name = staged.get('networks', id)?.name ?? id.slice(0, 12);
    const message = `host ${node} holds ${address} of network ${name}`;
    throw new ConflictError(
      'IN_USE',
      message,
      `detach its endpoints there first; if that host is gone for good, \`vetch node forget ${node}\``,
    );
  }
}

function checkAddress(staged: Staged, key: string, held: HeldAddress): void {
  if (!staged.get('networks', held.network)) {
    const message = `the cluster has no network ${held.network.slice(0, 12)}`;
    throw new ConflictError('NOT_FOUND', message, 'create it first');
  }
  const other = staged.get('addresses', key);
  if (!other) return;
  const inAdvance = held.endpoint === '' || other.endpoint === '';
  if (other.node === held.node && (inAdvance || other.endpoint === held.endpoint)) return;
  throw new ConflictError(
    'ADDRESS_TAKEN',
    `address ${held.address} is held by host ${other.node}`,
    'choose another address, or none for an automatic one',
  );
}

function checkIdentity(staged: Staged, key: string, identity: NumberedIdentity): void {
  const same = staged.get('identities', key);
  const other = same && same.key !== identity.key ? same : staged.holder('identities', key, identity);
  if (!other) return;
  throw new ConflictError(
    'ALREADY_EXISTS',
    `identity ${other.number} stands for ${JSON.stringify(other.key)} already`,
    'use that number for it, or another number',
  );
}

function checkDocument(staged: Staged, key: string, document: PolicyDocument): void {
  const other = staged.holder('policies', key, document);
  if (!other) return;
  throw new ConflictError('ALREADY_EXISTS', `document ${other.name} has the number ${document.number}`, 'try again');
}
