import { VetchError } from '../../api/error.ts';
import { familyOf } from '../../model/address.ts';
import type { Endpoint } from '../../model/endpoint.ts';
import type { Network } from '../../model/network.ts';
import { checkOptions } from '../options.ts';
import { bridgeEndpointRules, bridgeRules, parseBridgeOptions } from './bridge-options.ts';
import {
  type Driver,
  type NetworkDefaults,
  type NetworkFlagName,
  type NetworkPlan,
  noCapabilities,
  type Route,
  type SandboxPlan,
} from './contract.ts';

/** One segment on one host. There is no bridge device: the datapath carries frames from veth to veth. */
export const bridgeDriver: Driver = {
  name: 'bridge',
  capabilities: { ...noCapabilities, devices: true, publishing: true, internal: true, addressing: true },
  checkNetworkOptions,
  checkEndpointOptions: (options) => checkOptions(bridgeEndpointRules, options, 'an endpoint of a bridge network'),
  defaults,
  planNetwork,
  planSandbox,
};

function checkNetworkOptions(options: Readonly<Record<string, string>>, internal: boolean): void {
  checkOptions(bridgeRules, options, 'a bridge network');
  const { gatewayMode4, gatewayMode6 } = parseBridgeOptions(options);
  if (internal || (gatewayMode4 !== 'isolated' && gatewayMode6 !== 'isolated')) return;
  throw new VetchError('INVALID', 'gateway mode isolated is for internal networks alone', 'add --internal');
}

function defaults(options: Readonly<Record<string, string>>): NetworkDefaults {
  const { mtu, ifnamePrefix, labels, hostBinding, gatewayMode4, gatewayMode6 } = parseBridgeOptions(options);
  const modes = [
    [4, gatewayMode4],
    [6, gatewayMode6],
  ] as const;
  return {
    ifnamePrefix,
    labels,
    routed: modes.flatMap(([family, mode]) => (mode === 'routed' ? [family] : [])),
    ...(mtu === undefined ? {} : { mtu }),
    ...(hostBinding === undefined ? {} : { hostBinding }),
  };
}

function planNetwork(network: Network): NetworkPlan {
  const { gatewayMode4, gatewayMode6, masquerade4, masquerade6, trusted } = parseBridgeOptions(network.options);
  const isolated = { 4: gatewayMode4 === 'isolated', 6: gatewayMode6 === 'isolated' };
  const gateway4 = isolated[4] ? undefined : gatewayOf(network, 4);
  const gateway6 = isolated[6] ? undefined : gatewayOf(network, 6);
  const ofHost = network.subnets.filter(({ gateway }) => !isolated[familyOf(gateway)]);
  return {
    flags: flagsOf(network),
    mtu: network.mtu,
    ...(gateway4 === undefined ? {} : { gateway4 }),
    ...(gateway6 === undefined ? {} : { gateway6 }),
    ...(masquerade4 === undefined ? {} : { masquerade4 }),
    ...(masquerade6 === undefined ? {} : { masquerade6 }),
    trustedInterfaces: trusted,
    hostAddresses: ofHost.map(({ gateway }) => `${gateway}/${familyOf(gateway) === 4 ? 32 : 128}`),
    hostRoutes: ofHost.map(({ cidr, gateway }) => ({ destination: cidr, source: gateway })),
    ownsSubnets: true,
    endpointRoutes: false,
  };
}

function planSandbox(network: Network, endpoint: Endpoint): SandboxPlan {
  const families = endpoint.addresses.map(familyOf);
  return {
    ifname: endpoint.ifname,
    hostIfname: endpoint.hostIfname,
    mac: endpoint.mac,
    mtu: network.mtu,
    addresses: endpoint.addresses,
    routes: [],
    defaultRoutes: network.internal ? [] : families.flatMap((family) => defaultRoute(network, family)),
    ipv6: families.includes(6),
  };
}

function flagsOf(network: Network): NetworkFlagName[] {
  const options = parseBridgeOptions(network.options);
  const flags: NetworkFlagName[] = ['PRESENT'];
  if (!options.icc) flags.push('ICC_OFF');
  if (options.forwarding === 'stack') flags.push('STACK');
  if (network.internal) return [...flags, 'INTERNAL'];
  const { gatewayMode4, gatewayMode6 } = options;
  if (gatewayMode4 === 'nat-unprotected') flags.push('UNPROTECTED4');
  if (gatewayMode6 === 'nat-unprotected') flags.push('UNPROTECTED6');
  if (gatewayMode4 === 'routed') flags.push('ROUTED4');
  if (gatewayMode6 === 'routed') flags.push('ROUTED6');
  if (options.masquerade && gatewayMode4 !== 'routed') flags.push('MASQUERADE4');
  if (options.masquerade && gatewayMode6 !== 'routed') flags.push('MASQUERADE6');
  return flags;
}

function gatewayOf(network: Network, family: 4 | 6): string | undefined {
  return network.subnets.find(({ cidr }) => familyOf(cidr) === family)?.gateway;
}

function defaultRoute(network: Network, family: 4 | 6): Route[] {
  const gateway = gatewayOf(network, family);
  return gateway === undefined ? [] : [{ destination: family === 4 ? '0.0.0.0/0' : '::/0', gateway }];
}
