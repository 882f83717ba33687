import { setImmediate } from 'node:timers/promises';
import { errnoNumber } from '../loader/ffi/errno.ts';
import * as libc from '../loader/ffi/libc.ts';
import { KernelError } from '../loader/kernel-error.ts';
import { type Acknowledgement, decodeAcknowledgement, refusal } from './acknowledgement.ts';
import {
  decodeMessages,
  encodeMessage,
  Flag,
  type Message,
  MessageType,
  messageSize,
  type Request,
} from './message.ts';
import { Netns, withNetns } from './netns.ts';
import type { Payload } from './payload.ts';

/** `NETLINK_*`: which part of the kernel answers. */
const NetlinkProtocol = { ROUTE: 0, XFRM: 6, GENERIC: 16 } as const;
const NetlinkOption = { ADD_MEMBERSHIP: 1, CAP_ACK: 10, EXT_ACK: 11, GET_STRICT_CHK: 12 } as const;

/** The kernel makes no datagram of a dump larger than 32 KiB. */
const bufferSize = 65_536;
/** Requests in one send: their acknowledgements, about 1 KiB of accounted memory each, must fit the receive buffer. */
const maxBatch = 128;
const receiveBuffer = 1 << 20;
/** A dump that a change interrupts is repeated so many times before it is given up. */
const maxDumpAttempts = 32;
const maxAsyncDumpAttempts = 4;
/** Gives a descriptor of the namespace that a socket is in. */
const SIOCGSKNS = 0x894c;
/** The kernel answers before send(2) returns; more than that is an answer that was lost. */
const answerTimeoutMs = 1000;

/** Shared by all sockets of the thread: what is received is decoded before anything else happens. */
const buffer = new Uint8Array(bufferSize);
const bufferView = new DataView(buffer.buffer);
const sender = new Uint8Array(12);
const kernel = libc.netlinkAddress();

/** Reads one message of a list; undefined leaves it out. */
export type Decode<T> = (payload: Payload) => T | undefined;
/** Called for each message that answers a request. */
export type OnReply = (payload: Payload, request: Request) => void;

/** A rtnetlink socket: asks, and waits for the answer. The kernel answers at once, so nothing here is asynchronous. */
export class NetlinkSocket implements Disposable {
  readonly #descriptor: libc.Descriptor;
  #sequence = 1;

  private constructor(fd: number) {
    this.#descriptor = new libc.Descriptor(fd, 'a rtnetlink socket');
  }

  /** @param ns the network namespace that it speaks of, for good; default: the calling thread's. */
  static open(ns?: Netns): NetlinkSocket {
    return new NetlinkSocket(openRouteSocket(ns));
  }

  /** Likewise, one that speaks of IPsec. @throws {KernelError} EPROTONOSUPPORT: the kernel has none */
  static openXfrm(ns?: Netns): NetlinkSocket {
    return new NetlinkSocket(openSocket(NetlinkProtocol.XFRM, ns));
  }

  /** Likewise, one that speaks of the families of generic netlink. */
  static openGeneric(ns?: Netns): NetlinkSocket {
    return new NetlinkSocket(openSocket(NetlinkProtocol.GENERIC, ns));
  }

  /** @throws {KernelError} EBADF when it has been closed. */
  get fd(): number {
    return this.#descriptor.fd;
  }

  /**
   * Sends requests together and waits for every answer. The kernel serves them in order and goes on after a refusal.
   *
   * @returns for each request undefined, or why it was refused.
   * @throws {KernelError} only where the answers themselves were lost.
   */
  exchange(requests: readonly Request[], onReply?: OnReply): (KernelError | undefined)[] {
    const results: (KernelError | undefined)[] = [];
    for (let start = 0; start < requests.length; start += maxBatch) {
      results.push(...this.#exchange(requests.slice(start, start + maxBatch), onReply));
    }
    return results;
  }

  /** Likewise for one request, which must succeed. */
  request(request: Request, onReply?: OnReply): void {
    const [error] = this.#exchange([request], onReply);
    if (error) throw error;
  }

  /**
   * Reads everything that the request asks for. A list that changed while the kernel wrote it is read again, so what
   * is returned was once true as a whole, as far as the kernel can tell.
   */
  dump<T>(request: Request, decode: Decode<T>): T[] {
    for (let attempt = 1; attempt <= maxDumpAttempts; attempt++) {
      const result = this.#dump(request, decode);
      if (result) return result;
    }
    throw new KernelError(
      errnoNumber('EINTR'),
      request.operation,
      request.object,
      'it changes faster than it can be read',
    );
  }

  /**
   * Likewise, in turns with the rest of the event loop: a long list takes longer than others should wait. It has a
   * socket of its own, so this one may be used meanwhile.
   */
  async dumpAsync<T>(request: Request, decode: Decode<T>): Promise<T[]> {
    using own = this.#sibling();
    for (let attempt = 1; attempt <= maxAsyncDumpAttempts; attempt++) {
      const parts = own.#dumpParts(request, decode);
      for (;;) {
        const { done, value } = parts.next();
        if (done && value) return value;
        if (done) break;
        await setImmediate();
      }
    }
    // Others' changes come between the turns; nothing of ours comes between these.
    return own.dump(request, decode);
  }

  close(): void {
    this.#descriptor.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #exchange(requests: readonly Request[], onReply: OnReply | undefined): (KernelError | undefined)[] {
    const first = this.#send(requests, Flag.ACK);
    const acknowledgements: (Acknowledgement | undefined)[] = requests.map(() => undefined);
    let missing = requests.length;
    while (missing > 0) {
      for (const message of this.#receive(requests[0])) {
        const index = (message.sequence - first) >>> 0;
        const request = requests[index];
        if (!request) continue;
        if (message.type !== MessageType.ERROR) onReply?.(message.payload, request);
        else if (!acknowledgements[index]) {
          acknowledgements[index] = decodeAcknowledgement(message);
          missing--;
        }
      }
    }
    return requests.map((request, i) => refusal(request, acknowledgements[i] ?? { errno: 0 }));
  }

  #dump<T>(request: Request, decode: Decode<T>): T[] | undefined {
    const parts = this.#dumpParts(request, decode);
    for (;;) {
      const { done, value } = parts.next();
      if (done) return value;
    }
  }

  /** Stops after each datagram. @returns undefined: it was interrupted or overrun, and has to be read again */
  *#dumpParts<T>(request: Request, decode: Decode<T>): Generator<undefined, T[] | undefined> {
    const sequence = this.#send([request], Flag.DUMP);
    const result: T[] = [];
    let interrupted = false;
    for (;;) {
      let messages: Generator<Message>;
      try {
        messages = this.#receive(request);
      } catch (error) {
        if (KernelError.is(error, 'ENOBUFS')) return undefined;
        throw error;
      }
      for (const message of messages) {
        if (message.sequence !== sequence) continue;
        if (message.flags & Flag.DUMP_INTR) interrupted = true;
        const isDone = message.type === MessageType.DONE;
        if (isDone || message.type === MessageType.ERROR) {
          const error = refusal(request, decodeAcknowledgement(message, isDone));
          if (error && error.code !== 'EINTR') throw error;
          return interrupted || error ? undefined : result;
        }
        if (interrupted) continue;
        const item = decode(message.payload);
        if (item !== undefined) result.push(item);
      }
      yield;
    }
  }

  /** Another socket of the same namespace, found through this one. */
  #sibling(): NetlinkSocket {
    using ns = new Netns(libc.ioctl(this.fd, SIOCGSKNS, 0, 'find the namespace of', 'a rtnetlink socket'), 'ours');
    return NetlinkSocket.open(ns);
  }

  /** @returns the sequence number of the first; the others' follow. */
  #send(requests: readonly Request[], flags: number): number {
    const first = this.#sequence;
    const bytes = new Uint8Array(requests.reduce((sum, request) => sum + messageSize(request), 0));
    let offset = 0;
    for (const request of requests) {
      offset = encodeMessage(bytes, offset, request, Flag.REQUEST | flags | request.flags, this.#sequence);
      this.#sequence = (this.#sequence + 1) >>> 0;
    }
    libc.send(this.fd, bytes, 0, kernel);
    return first;
  }

  #receive(request: Request | undefined): Generator<Message> {
    for (let waited = false; ; ) {
      const length = libc.recv(this.fd, buffer, libc.MessageFlag.DONTWAIT | libc.MessageFlag.TRUNC, sender);
      if (length > bufferSize) throw new KernelError(errnoNumber('EMSGSIZE'), 'read an answer to', describe(request));
      if (length >= 0) {
        // Nobody but the kernel answers; a process that has guessed our port is not listened to.
        if (libc.netlinkPort(sender) !== 0) continue;
        return decodeMessages(bufferView, length);
      }
      if (waited) throw new KernelError(errnoNumber('ETIMEDOUT'), 'get an answer to', describe(request));
      libc.poll(this.fd, libc.PollEvent.IN, answerTimeoutMs);
      waited = true;
    }
  }
}

/** A NETLINK_ROUTE socket with extended acknowledgements and strict checks (both Linux 5.0). The caller closes it. */
export function openRouteSocket(ns?: Netns, groups: readonly number[] = []): number {
  return openSocket(NetlinkProtocol.ROUTE, ns, groups);
}

function openSocket(protocol: number, ns: Netns | undefined, groups: readonly number[] = []): number {
  const { AddressFamily, SocketLevel, SocketOption, SocketType } = libc;
  const open = () => libc.socket(AddressFamily.NETLINK, SocketType.RAW, protocol, 'a netlink socket');
  const fd = ns ? withNetns(ns, open) : open();
  try {
    libc.setsockopt(fd, SocketLevel.NETLINK, NetlinkOption.EXT_ACK, 1);
    libc.setsockopt(fd, SocketLevel.NETLINK, NetlinkOption.CAP_ACK, 1);
    libc.setsockopt(fd, SocketLevel.NETLINK, NetlinkOption.GET_STRICT_CHK, 1);
    libc.setsockopt(fd, SocketLevel.SOCKET, SocketOption.RCVBUFFORCE, receiveBuffer);
    libc.bind(fd, kernel, 'a netlink port');
    for (const group of groups) libc.setsockopt(fd, SocketLevel.NETLINK, NetlinkOption.ADD_MEMBERSHIP, group);
    return fd;
  } catch (error) {
    libc.close(fd);
    throw error;
  }
}

function describe(request: Request | undefined): string {
  return request ? `${request.operation} ${request.object}` : 'a request';
}
