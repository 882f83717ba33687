import { VetchError } from '../../api/error.ts';
import type { CreateNetworkRequest } from '../../api/schemas/network.ts';
import { familyOf } from '../../model/address.ts';
import type { Network } from '../../model/network.ts';
import { asksForEncryption, encryptionOption, isEncrypted } from '../../network/drivers/encryption.ts';
import { spansHosts } from '../../network/drivers/spans-hosts.ts';
import type { HeldPool } from '../../network/held-pools.ts';
import { planNetwork } from '../../network/plan-network.ts';
import { changeCluster } from '../change-cluster.ts';
import type { Context } from '../context.ts';
import { makeNetwork, parentOf } from '../operations/networks.ts';
import type { DockerPools } from './pools.ts';

/**
 * Has a network of Docker's stand for one of the cluster, which is made if it is not there yet. One that does already
 * stays.
 *
 * @throws VetchError INVALID, ALREADY_EXISTS, UNAVAILABLE; as `createNetwork`
 */
export function joinNetwork(
  context: Context,
  pools: DockerPools,
  id: string,
  request: CreateNetworkRequest,
  signal: AbortSignal,
): Promise<void> {
  const { joined } = pools;
  return changeCluster(context, async () => {
    signal.throwIfAborted();
    if (joined.get(id)) return;
    const { 'vetch.network': name, 'vetch.driver': _, ...options } = request.options;
    if (name === undefined) {
      throw new VetchError('INVALID', 'it is not said which network of the cluster this one is', flags('NAME'));
    }
    const other = joined.named(name);
    if (other) {
      throw new VetchError(
        'ALREADY_EXISTS',
        `network ${other.id.slice(0, 12)} of Docker is network ${name} of the cluster on this host already`,
        'use that, or remove it first with `docker network rm`',
      );
    }
    const held = request.subnets.map((cidr) => heldPool(pools, name, cidr));
    const network = context.state.index.networkNamed(name);
    if (network) check(network, held, { ...request, options });
    else await make(context, name, held, { ...request, options });
    // The engine may have given up meanwhile; the cluster's network is for whoever comes next.
    signal.throwIfAborted();
    await joined.add(id, name);
    context.addresses.wake();
  });
}

/** Docker's own IPAM driver would give one address to containers of two hosts. */
function heldPool(pools: DockerPools, name: string, cidr: string): HeldPool {
  const pool = pools.held.pools.findLast(
    (one) => one.network === name && familyOf(one.cidr) === familyOf(cidr) && (one.told ?? one.cidr) === cidr,
  );
  if (pool) return pool;
  throw new VetchError('INVALID', `the addresses of network ${name} are the cluster's to give`, flags(name));
}

function flags(name: string): string {
  return `give -o vetch.network=${name} --ipam-driver vetch --ipam-opt vetch.network=${name}`;
}

async function make(
  context: Context,
  name: string,
  held: readonly HeldPool[],
  request: CreateNetworkRequest,
): Promise<void> {
  const { host, networks } = context;
  const [ipRange, second] = held.flatMap(({ range }) => range ?? []);
  if (second !== undefined) {
    throw new VetchError('INVALID', `network ${name} cannot have two ranges`, 'give one --ip-range');
  }
  const subnets = held.map(({ cidr }) => cidr);
  const ranged = ipRange === undefined ? {} : { ipRange };
  const network = planNetwork(
    { ...request, name, driver: 'overlay', subnets, ...ranged },
    { networks: networks.all, hostRoutes: host.foreignRoutes(), ...parentOf(host, request.options) },
  );
  await makeNetwork(context, network);
}

/** What Docker is told of a network is what the cluster has. */
function check(network: Network, held: readonly HeldPool[], { gateways, internal, options }: CreateNetworkRequest) {
  const { name, subnets } = network;
  const cidrs = subnets.map(({ cidr }) => cidr);
  const refuse = (what: string, hint: string) =>
    new VetchError('INVALID', `network ${name} of the cluster ${what}`, hint);
  if (!spansHosts(network)) throw refuse(`would be one of this host's already`, 'choose another vetch.network');
  if (held.some(({ cidr }) => !cidrs.includes(cidr))) throw refuse(`has ${cidrs.join(' and ')} by now`, 'try again');
  if (held.length < subnets.length) throw refuse(`has ${cidrs.join(' and ')}`, 'give --ipv6 too');
  const gateway = gateways.find((address) => !subnets.some((subnet) => subnet.gateway === address));
  if (gateway !== undefined) throw refuse(`has another gateway than ${gateway}`, 'leave out --gateway');
  if (internal !== network.internal) {
    throw network.internal
      ? refuse('is internal', 'give --internal')
      : refuse('is not internal', 'leave out --internal');
  }
  for (const [option, value] of Object.entries(options)) {
    if (network.options[option] === value) continue;
    if (option === encryptionOption && asksForEncryption(options) === isEncrypted(network)) continue;
    throw refuse(`has another ${option} than '${value}'`, 'leave that option out');
  }
}
