import { type OptionRules, parseChoice } from '../options.ts';
import { bridgeEndpointRules, bridgeRules } from './bridge-options.ts';
import { encryptionOption, parseEncrypted } from './encryption.ts';

const bridge = 'com.docker.network.bridge';
const ofBridges = { unsupported: 'leave it out: it belongs to bridge networks' };
const ofOneHost = { unsupported: 'leave it out: the network is on several hosts, and an address is of one' };

const publishRules: OptionRules = {
  'vetch.publish': { parse: parseChoice('host', 'cluster') },
  'vetch.publish.return': { parse: parseChoice('translated', 'direct') },
};

/** Those of a bridge network that several hosts can have in common; `parseBridgeOptions` reads them. */
export const overlayRules: OptionRules = {
  ...bridgeRules,
  [`${bridge}.gateway_mode_ipv4`]: ofBridges,
  [`${bridge}.gateway_mode_ipv6`]: ofBridges,
  [`${bridge}.trusted_host_interfaces`]: ofBridges,
  'com.docker.network.host_ipv4': ofOneHost,
  'com.docker.network.host_ipv6': ofOneHost,
  ...publishRules,
  [encryptionOption]: { parse: parseEncrypted },
  'com.docker.network.driver.overlay.vxlanid_list': {
    unsupported: 'leave it out: the network gets a number of its own',
  },
};

export const overlayEndpointRules: OptionRules = {
  ...bridgeEndpointRules,
  ...publishRules,
};
