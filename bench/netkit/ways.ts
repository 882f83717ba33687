import { fileURLToPath } from 'node:url';
import { BpfCommand, bpf } from '../../src/loader/ffi/bpf.ts';
import { Link } from '../../src/loader/link/link.ts';
import { attachTcx } from '../../src/loader/link/tcx.ts';
import { BpfObject } from '../../src/loader/object.ts';
import type { Program } from '../../src/loader/program.ts';
import { LinkAttribute, LinkFlag, LinkInfo } from '../../src/netlink/link.ts';
import { Flag, type Request, Rtm } from '../../src/netlink/message.ts';
import { MessageWriter } from '../../src/netlink/message-writer.ts';
import { Netlink } from '../../src/netlink/netlink.ts';
import { createNetns, type Netns, withNetns } from '../../src/netlink/netns.ts';

/** What leads from a machine to the host. */
export type Kind = 'veth' | 'netkit';

/** How the program at a container's device is attached. */
export type Hook = 'clsact' | 'tcx' | 'netkit';

/** Two machines that talk, at 10.0.0.1 and 10.0.0.2. */
export interface Way {
  readonly name: string;
  readonly left: Netns;
  readonly right: Netns;
}

const object = fileURLToPath(new URL('netkit.bpf.o', import.meta.url));

/** Of linux/if_link.h and linux/bpf.h. */
const netkitInfo = { PEER_INFO: 1, MODE: 5 } as const;
const NETKIT_L2 = 0;
const BPF_NETKIT_PEER = 55;

/** Two machines and the cable between them, without any program. */
export function cable(kind: Kind): Way {
  const [left, right] = [createNetns(), createNetns()];
  makePair(left, kind, right);
  for (const [index, ns] of [left, right].entries()) bringUp(ns, index + 1);
  return { name: `bare ${kind}`, left, right };
}

/** Two containers of a host. */
export function containers(hook: Hook): Way {
  const { host, left, right, ends } = threeMachines(kindOf(hook), kindOf(hook));
  // From netkit's hook, which is the sender's egress, no program can redirect to a peer.
  const name = hook === 'netkit' ? 'out_by_device' : 'into_container';
  for (const index of ends) attach(host, hook, program(name, ends), index);
  return { name: `${hook}, ${name}`, left, right };
}

/** A machine outside, at the host's uplink, which is a veth pair, and a container. */
export function outside(hook: Hook): Way {
  const { host, left, right, ends } = threeMachines('veth', kindOf(hook));
  attach(host, 'tcx', program('into_container', ends), ends[0]);
  attach(host, hook, program('out_by_device', ends), ends[1]);
  return { name: hook, left, right };
}

const kindOf = (hook: Hook): Kind => (hook === 'netkit' ? 'netkit' : 'veth');

interface ThreeMachines {
  readonly host: Netns;
  readonly left: Netns;
  readonly right: Netns;
  /** Ifindexes of the host's ends. */
  readonly ends: readonly [left: number, right: number];
}

function threeMachines(leftKind: Kind, rightKind: Kind): ThreeMachines {
  const [host, left, right] = [createNetns(), createNetns(), createNetns()];
  const ends = [makePair(host, leftKind, left, 'left'), makePair(host, rightKind, right, 'right')] as const;
  for (const [index, ns] of [left, right].entries()) bringUp(ns, index + 1);
  return { host, left, right, ends };
}

/** @returns the ifindex of the end that is in `at` */
function makePair(at: Netns, kind: Kind, peer: Netns, name = 'eth0'): number {
  using netlink = Netlink.open(at);
  if (kind === 'veth') return netlink.createVeth({ name, up: true, peer: { name: 'eth0', netns: peer } }).index;
  netlink.batch([createNetkit(name, peer)]);
  return netlink.link(name)?.index ?? 0;
}

/** Its primary is in the namespace of the socket. */
function createNetkit(name: string, peer: Netns): Request {
  const writer = new MessageWriter();
  writer.u32(0).u32(0).u32(LinkFlag.UP).u32(LinkFlag.UP).attributeText(LinkAttribute.IFNAME, name);
  writer.nested(LinkAttribute.LINKINFO, (info) => {
    info.attributeText(LinkInfo.KIND, 'netkit').nested(LinkInfo.DATA, (data) => {
      data.attributeU32(netkitInfo.MODE, NETKIT_L2).block(netkitInfo.PEER_INFO, (other) => {
        other.u32(0).u32(0).u32(0).u32(0).attributeText(LinkAttribute.IFNAME, 'eth0');
        other.attributeU32(LinkAttribute.NET_NS_FD, peer.fd);
      });
    });
  });
  const flags = Flag.CREATE | Flag.EXCL;
  return { type: Rtm.NEWLINK, flags, payload: writer.finish(), operation: 'create', object: `netkit device ${name}` };
}

function bringUp(ns: Netns, number: number): void {
  using netlink = Netlink.open(ns);
  netlink.setLink('eth0', { up: true });
  netlink.addAddress(netlink.link('eth0')?.index ?? 0, `10.0.0.${number}/24`);
}

function program(name: string, [left, right]: readonly [number, number]): Program {
  return BpfObject.load(object, { programs: [name], rodata: { left, right } }).program(name);
}

/** Attaches, for as long as this process lives, to what comes from the device's far end. */
function attach(host: Netns, hook: Hook, { fd, name }: Program, ifindex: number): void {
  if (hook === 'clsact') {
    using netlink = Netlink.open(host);
    netlink.addClsact(ifindex);
    netlink.addBpfFilter({ ifindex, parent: 'ingress', fd, name });
  } else if (hook === 'tcx') {
    withNetns(host, () => void attachTcx({ program: { fd, name }, ifindex, direction: 'ingress' }));
  } else {
    withNetns(host, () => {
      const link = bpf(BpfCommand.LINK_CREATE, 'linkCreate', {
        prog_fd: fd,
        target: ifindex,
        attach_type: BPF_NETKIT_PEER,
      });
      if (link < 0) throw new Error(`attach ${name} to netkit: errno ${-link}`);
      Link.own(link);
    });
  }
}
