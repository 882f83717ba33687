import { VetchError } from '../../api/error.ts';
import { familyOf } from '../../model/address.ts';
import type { Network } from '../../model/network.ts';
import { checkOptions } from '../options.ts';
import {
  type Driver,
  type NetworkDefaults,
  type NetworkFlagName,
  type NetworkPlan,
  noCapabilities,
} from './contract.ts';
import { ipvlanRules, parseIpvlanOptions } from './ipvlan-options.ts';
import { macvlanDriver } from './macvlan.ts';
import { macvlanEndpointRules } from './macvlan-options.ts';

/**
 * Endpoints share the MAC of a parent device, and are told apart by their addresses: as machines of its LAN (l2), or as a
 * subnet behind the host (l3, l3s). Programs on the parent do that, so no kernel needs to have ipvlan itself.
 */
export const ipvlanDriver: Driver = {
  name: 'ipvlan',
  capabilities: { ...noCapabilities, devices: true, internal: true, addressing: true, parentDevice: true },
  checkNetworkOptions,
  checkEndpointOptions: (options) => checkOptions(macvlanEndpointRules, options, 'an endpoint of an ipvlan network'),
  defaults,
  isInternal: (options) => parseIpvlanOptions(options).parent === undefined,
  ownsSubnets: (options) => parseIpvlanOptions(options).mode !== 'l2',
  checkNeighbours,
  planNetwork: (network) =>
    parseIpvlanOptions(network.options).mode === 'l2' ? planSegment(network) : planRouted(network),
  planSandbox: macvlanDriver.planSandbox,
};

function checkNetworkOptions(options: Readonly<Record<string, string>>): void {
  checkOptions(ipvlanRules, options, 'an ipvlan network');
  const { mode, flag } = parseIpvlanOptions(options);
  if (mode === 'l2' || flag !== 'vepa') return;
  throw new VetchError(
    'INVALID',
    `ipvlan_flag=vepa and ipvlan_mode=${mode} contradict each other`,
    'use ipvlan_mode=l2',
  );
}

function defaults(options: Readonly<Record<string, string>>): NetworkDefaults {
  const { mtu, ifnamePrefix, labels } = parseIpvlanOptions(options);
  return { ifnamePrefix, labels, routed: [], ...(mtu === undefined ? {} : { mtu }) };
}

/** One network of mode l2 a parent: a broadcast on the LAN names no other. */
function checkNeighbours(options: Readonly<Record<string, string>>, networks: Iterable<Network>): void {
  const { parent, mode } = parseIpvlanOptions(options);
  if (parent === undefined || mode !== 'l2') return;
  for (const network of networks) {
    if (network.driver !== 'ipvlan') continue;
    const other = parseIpvlanOptions(network.options);
    if (other.parent !== parent || other.mode !== 'l2') continue;
    throw new VetchError(
      'IN_USE',
      `network ${network.name} uses parent ${parent} already`,
      'choose another parent or mode',
    );
  }
}

/** Mode l2. */
function planSegment(network: Network): NetworkPlan {
  const { parent, flag, hostAccess } = parseIpvlanOptions(network.options);
  const joined = parent !== undefined && !network.internal;
  const flags: NetworkFlagName[] = ['PRESENT', ...(flag === 'private' ? ['ICC_OFF' as const] : [])];
  if (!joined) flags.push('INTERNAL');
  if (joined) flags.push('LAN');
  if (joined && flag === 'vepa') flags.push('VEPA');
  if (joined && !hostAccess) flags.push('HOST_OFF');
  return {
    ...{ flags, mtu: network.mtu, trustedInterfaces: [], hostAddresses: [], hostRoutes: [] },
    ownsSubnets: false,
    endpointRoutes: joined && hostAccess,
    ...(joined ? { lan: { parent, mode: 'shared' } } : {}),
  };
}

/** Modes l3 and l3s: the network's subnets are its own, and the host is their router. */
function planRouted(network: Network): NetworkPlan {
  const { parent, flag, hostAccess } = parseIpvlanOptions(network.options);
  const joined = parent !== undefined && !network.internal;
  const flags: NetworkFlagName[] = ['PRESENT', ...(flag === 'private' ? ['ICC_OFF' as const] : [])];
  flags.push(...(joined ? (['UNPROTECTED4', 'UNPROTECTED6'] as const) : (['INTERNAL'] as const)));
  const reached = joined && hostAccess;
  if (!reached) flags.push('HOST_OFF');
  const gateway = (family: 4 | 6) => network.subnets.find(({ cidr }) => familyOf(cidr) === family)?.gateway;
  const [gateway4, gateway6] = [gateway(4), gateway(6)];
  return {
    ...{ flags, mtu: network.mtu, trustedInterfaces: [] },
    ...(gateway4 === undefined ? {} : { gateway4 }),
    ...(gateway6 === undefined ? {} : { gateway6 }),
    hostAddresses: reached
      ? network.subnets.map((one) => `${one.gateway}/${familyOf(one.gateway) === 4 ? 32 : 128}`)
      : [],
    hostRoutes: reached ? network.subnets.map(({ cidr, gateway: source }) => ({ destination: cidr, source })) : [],
    ...{ ownsSubnets: true, endpointRoutes: false, ...(joined ? { uplink: parent } : {}) },
  };
}
