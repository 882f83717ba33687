import type { Network } from '../../model/network.ts';
import { checkOptions, type OptionRules, parseLabels } from '../options.ts';
import type { Driver, NetworkDefaults, NetworkFlagName } from './contract.ts';

const labels = 'vetch.default-labels';

const rules: OptionRules = {
  'vetch.driver': { parse: String },
  [labels]: { parse: parseLabels },
};

/** What drivers have in common whose endpoints are known and listed, have labels and an identity, and neither device nor address. */
export function withoutDevice(name: 'host' | 'none', flags: readonly NetworkFlagName[]): Omit<Driver, 'capabilities'> {
  return {
    name,
    checkNetworkOptions: (options) => checkOptions(rules, options, `a ${name} network`),
    checkEndpointOptions: (options) => checkOptions({}, options, `an endpoint of a ${name} network`),
    defaults(options): NetworkDefaults {
      const text = options[labels];
      return { ifnamePrefix: 'eth', labels: text === undefined ? {} : parseLabels(text), routed: [] };
    },
    planNetwork: ({ mtu }: Network) => ({
      flags: [...flags],
      mtu,
      trustedInterfaces: [],
      hostAddresses: [],
      hostRoutes: [],
      ownsSubnets: false,
      endpointRoutes: false,
    }),
    planSandbox() {
      throw new Error(`an endpoint of a ${name} network has no device`);
    },
  };
}
