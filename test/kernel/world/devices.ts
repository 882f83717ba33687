import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { NamespaceType, unshare } from '../../../src/loader/ffi/libc.ts';
import { endpoints, hostDevice, lanDeviceOf, networks, overlay, uplink } from './plan.ts';

/**
 * Moves this process into network and mount namespaces of its own, and makes the devices of the plan there: every
 * veth's far end stays beside it, silent. The namespaces end with the process.
 */
export function enterWorld(): void {
  unshare(NamespaceType.MOUNT | NamespaceType.NETWORK);
  execFileSync('mount', ['--make-rprivate', '/']);
  // Nobody may speak but the packets of a test
  for (const scope of ['all', 'default']) {
    writeFileSync(`/proc/sys/net/ipv6/conf/${scope}/disable_ipv6`, '1');
    writeFileSync(`/proc/sys/net/ipv4/conf/${scope}/rp_filter`, '1');
  }
  const lines = [
    'link set lo up',
    `link add ${overlay.device} type vxlan external dstport 4789`,
    `link set ${overlay.device} up`,
  ];
  const joined = Object.values(endpoints).flatMap((endpoint) => {
    const device = lanDeviceOf(endpoint);
    return device === undefined ? [] : [{ device, mac: endpoint.mac }];
  });
  for (const { device, mac } of [...Object.values(endpoints), ...joined, hostDevice, uplink]) {
    lines.push(
      `link add ${device} address ${mac} type veth peer name ${device}p`,
      `link set ${device} up`,
      `link set ${device}p up`,
    );
  }
  ip(lines);
  for (const device of [uplink.device, hostDevice.device]) {
    writeFileSync(`/proc/sys/net/ipv6/conf/${device}/disable_ipv6`, '0');
  }
  ip([
    `address add ${uplink.ip4}/24 dev ${uplink.device}`,
    `address add ${uplink.ip6}/64 dev ${uplink.device} nodad`,
    `route add default via ${uplink.gateway4}`,
    `route add ::/0 via ${uplink.gateway6}`,
    `neighbour replace ${uplink.gateway4} lladdr ${uplink.gatewayMac} dev ${uplink.device} nud permanent`,
    `neighbour replace ${uplink.gateway6} lladdr ${uplink.gatewayMac} dev ${uplink.device} nud permanent`,
    ...Object.values(networks)
      .filter(({ flags }) => !(flags as readonly string[]).includes('LAN'))
      .flatMap(({ subnet4, subnet6, gateway4, gateway6 }) => [
        `address add ${gateway4}/32 dev ${hostDevice.device}`,
        `address add ${gateway6}/128 dev ${hostDevice.device} nodad`,
        `route add ${subnet4} dev ${hostDevice.device} src ${gateway4}`,
        `route add ${subnet6} dev ${hostDevice.device}`,
      ]),
  ]);
  for (const path of ['ipv4', 'ipv6']) writeFileSync(`/proc/sys/net/${path}/conf/${hostDevice.device}/forwarding`, '1');
}

function ip(lines: readonly string[]): void {
  execFileSync('ip', ['-batch', '-'], { input: lines.join('\n'), stdio: ['pipe', 'ignore', 'pipe'] });
}
