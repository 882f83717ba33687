import { VetchError } from '../api/error.ts';
import { KernelError } from '../loader/kernel-error.ts';
import type { Link } from '../netlink/link.ts';
import type { Netlink } from '../netlink/netlink.ts';
import { deleteDevice, ensureSysctls } from './apply/devices.ts';
import { tunnelPort } from './desired/config.ts';
import { closedDevice, overlayDevice } from './desired/devices.ts';
import type { Tunnel } from './desired/tunnel.ts';

const noTunnel = 'networks do not span hosts here: no uplink of this host has an address that others could tunnel to';

/** What leads to other hosts, as long as some network spans them. */
export class OverlayDevice {
  readonly #netlink: Netlink;
  #ifindex = 0;
  /** Why there is none though there should be; undefined: nothing is amiss. */
  problem: string | undefined;

  constructor(netlink: Netlink) {
    this.#netlink = netlink;
  }

  /** 0: nothing gets to other hosts. */
  get ifindex(): number {
    return this.#ifindex;
  }

  /**
   * Has it there, or gone. A new one is down: what it receives must meet its program.
   *
   * @param needed some network spans hosts
   * @param tunnel where this host can be tunnelled to; undefined: nowhere
   * @returns whether it has come or gone
   * @throws VetchError UNSUPPORTED: the port is another device's; KernelError
   */
  ensure(needed: boolean, tunnel: Tunnel | undefined): boolean {
    const wanted = needed && tunnel !== undefined;
    const found = this.#netlink.link(overlayDevice.name);
    if (!wanted) this.problem = needed ? noTunnel : undefined;
    if (wanted && found && isWhole(found)) {
      this.#ifindex = found.index;
      return false;
    }
    this.#ifindex = 0;
    if (found) deleteDevice(this.#netlink, { ifindex: found.index });
    if (wanted) this.#ifindex = this.#attempt(() => this.#netlink.createVxlan({ ...overlayDevice, port: tunnelPort }));
    return wanted || found !== undefined;
  }

  /**
   * Lets packets in. Where it cannot, the device stays, closed.
   *
   * @returns whether it had been down
   * @throws VetchError UNSUPPORTED: the port is another device's, and there is no way to other hosts; KernelError
   */
  open(): boolean {
    if (this.#ifindex === 0) return false;
    ensureSysctls(closedDevice(overlayDevice.name));
    const isUp = this.#netlink.link(this.#ifindex)?.up === true;
    if (!isUp) this.#attempt(() => this.#netlink.setLink(this.#ifindex, { up: true }));
    this.problem = undefined;
    return !isUp;
  }

  #attempt<T>(action: () => T): T {
    try {
      return action();
    } catch (error) {
      const refusal = this.#explain(error);
      this.problem = refusal instanceof Error ? refusal.message : String(refusal);
      this.#ifindex = 0;
      throw refusal;
    }
  }

  #explain(error: unknown): unknown {
    if (KernelError.is(error, 'EEXIST', 'EADDRINUSE')) return this.#portIsTaken();
    if (!KernelError.is(error, 'EOPNOTSUPP')) return error;
    const what = 'networks cannot span hosts here: this kernel has no VXLAN';
    return new VetchError('UNSUPPORTED', what, 'load the module vxlan, or keep to networks of driver bridge');
  }

  /** The kernel tells of a VXLAN device of the same kind when ours is made, of any other socket when it is set up. */
  #portIsTaken(): VetchError {
    const others = this.#netlink.links({ kind: 'vxlan' }).filter(({ name }) => name !== overlayDevice.name);
    const names = others.filter(({ vxlan }) => vxlan?.port === tunnelPort).map(({ name }) => name);
    const whose = names.length > 0 ? `device ${names.join(', ')} has` : 'another socket of this host has';
    return new VetchError(
      'UNSUPPORTED',
      `networks cannot span hosts here: ${whose} UDP port ${tunnelPort}`,
      'remove it, or keep to networks of driver bridge',
    );
  }
}

function isWhole({ kind, vxlan, mac }: Link): boolean {
  return kind === 'vxlan' && vxlan?.external === true && vxlan.port === tunnelPort && mac === overlayDevice.mac;
}
