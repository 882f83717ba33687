import { VetchError } from '../../api/error.ts';
import { familyOf } from '../../model/address.ts';
import type { Endpoint } from '../../model/endpoint.ts';
import type { Network } from '../../model/network.ts';
import { checkOptions } from '../options.ts';
import {
  type Driver,
  type NetworkDefaults,
  type NetworkFlagName,
  type NetworkPlan,
  noCapabilities,
  type SandboxPlan,
} from './contract.ts';
import { macvlanEndpointRules, macvlanRules, parseMacvlanOptions } from './macvlan-options.ts';

/**
 * Endpoints are machines of the LAN behind a parent device, each with a MAC and an address of its own there. Their devices
 * on the parent stay in the host; a sandbox has a veth, whose frames programs carry to the LAN and back.
 */
export const macvlanDriver: Driver = {
  name: 'macvlan',
  capabilities: { ...noCapabilities, devices: true, internal: true, addressing: true, parentDevice: true },
  checkNetworkOptions: (options) => checkOptions(macvlanRules, options, 'a macvlan network'),
  checkEndpointOptions: (options) => checkOptions(macvlanEndpointRules, options, 'an endpoint of a macvlan network'),
  defaults,
  isInternal: (options) => parseMacvlanOptions(options).parent === undefined,
  checkNeighbours,
  planNetwork,
  planSandbox,
};

function defaults(options: Readonly<Record<string, string>>): NetworkDefaults {
  const { mtu, ifnamePrefix, labels } = parseMacvlanOptions(options);
  return { ifnamePrefix, labels, routed: [], ...(mtu === undefined ? {} : { mtu }) };
}

/** Networks may share a parent, as Docker has it; in mode passthru one has it alone. */
function checkNeighbours(options: Readonly<Record<string, string>>, networks: Iterable<Network>): void {
  const { parent, mode } = parseMacvlanOptions(options);
  if (parent === undefined) return;
  for (const network of networks) {
    if (network.driver !== 'macvlan') continue;
    const other = parseMacvlanOptions(network.options);
    if (other.parent !== parent || (mode !== 'passthru' && other.mode !== 'passthru')) continue;
    throw new VetchError(
      'IN_USE',
      mode === 'passthru'
        ? `network ${network.name} uses parent ${parent} already, which mode passthru wants alone`
        : `network ${network.name} has parent ${parent} for itself, in mode passthru`,
      'choose another parent or mode',
    );
  }
}

function planNetwork(network: Network): NetworkPlan {
  const { parent, mode, hostAccess } = parseMacvlanOptions(network.options);
  const joined = parent !== undefined && !network.internal;
  const flags: NetworkFlagName[] = ['PRESENT'];
  if (mode === 'private') flags.push('ICC_OFF');
  if (!joined) flags.push('INTERNAL');
  if (joined) flags.push('LAN');
  if (joined && mode === 'vepa') flags.push('VEPA');
  if (joined && !hostAccess) flags.push('HOST_OFF');
  return {
    flags,
    mtu: network.mtu,
    trustedInterfaces: [],
    // The gateway is the LAN's router, and its subnet's route the host's own.
    hostAddresses: [],
    hostRoutes: [],
    ownsSubnets: false,
    endpointRoutes: joined && hostAccess,
    // Programs are the bridge of mode bridge: the kernel's would carry frames that nobody judges.
    ...(joined ? { lan: { parent, mode: mode === 'bridge' ? 'private' : mode } } : {}),
    ...(mode === 'passthru' ? { maxEndpoints: 1 } : {}),
  };
}

function planSandbox(network: Network, endpoint: Endpoint): SandboxPlan {
  const families = endpoint.addresses.map(familyOf);
  const gateways = network.subnets.filter(({ gateway }) => families.includes(familyOf(gateway)));
  return {
    ifname: endpoint.ifname,
    hostIfname: endpoint.hostIfname,
    mac: endpoint.mac,
    mtu: network.mtu,
    addresses: endpoint.addresses,
    routes: [],
    defaultRoutes: network.internal
      ? []
      : gateways.map(({ gateway }) => ({ destination: familyOf(gateway) === 4 ? '0.0.0.0/0' : '::/0', gateway })),
    ipv6: families.includes(6),
    autoconf: false,
  };
}
