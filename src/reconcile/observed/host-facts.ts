import { isIPv4 } from '../../model/address.ts';
import { hasIpsecPolicies } from '../../netlink/ipsec.ts';
import type { Netlink } from '../../netlink/netlink.ts';
import { readSysctl } from '../../netlink/sysctl.ts';
import { isLoopback } from '../desired/host-addrs.ts';
import type { HostFacts, PortRange } from '../facts.ts';

/** Reads what `desired` has to know of the host. */
export function observeFacts(
  netlink: Netlink,
  fixed: Pick<HostFacts, 'netnsCookie' | 'uplink' | 'cgroups'>,
): HostFacts {
  const defaults = netlink.routes().filter(({ destination }) => destination === '0.0.0.0/0' || destination === '::/0');
  return {
    ...fixed,
    links: netlink.linkSummaries().map(({ index, ...link }) => ({ ifindex: index, ...link })),
    addresses: netlink.addresses().map((address) => ({ ...address, global: isGlobal(address.address) })),
    defaultRoutes: [
      ...new Set(
        defaults.flatMap(({ ifindex, nextHops = [] }) => [ifindex ?? [], nextHops.map((hop) => hop.ifindex)].flat()),
      ),
    ],
    localPorts: localPorts(),
    ipsec: hasIpsecPolicies(),
  };
}

function localPorts(): PortRange {
  const [first = 32768, last = 60999] = readSysctl(undefined, 'net/ipv4/ip_local_port_range').split(/\s+/).map(Number);
  return { first, last };
}

/** Not loopback, 169.254.0.0/16 or fe80::/10. */
function isGlobal(address: Uint8Array): boolean {
  if (isLoopback(address)) return false;
  if (isIPv4(address)) return !(address[12] === 169 && address[13] === 254);
  return !(address[0] === 0xfe && ((address[1] ?? 0) & 0xc0) === 0x80);
}
