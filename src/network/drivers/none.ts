import type { Network } from '../../model/network.ts';
import { checkOptions, type OptionRules, parseLabels } from '../options.ts';
import { type Driver, type NetworkDefaults, noCapabilities } from './contract.ts';

const labels = 'vetch.default-labels';

const rules: OptionRules = {
  'vetch.driver': { parse: String },
  [labels]: { parse: parseLabels },
};

/** Loopback alone: an endpoint is known and listed, has labels and an identity, and neither device nor address. */
export const noneDriver: Driver = {
  name: 'none',
  capabilities: noCapabilities,
  checkNetworkOptions: (options) => checkOptions(rules, options, 'a none network'),
  checkEndpointOptions: (options) => checkOptions({}, options, 'an endpoint of a none network'),
  defaults(options): NetworkDefaults {
    const text = options[labels];
    return { ifnamePrefix: 'eth', labels: text === undefined ? {} : parseLabels(text), routed: [] };
  },
  planNetwork: ({ mtu }: Network) => ({
    flags: ['PRESENT', 'INTERNAL'],
    mtu,
    trustedInterfaces: [],
    hostAddresses: [],
    hostRoutes: [],
    ownsSubnets: false,
    endpointRoutes: false,
  }),
  planSandbox() {
    throw new Error('an endpoint of a none network has no device');
  },
};
