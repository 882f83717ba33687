import type { Intent } from '../../model/intent.ts';
import { returnsDirectly } from '../../network/publish-scope.ts';
import type { HostFacts, HostLink } from '../facts.ts';
import { uplinksOf } from './uplinks.ts';

/**
 * The uplinks at which packets to a port that another host answers for are sent on before the stack: there is such a
 * network, and the device is a physical one whose driver sends what XDP programs give it. A virtual one (veth, tun) may bring
 * packets whose checksums are still to be made, which a frame of XDP's cannot say. IPsec is the stack's to keep.
 */
export function straightUplinks({ networks }: Pick<Intent, 'networks'>, facts: HostFacts): HostLink[] {
  if (facts.ipsec || ![...networks.values()].some((network) => returnsDirectly({ options: {} }, network))) return [];
  return uplinksOf(facts, networks.values()).filter(({ xdpTransmits }) => xdpTransmits);
}
