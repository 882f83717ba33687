import { ServiceFlag } from '../../../src/maps/generated/abi.ts';
import { parseAddress } from '../../../src/model/address.ts';
import { serviceCheck } from '../../../src/reconcile/desired/services.ts';
import { Protocol } from '../packet/ip.ts';
import { type EndpointName, endpoints, networks } from './plan.ts';
import type { World } from './world.ts';

/** Virtual addresses in the network of `a` and `b`. */
export const vip = { 4: '10.88.0.200', 6: 'fd00:88::200' } as const;

export interface ServiceOptions {
  readonly flags?: (keyof typeof ServiceFlag)[];
  readonly affinity?: number;
}

/** Number of the service, and the element in which its table begins. */
const number = 1;
const first = 7;

/** Puts TCP 80 and UDP 53 of these endpoints behind the virtual addresses; each has a slot in turn, of 127. */
export function serve(world: World, backends: readonly EndpointName[], options: ServiceOptions = {}): void {
  const { affinity, services, serviceSlots, serviceMembers, endpointAddrs } = world.maps;
  affinity.deleteManyRaw([...affinity.rawEntries()].map(([key]) => key));
  serviceMembers.deleteManyRaw([...serviceMembers.rawEntries()].map(([key]) => key));
  const network = networks.blue.number;
  for (const name of backends) {
    const { ip4, ip6, number: endpoint, network: of } = endpoints[name];
    const addresses = { v4: parseAddress(ip4), v6: parseAddress(ip6), network: networks[of].number };
    endpointAddrs.set(endpoint, addresses);
    serviceMembers.set({ service: number, endpoint }, 1);
  }
  const slots = backends.length === 0 ? 0 : 127;
  const backend = Array.from({ length: 128 }, (_, i) => {
    const name = i < slots ? backends[i % backends.length] : undefined;
    return name === undefined ? 0 : endpoints[name].number;
  });
  serviceSlots.set(first, { backend });
  const flags = (options.flags ?? []).reduce((all, flag) => all | ServiceFlag[flag], 0);
  const value = { number, first, slots, affinity: options.affinity ?? 0, flags };
  for (const addr of [vip[4], vip[6]].map(parseAddress)) {
    for (const [port, protocol, to] of [
      [0, 0, 0],
      [8080, Protocol.TCP, 80],
      [8053, Protocol.UDP, 53],
    ] as const) {
      const key = { addr, network, port, protocol };
      services.set(key, { ...value, check: serviceCheck(key), port: to, ...(port === 0 ? { slots: 0 } : {}) });
    }
  }
}
