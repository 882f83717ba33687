import { KernelError } from '../loader/kernel-error.ts';
import * as address from './address.ts';
import * as filter from './filter.ts';
import { decodeLink, decodeLinkSummary, type Link, type LinkSummary } from './link.ts';
import * as link from './link-requests.ts';
import type { Request } from './message.ts';
import * as neighbour from './neighbour.ts';
import type { Netns } from './netns.ts';
import type { Payload } from './payload.ts';
import * as qdisc from './qdisc.ts';
import * as route from './route.ts';
import { type Decode, NetlinkSocket } from './socket.ts';

/** The two ends of a new veth pair. */
export interface VethIndexes {
  readonly index: number;
  /** In the peer's own network namespace. */
  readonly peerIndex: number;
}

/**
 * Devices, addresses, routes, neighbours, qdiscs and filters of one network namespace.
 *
 * Everything is synchronous and throws `KernelError` with the kernel's own explanation; `EEXIST` is something that is
 * there already, `ENODEV`, `ENOENT`, `ESRCH` (routes) and `EADDRNOTAVAIL` (addresses) something that is not.
 */
export class Netlink implements Disposable {
  readonly #socket: NetlinkSocket;

  private constructor(socket: NetlinkSocket) {
    this.#socket = socket;
  }

  /** @param ns default: the calling thread's, for as long as the object lives. It may be closed afterwards. */
  static open(ns?: Netns): Netlink {
    return new Netlink(NetlinkSocket.open(ns));
  }

  /** @returns every device, in the order of their indexes */
  links(wanted: link.LinkFilter = {}): Link[] {
    return this.#socket.dump(link.listLinks(wanted), decodeLink);
  }

  /** Likewise, what matters most of each: of thousands the rest is most of the work. */
  linkSummaries(): LinkSummary[] {
    return this.#socket.dump(link.listLinks(), decodeLinkSummary);
  }

  /** Likewise, in turns with the rest of the event loop: thousands of devices take longer than others should wait. */
  linksAsync(wanted: link.LinkFilter = {}): Promise<Link[]> {
    return this.#socket.dumpAsync(link.listLinks(wanted), decodeLink);
  }

  /** @returns undefined where there is none. An alternative name is found too. */
  link(ref: link.LinkRef): Link | undefined {
    return this.#get(link.getLink(ref), decodeLink, 'ENODEV');
  }

  createVeth(pair: link.VethPair): VethIndexes {
    let made: Link | undefined;
    const results = this.#socket.exchange([link.createVeth(pair), link.getLink(pair.name)], (payload) => {
      made = decodeLink(payload);
    });
    throwFirst(results);
    return { index: made?.index ?? 0, peerIndex: made?.linkIndex ?? 0 };
  }

  /** @returns its index */
  createLink(spec: link.SimpleLink): number {
    return this.#made(link.createLink(spec), spec.name);
  }

  /** @returns its index */
  createMacvlan(spec: link.MacvlanLink): number {
    return this.#made(link.createMacvlan(spec), spec.name);
  }

  /** @returns its index */
  createVlan(spec: link.VlanLink): number {
    return this.#made(link.createVlan(spec), spec.name);
  }

  /** @returns its index */
  createVxlan(spec: link.VxlanLink): number {
    return this.#made(link.createVxlan(spec), spec.name);
  }

  setLink(ref: link.LinkRef, change: link.LinkChange): void {
    this.#socket.request(link.setLink(ref, change));
  }

  deleteLink(ref: link.LinkRef): void {
    this.#socket.request(link.deleteLink(ref));
  }

  /**
   * Deletes every device of a group, which must not be 0; of veths their peers too.
   *
   * @throws KernelError ENODEV: there is none; EOPNOTSUPP: one of them cannot be deleted, so none was
   */
  deleteGroup(group: number): void {
    this.#socket.request(link.deleteGroup(group));
  }

  addresses(wanted: address.AddressFilter = {}): address.InterfaceAddress[] {
    return this.#list(address.listAddresses(wanted), address.decodeAddress, 'ENODEV');
  }

  addAddress(ifindex: number, cidr: string, options: address.AddressOptions = {}): void {
    this.#socket.request(address.addAddress(ifindex, cidr, options));
  }

  deleteAddress(ifindex: number, cidr: string): void {
    this.#socket.request(address.deleteAddress(ifindex, cidr));
  }

  /** Of the main table, unless another is wanted. */
  routes(wanted: route.RouteFilter = {}): route.Route[] {
    // A table that has never had a route is not there; a device that is gone has none.
    return this.#list(route.listRoutes(wanted), route.decodeRoute, 'ENOENT', 'ENODEV');
  }

  /** Likewise, in turns with the rest of the event loop. */
  routesAsync(wanted: route.RouteFilter = {}): Promise<route.Route[]> {
    return orNone(this.#socket.dumpAsync(route.listRoutes(wanted), route.decodeRoute), 'ENOENT', 'ENODEV');
  }

  addRoute(spec: route.RouteSpec): void {
    this.#socket.request(route.addRoute(spec));
  }

  replaceRoute(spec: route.RouteSpec): void {
    this.#socket.request(route.replaceRoute(spec));
  }

  deleteRoute(spec: route.RouteSpec): void {
    this.#socket.request(route.deleteRoute(spec));
  }

  neighbours(wanted: neighbour.NeighbourFilter = {}): neighbour.Neighbour[] {
    return this.#list(neighbour.listNeighbours(wanted), neighbour.decodeNeighbour, 'ENODEV');
  }

  /** Adds an entry or changes the one that is there. */
  setNeighbour(spec: neighbour.NeighbourSpec): void {
    this.#socket.request(neighbour.setNeighbour(spec));
  }

  deleteNeighbour(ifindex: number, text: string): void {
    this.#socket.request(neighbour.deleteNeighbour(ifindex, text));
  }

  qdiscs(): qdisc.Qdisc[] {
    return this.#socket.dump(qdisc.listQdiscs(), qdisc.decodeQdisc);
  }

  /** Likewise, in turns with the rest of the event loop. */
  qdiscsAsync(): Promise<qdisc.Qdisc[]> {
    return this.#socket.dumpAsync(qdisc.listQdiscs(), qdisc.decodeQdisc);
  }

  /**
   * What is at clsact's place on a device; undefined: nothing, or no such device. The kernel tells the answer to
   * everybody who listens to traffic control, as if it were news: whoever acts on such events asks `qdiscs` instead.
   */
  clsact(ifindex: number): qdisc.Qdisc | undefined {
    return this.#get(qdisc.getClsact(ifindex), qdisc.decodeQdisc, 'ENOENT', 'ENODEV', 'EINVAL');
  }

  replaceByFq(ifindex: number, limits: qdisc.FqLimits): void {
    this.#socket.request(qdisc.replaceByFq(ifindex, limits));
  }

  addClsact(ifindex: number, blocks: qdisc.ClsactBlocks = {}): void {
    this.#socket.request(qdisc.addClsact(ifindex, blocks));
  }

  deleteClsact(ifindex: number): void {
    this.#socket.request(qdisc.deleteClsact(ifindex));
  }

  /** None where there is no clsact, block or device. */
  filters(hook: filter.FilterHook): filter.Filter[] {
    return this.#list(filter.listFilters(hook), filter.decodeFilter, 'ENODEV', 'EINVAL', 'ENOENT');
  }

  addBpfFilter(spec: filter.BpfFilterSpec): void {
    this.#socket.request(filter.addBpfFilter(spec));
  }

  /** In place: every packet meets the old program or the new one. */
  replaceBpfFilter(spec: filter.BpfFilterSpec): void {
    this.#socket.request(filter.replaceBpfFilter(spec));
  }

  deleteBpfFilter(hook: filter.FilterHook & { readonly handle?: number; readonly priority?: number }): void {
    this.#socket.request(filter.deleteBpfFilter(hook));
  }

  /**
   * Sends requests together, which the kernel serves in order. It does not stop at one that it refuses.
   *
   * @throws the first refusal; what was granted stays done, and is for the caller to undo.
   */
  batch(requests: readonly Request[]): void {
    throwFirst(this.#socket.exchange(requests));
  }

  /** Likewise. @returns for each request undefined, or why it was refused */
  attempt(requests: readonly Request[]): (KernelError | undefined)[] {
    return this.#socket.exchange(requests);
  }

  close(): void {
    this.#socket.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Makes a device, and tells its index. */
  #made(request: Request, name: string): number {
    let index = 0;
    const results = this.#socket.exchange([request, link.getLink(name)], (payload) => {
      index = decodeLink(payload).index;
    });
    throwFirst(results);
    return index;
  }

  /** One thing; undefined where the kernel's refusal means that it is not there. */
  #get<T>(request: Request, decode: (payload: Payload) => T, ...absent: string[]) {
    let result: T | undefined;
    const [error] = this.#socket.exchange([request], (payload) => {
      result = decode(payload);
    });
    if (error && !absent.includes(error.code)) throw error;
    return result;
  }

  /** A list; empty where the kernel's refusal means that what it is of is not there. */
  #list<T>(request: Request, decode: Decode<T>, ...absent: string[]): T[] {
    try {
      return this.#socket.dump(request, decode);
    } catch (error) {
      if (KernelError.is(error, ...absent)) return [];
      throw error;
    }
  }
}

async function orNone<T>(list: Promise<T[]>, ...absent: string[]): Promise<T[]> {
  try {
    return await list;
  } catch (error) {
    if (KernelError.is(error, ...absent)) return [];
    throw error;
  }
}

function throwFirst(results: readonly (KernelError | undefined)[]): void {
  for (const error of results) if (error) throw error;
}
