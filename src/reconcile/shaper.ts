import { KernelError } from '../loader/kernel-error.ts';
import type { Netlink } from '../netlink/netlink.ts';
import { deleteDevice, ensureSysctls } from './apply/devices.ts';
import { closedDevice, shaperDevice } from './desired/devices.ts';

/** Packets in fq: far more than limits let wait, so that it is they that decide, and count what they drop. */
const limits = { all: 1_000_000, ofFlow: 1_000_000 };

/** Where packets wait that a limit delays, as long as there are limits and the kernel has fq. */
export class Shaper {
  readonly #netlink: Netlink;
  /** The kernel has no fq: it is not asked again before the next start. */
  #missing = false;
  #ifindex = 0;

  constructor(netlink: Netlink) {
    this.#netlink = netlink;
  }

  /** Of where packets enter; 0: there is none. */
  get ifindex(): number {
    return this.#ifindex;
  }

  /**
   * Has it there, whole, or gone.
   *
   * @returns whether devices have come or gone
   * @throws KernelError: nothing is there then
   */
  ensure(wanted: boolean): boolean {
    const { name, peer } = shaperDevice;
    const found = [name, peer].map((device) => this.#netlink.link(device));
    const there = found.find((link) => link !== undefined);
    if (!wanted || this.#missing) {
      this.#ifindex = 0;
      if (there) deleteDevice(this.#netlink, { ifindex: there.index });
      return there !== undefined;
    }
    const [device] = found;
    if (device && found[1] && device.up && found[1].up && this.#queues(device.index)) {
      this.#ifindex = device.index;
      return false;
    }
    this.#ifindex = 0;
    if (there) deleteDevice(this.#netlink, { ifindex: there.index });
    this.#ifindex = this.#make();
    return true;
  }

  #queues(ifindex: number): boolean {
    return this.#netlink.qdiscs().some((qdisc) => qdisc.ifindex === ifindex && qdisc.kind === 'fq');
  }

  /** @returns its ifindex; 0: the kernel has no fq */
  #make(): number {
    const { name, peer, mac, peerMac, mtu } = shaperDevice;
    const netlink = this.#netlink;
    const { index, peerIndex } = netlink.createVeth({
      ...{ name, mac, mtu, noarp: true },
      peer: { name: peer, mac: peerMac, mtu, noarp: true },
    });
    try {
      netlink.replaceByFq(index, limits);
      ensureSysctls([...closedDevice(name), ...closedDevice(peer)]);
      for (const ifindex of [peerIndex, index]) netlink.setLink(ifindex, { up: true });
      return index;
    } catch (error) {
      deleteDevice(netlink, { ifindex: index });
      if (!KernelError.is(error, 'ENOENT', 'EOPNOTSUPP')) throw error;
      this.#missing = true;
      return 0;
    }
  }
}
