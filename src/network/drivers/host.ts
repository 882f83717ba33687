import { VetchError } from '../../api/error.ts';
import type { Network } from '../../model/network.ts';
import { type Driver, noCapabilities } from './contract.ts';
import { withoutDevice } from './without-device.ts';

/**
 * The host's own network namespace: an endpoint is the processes of a cgroup, has the host's addresses and devices, and is
 * under policy by programs at its cgroup.
 */
export const hostDriver: Driver = {
  ...withoutDevice('host', ['PRESENT']),
  capabilities: { ...noCapabilities, cgroups: true },
  checkNeighbours,
};

/** There is one namespace. */
function checkNeighbours(_options: Readonly<Record<string, string>>, networks: Iterable<Network>): void {
  for (const { driver, name } of networks) {
    if (driver !== 'host') continue;
    throw new VetchError('IN_USE', `network ${name} is the host's namespace already`, `attach to ${name}`);
  }
}
