import type { Endpoint } from '../model/endpoint.ts';
import type { Network } from '../model/network.ts';
import { parseChoice } from './options.ts';
import { ratesOf } from './rates.ts';

/** Name of an option of endpoints and of networks. */
export const accelerateOption = 'vetch.accelerate';

/** `latency`: TCP between endpoints of one host goes from socket to socket. @throws BadValue */
export const parseAccelerate = parseChoice('off', 'latency');

/**
 * Whether an endpoint's connections may go past the stack: its option, else its network's, says so. What has a limit has to
 * go where packets are counted.
 */
export function isAccelerated(endpoint: Endpoint, network: Network): boolean {
  const option = endpoint.options[accelerateOption] ?? network.options[accelerateOption];
  if (option !== 'latency') return false;
  const { ingress, egress } = ratesOf(endpoint, network);
  return ingress === undefined && egress === undefined;
}
