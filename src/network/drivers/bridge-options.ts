import { VetchError } from '../../api/error.ts';
import { interfaceName } from '../../api/schemas/common.ts';
import { canonicalAddress, familyOf } from '../../model/address.ts';
import { accelerateOption, parseAccelerate } from '../accelerate.ts';
import { parseMtu } from '../mtu.ts';
import { BadValue, type OptionRules, parseBoolean, parseChoice, parseLabels } from '../options.ts';
import { parseRate, rateNames } from '../rates.ts';

type Options = Readonly<Record<string, string>>;

/** How containers of one family are reached and leave; Docker's words. */
export type GatewayMode = 'nat' | 'nat-unprotected' | 'routed' | 'isolated';

/** What the options of a bridge network say, defaults filled in. */
export interface BridgeOptions {
  /** Default true. False: packets to the world keep the container's source address. */
  readonly masquerade: boolean;
  /** Default true. False: endpoints of the network may not reach each other. */
  readonly icc: boolean;
  /**
   * Default `nat`: masqueraded, and reachable from outside by ports of the host alone. `nat-unprotected`: every port of a
   * container may be reached at its own address too. `routed`: published ports are reached there, none of the host is, and
   * nothing is masqueraded. `isolated`: of an internal network; the host has no address in it either.
   */
  readonly gatewayMode4: GatewayMode;
  readonly gatewayMode6: GatewayMode;
  /** Host address of publishes that name none; default: all. */
  readonly hostBinding?: string;
  /** What packets to the world leave under; default: the address of the uplink. */
  readonly masquerade4?: string;
  readonly masquerade6?: string;
  /** Devices by which published ports are reached at a container's own address too. Default none. */
  readonly trusted: readonly string[];
  readonly mtu?: number;
  /** Default `eth`. */
  readonly ifnamePrefix: string;
  /** Default `redirect`. `stack`: packets to the world pass the host's forwarding and its firewall. */
  readonly forwarding: 'redirect' | 'stack';
  /** Default none. */
  readonly labels: Readonly<Record<string, string>>;
}

const bridge = 'com.docker.network.bridge';
const noDevice = 'leave it out: the network has no bridge device';
const alone = 'leave it out: it joins networks of several hosts, and this host is alone';
const planned = 'leave it out: it is planned and not built yet';
const elsewhere = (driver: string) => ({ unsupported: `leave it out: it belongs to ${driver} networks` });
const gatewayMode = parseChoice('nat', 'nat-unprotected', 'routed', 'isolated');

const names = {
  masquerade: `${bridge}.enable_ip_masquerade`,
  icc: `${bridge}.enable_icc`,
  hostBinding: `${bridge}.host_binding_ipv4`,
  gatewayMode4: `${bridge}.gateway_mode_ipv4`,
  gatewayMode6: `${bridge}.gateway_mode_ipv6`,
  masquerade4: 'com.docker.network.host_ipv4',
  masquerade6: 'com.docker.network.host_ipv6',
  trusted: `${bridge}.trusted_host_interfaces`,
  mtu: 'com.docker.network.driver.mtu',
  ifnamePrefix: 'com.docker.network.container_iface_prefix',
  forwarding: 'vetch.forwarding',
  labels: 'vetch.default-labels',
} as const;

export const bridgeRules: OptionRules = {
  [names.masquerade]: { parse: parseBoolean },
  [names.icc]: { parse: parseBoolean },
  [names.hostBinding]: { parse: parseBinding },
  [names.gatewayMode4]: { parse: gatewayMode },
  [names.gatewayMode6]: { parse: gatewayMode },
  [names.masquerade4]: { parse: parseSource(4) },
  [names.masquerade6]: { parse: parseSource(6) },
  [names.trusted]: { parse: parseDevices },
  [names.mtu]: { parse: parseMtu },
  [names.ifnamePrefix]: { parse: parsePrefixOfName },
  [names.forwarding]: { parse: parseChoice('redirect', 'stack') },
  [names.labels]: { parse: parseLabels },
  'vetch.driver': { parse: String },
  'vetch.publish': { parse: hostOnly },
  'vetch.publish.return': elsewhere('overlay'),
  [accelerateOption]: { parse: parseAccelerate },
  'vetch.network': { unsupported: alone },
  'vetch.host-access': { unsupported: planned },
  [rateNames.ingress]: { parse: parseRate },
  [rateNames.egress]: { parse: parseRate },
  [`${bridge}.name`]: { unsupported: noDevice },
  [`${bridge}.default_bridge`]: { unsupported: noDevice },
  [`${bridge}.inhibit_ipv4`]: { unsupported: noDevice },
  encrypted: elsewhere('overlay'),
  'com.docker.network.driver.overlay.vxlanid_list': elsewhere('overlay'),
  parent: elsewhere('macvlan and ipvlan'),
  macvlan_mode: elsewhere('macvlan'),
  ipvlan_mode: elsewhere('ipvlan'),
  ipvlan_flag: elsewhere('ipvlan'),
};

export const bridgeEndpointRules: OptionRules = {
  [rateNames.ingress]: { parse: parseRate },
  [rateNames.egress]: { parse: parseRate },
  [accelerateOption]: { parse: parseAccelerate },
  'vetch.publish': { parse: hostOnly },
  'vetch.publish.return': elsewhere('overlay'),
  'vetch.host-access': { unsupported: planned },
  'com.docker.network.endpoint.ifname': { unsupported: 'name the device with --ifname' },
  'com.docker.network.endpoint.sysctls': { unsupported: 'set them in the container' },
};

/** Of options that `checkOptions` has let through. */
export function parseBridgeOptions(options: Options): BridgeOptions {
  const read = <Value>(name: string, parse: (value: string) => Value): Value | undefined => {
    const value = options[name];
    return value === undefined ? undefined : parse(value);
  };
  const hostBinding = read(names.hostBinding, parseBinding);
  const masquerade4 = read(names.masquerade4, parseSource(4));
  const masquerade6 = read(names.masquerade6, parseSource(6));
  const mtu = read(names.mtu, parseMtu);
  return {
    masquerade: read(names.masquerade, parseBoolean) ?? true,
    icc: read(names.icc, parseBoolean) ?? true,
    gatewayMode4: read(names.gatewayMode4, gatewayMode) ?? 'nat',
    gatewayMode6: read(names.gatewayMode6, gatewayMode) ?? 'nat',
    ...(hostBinding === undefined || hostBinding === '0.0.0.0' ? {} : { hostBinding }),
    ...(masquerade4 === undefined ? {} : { masquerade4 }),
    ...(masquerade6 === undefined ? {} : { masquerade6 }),
    trusted: read(names.trusted, parseDevices) ?? [],
    ...(mtu === undefined ? {} : { mtu }),
    ifnamePrefix: read(names.ifnamePrefix, parsePrefixOfName) ?? 'eth',
    forwarding: read(names.forwarding, parseChoice('redirect', 'stack')) ?? 'redirect',
    labels: read(names.labels, parseLabels) ?? {},
  };
}

/** Of either family, whatever the option's name says: so Docker has it. */
function parseBinding(value: string): string {
  try {
    return canonicalAddress(value);
  } catch (error) {
    if (!(error instanceof VetchError)) throw error;
  }
  throw new BadValue('use an address of this host, such as 127.0.0.1');
}

function parseSource(family: 4 | 6): (value: string) => string {
  return (value) => {
    try {
      const address = canonicalAddress(value);
      if (familyOf(address) === family && address !== '0.0.0.0' && address !== '::') return address;
    } catch (error) {
      if (!(error instanceof VetchError)) throw error;
    }
    throw new BadValue(`use an IPv${family} address of this host`);
  };
}

/** Docker's list: names with colons between them. */
function parseDevices(value: string): string[] {
  const devices = value.split(':').filter((name) => name !== '');
  if (devices.length > 0 && devices.every((name) => interfaceName.safeParse(name).success)) return devices;
  throw new BadValue('use names of devices, with ":" between them');
}

export function parsePrefixOfName(value: string): string {
  // Room for three digits.
  if (value.length <= 12 && interfaceName.safeParse(`${value}0`).success && value !== '') return value;
  throw new BadValue('use 1 to 12 characters, without space, "/", ":" and "%"');
}

function hostOnly(value: string): 'host' {
  if (parseChoice('host', 'cluster')(value) === 'host') return 'host';
  throw new VetchError('UNSUPPORTED', 'vetch.publish=cluster is not supported by a bridge network', planned);
}
