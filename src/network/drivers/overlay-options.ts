import { VetchError } from '../../api/error.ts';
import { type OptionRules, parseBoolean, parseChoice } from '../options.ts';
import { bridgeEndpointRules, bridgeRules } from './bridge-options.ts';

const bridge = 'com.docker.network.bridge';
const ofBridges = { unsupported: 'leave it out: it belongs to bridge networks' };
const ofOneHost = { unsupported: 'leave it out: the network is on several hosts, and an address is of one' };

/** Those of a bridge network that several hosts can have in common; `parseBridgeOptions` reads them. */
export const overlayRules: OptionRules = {
  ...bridgeRules,
  [`${bridge}.gateway_mode_ipv4`]: ofBridges,
  [`${bridge}.gateway_mode_ipv6`]: ofBridges,
  [`${bridge}.trusted_host_interfaces`]: ofBridges,
  'com.docker.network.host_ipv4': ofOneHost,
  'com.docker.network.host_ipv6': ofOneHost,
  'vetch.publish': { parse: parseChoice('host', 'cluster') },
  encrypted: { parse: unencrypted },
  'com.docker.network.driver.overlay.vxlanid_list': {
    unsupported: 'leave it out: the network gets a number of its own',
  },
};

export const overlayEndpointRules: OptionRules = {
  ...bridgeEndpointRules,
  'vetch.publish': { parse: parseChoice('host', 'cluster') },
};

/** Docker gives it without a value, too. */
function unencrypted(value: string): void {
  if (value !== '' && !parseBoolean(value)) return;
  const remedy = 'leave it out: what crosses the hosts is not encrypted yet';
  throw new VetchError('UNSUPPORTED', 'an overlay network cannot be encrypted', remedy);
}
