import type { Endpoint } from '../model/endpoint.ts';
import type { Intent } from '../model/intent.ts';
import { driverOf } from '../network/drivers/registry.ts';
import {
  createEndpointDevice,
  createHostDevice,
  deleteDevice,
  deleteDevices,
  ensureSysctls,
  openSandbox,
} from './apply/devices.ts';
import { closedDevice, hostDevice } from './desired/devices.ts';
import type { HostParts } from './host-parts.ts';
import type { MakingStep, WantedDevices } from './plan/devices.ts';

/**
 * Has every device of ours there, those that are new still down; those that are nobody's go.
 *
 * @returns the names of the devices that it made: what belongs to them is made with them, and no drift of its own
 */
export async function makeDevices(
  parts: HostParts,
  intent: Intent,
  wanted: WantedDevices,
  steps: readonly MakingStep[],
): Promise<Set<string>> {
  const endpoints = new Map([...intent.endpoints.values()].map((endpoint) => [endpoint.hostIfname, endpoint]));
  const made = new Set<string>();
  const orphans = steps.filter((step) => step.kind === 'delete-orphan').map(({ link }) => link);
  parts.attempt('delete-orphan', () => {
    deleteDevices(parts.netlink, orphans);
    parts.count('device', orphans.length);
  });
  for (const step of steps) {
    try {
      if (step.kind === 'delete-orphan') continue;
      if (step.kind === 'create-endpoint') {
        const endpoint = endpoints.get(step.hostIfname);
        if (!endpoint || !(await remake(parts, endpoint, intent))) continue;
        made.add(step.hostIfname);
      } else {
        if (step.broken) deleteDevice(parts.netlink, step.broken);
        createHostDevice(parts.netlink, wanted.host.mtu);
        made.add(hostDevice.name).add(hostDevice.peer);
      }
      parts.count('device', 1);
    } catch (error) {
      parts.options.failed(step.kind, error);
    }
  }
  return made;
}

/** Gives an endpoint a device again, if its sandbox is still there. */
async function remake({ netlink, options, devices, lost }: HostParts, endpoint: Endpoint, intent: Intent) {
  const network = intent.networks.get(endpoint.network);
  using sandbox = await options.sandboxOf(endpoint);
  devices.delete(endpoint.id);
  if (!network || !sandbox) {
    lost.set(endpoint.id, `its sandbox ${endpoint.netns || 'at its engine'} is gone`);
    return false;
  }
  const plan = driverOf(network).planSandbox(network, endpoint);
  try {
    const ifindex = createEndpointDevice(netlink, plan, sandbox);
    try {
      ensureSysctls(closedDevice(endpoint.hostIfname));
      openSandbox(sandbox, plan);
    } catch (error) {
      deleteDevice(netlink, { ifindex });
      throw error;
    }
  } catch (error) {
    lost.set(endpoint.id, `its device cannot be made: ${error instanceof Error ? error.message : error}`);
    throw error;
  }
  lost.delete(endpoint.id);
  return true;
}
