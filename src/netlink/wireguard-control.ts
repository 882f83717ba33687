import { KernelError } from '../loader/kernel-error.ts';
import { familyNumber } from './generic.ts';
import type { Netns } from './netns.ts';
import { NetlinkSocket } from './socket.ts';
import {
  decodeWireguard,
  getWireguard,
  joinWireguard,
  setWireguard,
  type WireguardChange,
  type WireguardDevice,
} from './wireguard.ts';

/** The keys and peers of the WireGuard devices of one network namespace; the devices themselves are `Netlink`'s. */
export class WireguardControl implements Disposable {
  readonly #socket: NetlinkSocket;
  readonly #family: number;

  private constructor(socket: NetlinkSocket, family: number) {
    this.#socket = socket;
    this.#family = family;
  }

  /**
   * @param ns default: the calling thread's
   * @returns undefined: this kernel has no WireGuard
   */
  static open(ns?: Netns): WireguardControl | undefined {
    const socket = NetlinkSocket.openGeneric(ns);
    try {
      const family = familyNumber(socket, 'wireguard');
      if (family !== undefined) return new WireguardControl(socket, family);
    } catch (error) {
      socket.close();
      throw error;
    }
    socket.close();
    return undefined;
  }

  /** What was granted before a refusal stays. @throws KernelError EADDRINUSE: a device that is up cannot have the port */
  set(ifindex: number, change: WireguardChange): void {
    for (const request of setWireguard(this.#family, ifindex, change)) this.#socket.request(request);
  }

  /** Undefined: there is no such device, or it is of another kind. */
  get(ifindex: number): WireguardDevice | undefined {
    try {
      return joinWireguard(this.#socket.dump(getWireguard(this.#family, ifindex), decodeWireguard));
    } catch (error) {
      if (KernelError.is(error, 'ENODEV', 'EOPNOTSUPP')) return undefined;
      throw error;
    }
  }

  close(): void {
    this.#socket.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
