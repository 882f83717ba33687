import type { CgroupAttachType } from '../../loader/attach-type.ts';
import type { Endpoint } from '../../model/endpoint.ts';
import type { Intent } from '../../model/intent.ts';
import { isAccelerated } from '../../network/accelerate.ts';
import { driverOf, planOf } from '../../network/drivers/registry.ts';
import { type HostFacts, linksByName } from '../facts.ts';
import { hostDevice, overlayDevice, shaperDevice, wireguardDevices } from './devices.ts';
import { straightUplinks } from './straight.ts';
import { uplinksOf } from './uplinks.ts';

/** A program at a device. */
export interface DeviceAttachment {
  readonly kind: 'ingress' | 'egress' | 'xdp';
  /** The hook's name in the pin tree. */
  readonly hook: string;
  readonly program: string;
  /** Name of the device. */
  readonly target: string;
  readonly ifindex: number;
}

/** A program at a cgroup. */
export interface CgroupAttachment {
  readonly kind: 'cgroup';
  readonly hook: string;
  readonly program: string;
  /** Path of the cgroup. */
  readonly target: string;
  readonly attachType: CgroupAttachType;
  /** Its id, where it is an endpoint's: another one may come to have its path. */
  readonly cgroupId?: bigint;
}

export type Attachment = DeviceAttachment | CgroupAttachment;

/** The socket hooks: one program for each way in which a process names whom it talks to, and for its claim to a port. */
const socketHooks: readonly (readonly [program: string, attachType: CgroupAttachType])[] = [
  ['sock_connect4', 'CGROUP_INET4_CONNECT'],
  ['sock_connect6', 'CGROUP_INET6_CONNECT'],
  ['sock_sendmsg4', 'CGROUP_UDP4_SENDMSG'],
  ['sock_sendmsg6', 'CGROUP_UDP6_SENDMSG'],
  ['sock_recvmsg4', 'CGROUP_UDP4_RECVMSG'],
  ['sock_recvmsg6', 'CGROUP_UDP6_RECVMSG'],
  ['sock_getpeer4', 'CGROUP_INET4_GETPEERNAME'],
  ['sock_getpeer6', 'CGROUP_INET6_GETPEERNAME'],
  ['sock_bind4', 'CGROUP_INET4_BIND'],
  ['sock_bind6', 'CGROUP_INET6_BIND'],
];

/** Where every program should run, apart from the shared filter block; the host's own devices' first. */
export function desiredAttachments(
  intent: Pick<Intent, 'networks' | 'endpoints' | 'deny'>,
  facts: HostFacts,
  cgroup: string,
): Attachment[] {
  const links = linksByName(facts);
  const host = links.get(hostDevice.name);
  const uplinks = uplinksOf(facts, intent.networks.values());
  const attachments: Attachment[] = [];
  if (host) {
    const { name: target, ifindex } = host;
    attachments.push({ kind: 'egress', hook: 'from_host', program: 'from_host', target, ifindex });
  }
  const shaper = links.get(shaperDevice.peer);
  if (shaper) {
    const { name: target, ifindex } = shaper;
    attachments.push({ kind: 'ingress', hook: 'from_shaper', program: 'from_shaper', target, ifindex });
  }
  const overlay = links.get(overlayDevice.name);
  if (overlay) {
    const { name: target, ifindex } = overlay;
    attachments.push({ kind: 'ingress', hook: 'from_overlay', program: 'from_overlay', target, ifindex });
  }
  for (const name of wireguardDevices) {
    const device = links.get(name);
    if (device?.kind !== 'wireguard') continue;
    const { name: target, ifindex } = device;
    attachments.push({ kind: 'ingress', hook: 'from_wireguard', program: 'from_wireguard', target, ifindex });
  }
  for (const { name: target, ifindex, ethernet } of uplinks) {
    const program = ethernet ? 'from_uplink' : 'from_uplink_l3';
    attachments.push({ kind: 'ingress', hook: 'from_uplink', program, target, ifindex });
  }
  for (const network of intent.networks.values()) {
    const { lan } = planOf(network);
    const parent = lan?.mode === 'shared' ? links.get(lan.parent) : undefined;
    if (!parent) continue;
    const { name: target, ifindex } = parent;
    attachments.push({ kind: 'ingress', hook: 'from_parent', program: 'from_parent', target, ifindex });
  }
  // An idle XDP program costs a veth half of its bulk rate.
  for (const { name: target, ifindex, ethernet } of intent.deny.size > 0 ? uplinks : straightUplinks(intent, facts)) {
    if (!ethernet) continue;
    attachments.push({ kind: 'xdp', hook: 'xdp_uplink', program: 'xdp_uplink', target, ifindex });
  }
  for (const [program, attachType] of socketHooks) {
    attachments.push({ kind: 'cgroup', hook: program, program, target: cgroup, attachType });
  }
  // Otherwise no connection of the host pays for it.
  if ([...intent.endpoints.values()].some((endpoint) => mayBypass(endpoint, intent.networks))) {
    attachments.push(joinAttachment(cgroup));
  }
  if (facts.cgroups?.size) {
    for (const { network: id, cgroup: target } of intent.endpoints.values()) {
      const network = intent.networks.get(id);
      const cgroupId = target === undefined ? undefined : facts.cgroups.get(target);
      if (!network || target === undefined || cgroupId === undefined) continue;
      if (driverOf(network).capabilities.cgroups) attachments.push(...cgroupAttachments(target, cgroupId));
    }
  }
  return attachments;
}

/** Where connections are seen that may go from socket to socket. */
export function joinAttachment(cgroup: string): CgroupAttachment {
  return { kind: 'cgroup', hook: 'sock_join', program: 'sock_join', target: cgroup, attachType: 'CGROUP_SOCK_OPS' };
}

function mayBypass(endpoint: Endpoint, networks: Intent['networks']): boolean {
  const network = networks.get(endpoint.network);
  return network !== undefined && isAccelerated(endpoint, network);
}

/** Where an endpoint in the host's namespace is under policy. */
export function cgroupAttachments(
  target: string,
  cgroupId: bigint,
): [egress: CgroupAttachment, ingress: CgroupAttachment] {
  const place = { kind: 'cgroup', target, cgroupId } as const;
  return [
    { ...place, hook: 'cgroup_egress', program: 'cgroup_egress', attachType: 'CGROUP_INET_EGRESS' },
    { ...place, hook: 'cgroup_ingress', program: 'cgroup_ingress', attachType: 'CGROUP_INET_INGRESS' },
  ];
}
