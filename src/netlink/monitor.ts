import * as libc from '../loader/ffi/libc.ts';
import { KernelError } from '../loader/kernel-error.ts';
import { decodeAddress, type InterfaceAddress } from './address.ts';
import { decodeFilter, type Filter } from './filter.ts';
import { decodeLink, type Link } from './link.ts';
import { decodeMessages, type Message, Rtm } from './message.ts';
import { decodeNeighbour, type Neighbour } from './neighbour.ts';
import type { Netns } from './netns.ts';
import { decodeQdisc, type Qdisc } from './qdisc.ts';
import { decodeRoute, type Route } from './route.ts';
import { openRouteSocket } from './socket.ts';

/** `RTNLGRP_*`: what can be listened for. */
const groups = { link: [1], neighbour: [3], trafficControl: [4], address: [5, 9], route: [7, 11] } as const;
export type MonitorGroup = keyof typeof groups;

/**
 * Something that came, changed, or went (`removed`). `lost`: events came faster than they were read, and everything
 * has to be looked at again.
 */
export type NetlinkEvent =
  | { readonly kind: 'link'; readonly removed: boolean; readonly link: Link }
  | { readonly kind: 'address'; readonly removed: boolean; readonly address: InterfaceAddress }
  | { readonly kind: 'route'; readonly removed: boolean; readonly route: Route }
  | { readonly kind: 'neighbour'; readonly removed: boolean; readonly neighbour: Neighbour }
  | { readonly kind: 'qdisc'; readonly removed: boolean; readonly qdisc: Qdisc }
  | { readonly kind: 'filter'; readonly removed: boolean; readonly filter: Filter }
  | { readonly kind: 'lost' };

/** Larger than any datagram of events. */
const bufferSize = 65_536;
/** Of one `read`, so that a storm does not hold up its thread. */
const maxDatagrams = 1000;

/**
 * Listens for changes in a network namespace. `read` never blocks: wait with `waitNetlink` on a worker thread, or
 * with the loader's `watchReadable` on the event loop.
 */
export class NetlinkMonitor implements Disposable {
  readonly #descriptor: libc.Descriptor;
  readonly #buffer = new Uint8Array(bufferSize);
  readonly #view = new DataView(this.#buffer.buffer);
  readonly #sender = new Uint8Array(12);

  private constructor(fd: number) {
    this.#descriptor = new libc.Descriptor(fd, 'a rtnetlink socket');
  }

  /** @param ns default: the calling thread's. It may be closed afterwards. */
  static open(ns?: Netns, wanted: readonly MonitorGroup[] = ['link', 'address', 'route']): NetlinkMonitor {
    return new NetlinkMonitor(
      openRouteSocket(
        ns,
        wanted.flatMap((name) => groups[name]),
      ),
    );
  }

  /** @throws {KernelError} EBADF when it has been closed. */
  get fd(): number {
    return this.#descriptor.fd;
  }

  /** What has happened since the last time; there may be more where 1000 datagrams have come. */
  read(): NetlinkEvent[] {
    const events: NetlinkEvent[] = [];
    for (let i = 0; i < maxDatagrams; i++) {
      const length = this.#receive(events);
      if (length < 0) break;
      if (libc.netlinkPort(this.#sender) !== 0) continue;
      for (const message of decodeMessages(this.#view, Math.min(length, bufferSize))) {
        const event = decodeEvent(message);
        if (event) events.push(event);
      }
    }
    return events;
  }

  close(): void {
    this.#descriptor.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #receive(events: NetlinkEvent[]): number {
    try {
      return libc.recv(this.fd, this.#buffer, libc.MessageFlag.DONTWAIT, this.#sender);
    } catch (error) {
      if (!KernelError.is(error, 'ENOBUFS')) throw error;
      events.push({ kind: 'lost' });
      return 0;
    }
  }
}

/**
 * Blocks the calling thread until a monitor has something to read: for a worker thread, or with a timeout of 0.
 *
 * @param fd the monitor's; it must not be closed meanwhile.
 * @param timeoutMs -1 waits for ever.
 * @returns false at the timeout.
 */
export function waitNetlink(fd: number, timeoutMs: number): boolean {
  return libc.poll(fd, libc.PollEvent.IN, timeoutMs) !== 0;
}

/** What a message of a group says; undefined of what is none of ours. */
export function decodeEvent({ type, payload }: Message): NetlinkEvent | undefined {
  const removed = (type & 3) === 1;
  switch (type & ~3) {
    case Rtm.NEWLINK:
      // A bridge speaks of its ports in the same way, and says that they have gone when they have only left it.
      if (payload.u8() !== libc.AddressFamily.UNSPEC) return undefined;
      return { kind: 'link', removed, link: decodeLink(payload) };
    case Rtm.NEWADDR: {
      const address = decodeAddress(payload);
      return address && { kind: 'address', removed, address };
    }
    case Rtm.NEWROUTE: {
      const route = decodeRoute(payload);
      return route && { kind: 'route', removed, route };
    }
    case Rtm.NEWNEIGH: {
      const neighbour = decodeNeighbour(payload);
      return neighbour && { kind: 'neighbour', removed, neighbour };
    }
    case Rtm.NEWQDISC:
      return { kind: 'qdisc', removed, qdisc: decodeQdisc(payload) };
    case Rtm.NEWTFILTER: {
      const filter = decodeFilter(payload);
      return filter && { kind: 'filter', removed, filter };
    }
    default:
      return undefined;
  }
}
