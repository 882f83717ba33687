import { VetchError } from '../../api/error.ts';
import type { Network } from '../../model/network.ts';
import { bridgeDriver } from './bridge.ts';
import type { Driver, NetworkPlan } from './contract.ts';
import { hostDriver } from './host.ts';
import { ipvlanDriver } from './ipvlan.ts';
import { macvlanDriver } from './macvlan.ts';
import { noneDriver } from './none.ts';
import { overlayDriver } from './overlay.ts';

const drivers: ReadonlyMap<string, Driver> = new Map(
  [bridgeDriver, overlayDriver, macvlanDriver, ipvlanDriver, hostDriver, noneDriver].map((driver) => [
    driver.name,
    driver,
  ]),
);

/** @throws VetchError INVALID: there is no such driver */
export function driverNamed(name: string): Driver {
  const driver = drivers.get(name);
  if (driver !== undefined) return driver;
  throw new VetchError('INVALID', `there is no driver '${name}'`, `use ${[...drivers.keys()].join(' or ')}`);
}

export function driverOf(network: Pick<Network, 'driver'>): Driver {
  return driverNamed(network.driver);
}

const plans = new WeakMap<Network, NetworkPlan>();

/** What a network needs; made once of each record, which never changes. */
export function planOf(network: Network): NetworkPlan {
  const known = plans.get(network);
  if (known !== undefined) return known;
  const plan = driverOf(network).planNetwork(network);
  plans.set(network, plan);
  return plan;
}
