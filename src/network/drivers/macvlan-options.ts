import { VetchError } from '../../api/error.ts';
import { interfaceName } from '../../api/schemas/common.ts';
import { accelerateOption, parseAccelerate } from '../accelerate.ts';
import { parseMtu } from '../mtu.ts';
import { BadValue, type OptionRules, parseBoolean, parseChoice, parseLabels } from '../options.ts';
import { parseRate, rateNames } from '../rates.ts';
import { parsePrefixOfName } from './bridge-options.ts';

type Options = Readonly<Record<string, string>>;

/** What the options of a macvlan network say, defaults filled in. */
export interface MacvlanOptions {
  /** Absent: there is no LAN, and the network is internal. */
  readonly parent?: string;
  /**
   * Docker's words. `bridge`, the default: endpoints reach each other on this host. `private`: they never do. `vepa`: by
   * the switch outside, which has to send frames back where they came from. `passthru`: one endpoint has the parent for
   * itself.
   */
  readonly mode: 'bridge' | 'private' | 'vepa' | 'passthru';
  /** Default false: endpoints and their own host do not reach each other. */
  readonly hostAccess: boolean;
  readonly mtu?: number;
  /** Default `eth`. */
  readonly ifnamePrefix: string;
  /** Default none. */
  readonly labels: Readonly<Record<string, string>>;
}

const names = {
  parent: 'parent',
  mode: 'macvlan_mode',
  hostAccess: 'vetch.host-access',
  mtu: 'com.docker.network.driver.mtu',
  ifnamePrefix: 'com.docker.network.container_iface_prefix',
  labels: 'vetch.default-labels',
} as const;

const mode = parseChoice('bridge', 'private', 'vepa', 'passthru');
const planned = { unsupported: 'leave it out: it is planned and not built yet' };
const ofBridges = { unsupported: 'leave it out: it belongs to bridge networks' };
const ofIpvlan = { unsupported: 'leave it out: it belongs to ipvlan networks' };
const bridge = 'com.docker.network.bridge';

export const macvlanRules: OptionRules = {
  [names.parent]: { parse: parseParent },
  [names.mode]: { parse: mode },
  [names.hostAccess]: { parse: parseBoolean },
  [names.mtu]: { parse: parseMtu },
  [names.ifnamePrefix]: { parse: parsePrefixOfName },
  [names.labels]: { parse: parseLabels },
  'vetch.driver': { parse: String },
  [accelerateOption]: { parse: offOnly },
  [rateNames.ingress]: { parse: parseRate },
  [rateNames.egress]: { parse: parseRate },
  'vetch.network': planned,
  'vetch.publish': { unsupported: 'leave it out: every port is reached at the own address of its endpoint' },
  'vetch.publish.return': { unsupported: 'leave it out: every answer leaves by the parent device' },
  'vetch.forwarding': ofBridges,
  [`${bridge}.enable_ip_masquerade`]: ofBridges,
  [`${bridge}.enable_icc`]: { unsupported: 'use macvlan_mode=private' },
  [`${bridge}.host_binding_ipv4`]: ofBridges,
  ipvlan_mode: ofIpvlan,
  ipvlan_flag: ofIpvlan,
};

export const macvlanEndpointRules: OptionRules = {
  [rateNames.ingress]: { parse: parseRate },
  [rateNames.egress]: { parse: parseRate },
  [accelerateOption]: { parse: offOnly },
  'com.docker.network.endpoint.ifname': { unsupported: 'name the device with --ifname' },
  'com.docker.network.endpoint.sysctls': { unsupported: 'set them in the container' },
};

/** Of options that `checkOptions` has let through. */
export function parseMacvlanOptions(options: Options): MacvlanOptions {
  const read = <Value>(name: string, parse: (value: string) => Value): Value | undefined => {
    const value = options[name];
    return value === undefined ? undefined : parse(value);
  };
  const parent = read(names.parent, parseParent);
  const mtu = read(names.mtu, parseMtu);
  return {
    ...(parent === undefined || parent === '' ? {} : { parent }),
    mode: read(names.mode, mode) ?? 'bridge',
    hostAccess: read(names.hostAccess, parseBoolean) ?? false,
    ...(mtu === undefined ? {} : { mtu }),
    ifnamePrefix: read(names.ifnamePrefix, parsePrefixOfName) ?? 'eth',
    labels: read(names.labels, parseLabels) ?? {},
  };
}

/** As Docker has it, an empty one is none. */
export function parseParent(value: string): string {
  if (value === '') return value;
  if (value !== 'lo' && interfaceName.safeParse(value).success) return value;
  throw new BadValue('name a device of the host that leads to the LAN, such as eth0, or eth0.10 for its VLAN 10');
}

/** Endpoints may be under a switch outside, which sees what passes between them. */
function offOnly(value: string): 'off' {
  if (parseAccelerate(value) === 'off') return 'off';
  const hint = 'leave it out: it belongs to bridge and overlay networks';
  throw new VetchError(
    'UNSUPPORTED',
    `${accelerateOption}=latency is not supported by a macvlan or ipvlan network`,
    hint,
  );
}
