import { VetchError } from '../../api/error.ts';
import type { Network } from '../../model/network.ts';
import { checkOptions, type OptionRules, parseLabels } from '../options.ts';
import { type Driver, type NetworkDefaults, noCapabilities } from './contract.ts';

const labels = 'vetch.default-labels';

const rules: OptionRules = {
  'vetch.driver': { parse: String },
  [labels]: { parse: parseLabels },
};

/**
 * The host's own network namespace: an endpoint is the processes of a cgroup, has the host's addresses and devices, and is
 * under policy by programs at its cgroup.
 */
export const hostDriver: Driver = {
  name: 'host',
  capabilities: { ...noCapabilities, cgroups: true },
  checkNetworkOptions: (options) => checkOptions(rules, options, 'a host network'),
  checkEndpointOptions: (options) => checkOptions({}, options, 'an endpoint of a host network'),
  defaults(options): NetworkDefaults {
    const text = options[labels];
    return { ifnamePrefix: 'eth', labels: text === undefined ? {} : parseLabels(text), routed: [] };
  },
  checkNeighbours,
  planNetwork: ({ mtu }: Network) => ({
    flags: ['PRESENT'],
    mtu,
    trustedInterfaces: [],
    hostAddresses: [],
    hostRoutes: [],
    ownsSubnets: false,
    endpointRoutes: false,
  }),
  planSandbox() {
    throw new Error('an endpoint of a host network has no device');
  },
};

/** There is one namespace. */
function checkNeighbours(_options: Readonly<Record<string, string>>, networks: Iterable<Network>): void {
  for (const { driver, name } of networks) {
    if (driver !== 'host') continue;
    throw new VetchError('IN_USE', `network ${name} is the host's namespace already`, `attach to ${name}`);
  }
}
