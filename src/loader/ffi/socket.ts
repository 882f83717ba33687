import koffi from 'koffi';
import { KernelError } from '../kernel-error.ts';
import { checked, declare, retried } from './call.ts';
import { littleEndian } from './descriptor.ts';
import { errnoNumber } from './errno.ts';

const c = {
  socket: declare<(family: number, type: number, protocol: number) => number>(
    'int socket(int domain, int type, int protocol)',
  ),
  bind: declare<(fd: number, address: Uint8Array, length: number) => number>(
    'int bind(int sockfd, const uint8_t *addr, uint32_t addrlen)',
  ),
  connect: declare<(fd: number, address: Uint8Array, length: number) => number>(
    'int connect(int sockfd, const uint8_t *addr, uint32_t addrlen)',
  ),
  getsockname: declare<(fd: number, address: Uint8Array, length: Uint32Array) => number>(
    'int getsockname(int sockfd, _Out_ uint8_t *addr, _Inout_ uint32_t *addrlen)',
  ),
  setsockopt: declare<(fd: number, level: number, name: number, value: Uint8Array, length: number) => number>(
    'int setsockopt(int sockfd, int level, int optname, const uint8_t *optval, uint32_t optlen)',
  ),
  getsockopt: declare<(fd: number, level: number, name: number, value: Uint8Array, length: Uint32Array) => number>(
    'int getsockopt(int sockfd, int level, int optname, _Out_ uint8_t *optval, _Inout_ uint32_t *optlen)',
  ),
  sendto: declare<
    (
      fd: number,
      bytes: Uint8Array,
      length: number,
      flags: number,
      to: Uint8Array | null,
      toLength: number,
    ) => number | bigint
  >(
    'intptr_t sendto(int sockfd, const uint8_t *buf, size_t len, int flags, const uint8_t *dest_addr, uint32_t addrlen)',
  ),
  recvfrom: declare<
    (
      fd: number,
      bytes: Uint8Array,
      length: number,
      flags: number,
      from: Uint8Array | null,
      fromLength: Uint32Array | null,
    ) => number | bigint
  >(
    'intptr_t recvfrom(int sockfd, _Out_ uint8_t *buf, size_t len, int flags, _Out_ uint8_t *src_addr, _Inout_ uint32_t *addrlen)',
  ),
};

/** `AF_*`. */
export const AddressFamily = { UNSPEC: 0, UNIX: 1, INET: 2, BRIDGE: 7, INET6: 10, NETLINK: 16 } as const;
/** `SOCK_*`. */
export const SocketType = { STREAM: 1, DGRAM: 2, RAW: 3 } as const;
/** `SOL_*` and the protocols that are levels of their own. */
export const SocketLevel = { SOCKET: 1, IP: 0, IPV6: 41, NETLINK: 270 } as const;
/** `SO_*` of asm-generic/socket.h. */
export const SocketOption = {
  REUSEADDR: 2,
  SNDBUF: 7,
  RCVBUF: 8,
  BINDTODEVICE: 25,
  SNDBUFFORCE: 32,
  RCVBUFFORCE: 33,
  NETNS_COOKIE: 71,
} as const;
/** `MSG_*`. */
export const MessageFlag = { PEEK: 2, TRUNC: 0x20, DONTWAIT: 0x40, NOSIGNAL: 0x4000 } as const;

const SOCK_CLOEXEC = 0o2000000;
const EAGAIN = errnoNumber('EAGAIN');

/** In the calling thread's network namespace, where it stays; close-on-exec; the caller closes it. */
export function socket(family: number, type: number, protocol: number, what = 'a socket'): number {
  return checked(c.socket(family, type | SOCK_CLOEXEC, protocol), 'open', what);
}

export function bind(fd: number, address: Uint8Array, what: string): void {
  checked(c.bind(fd, address, address.length), 'bind to', what);
}

export function connect(fd: number, address: Uint8Array, what: string): void {
  checked(
    retried(() => c.connect(fd, address, address.length)),
    'connect to',
    what,
  );
}

/** The socket's own address, as bytes of a `struct sockaddr_*`. */
export function getsockname(fd: number): Uint8Array {
  const address = new Uint8Array(128);
  const length = Uint32Array.of(address.length);
  checked(c.getsockname(fd, address, length), 'read the address of', `socket ${fd}`);
  return address.subarray(0, length[0]);
}

/** @param value a number is passed as a C `int`. */
export function setsockopt(fd: number, level: number, name: number, value: number | Uint8Array): void {
  const bytes = typeof value === 'number' ? new Uint8Array(Int32Array.of(value).buffer) : value;
  checked(c.setsockopt(fd, level, name, bytes, bytes.length), `set option ${level}/${name} of`, `socket ${fd}`);
}

/** @returns the bytes of the option's value, at most `size`. */
export function getsockopt(fd: number, level: number, name: number, size: number): Uint8Array {
  const value = new Uint8Array(size);
  const length = Uint32Array.of(size);
  checked(c.getsockopt(fd, level, name, value, length), `read option ${level}/${name} of`, `socket ${fd}`);
  return value.subarray(0, length[0]);
}

/** `SO_NETNS_COOKIE`, Linux 5.14: the number by which programs know the network namespace of a socket. */
export function netnsCookie(fd: number): bigint {
  const bytes = getsockopt(fd, SocketLevel.SOCKET, SocketOption.NETNS_COOKIE, 8);
  return new DataView(bytes.buffer).getBigUint64(0, littleEndian);
}

/** @param to a `struct sockaddr_*`; absent: what the socket is connected to. */
export function send(fd: number, bytes: Uint8Array, flags = 0, to?: Uint8Array): number {
  const sent = retried(() => c.sendto(fd, bytes, bytes.length, flags, to ?? null, to?.length ?? 0));
  return Number(checked(sent, 'send to', `socket ${fd}`));
}

/**
 * @param from gets the sender's `struct sockaddr_*`.
 * @returns how many bytes came (with `MSG_TRUNC` more than fit); -1 with `MSG_DONTWAIT` where nothing has come, or at
 *   the end of `SO_RCVTIMEO`.
 */
export function recv(fd: number, bytes: Uint8Array, flags = 0, from?: Uint8Array): number {
  const length = from === undefined ? null : Uint32Array.of(from.length);
  const received = retried(() => c.recvfrom(fd, bytes, bytes.length, flags, from ?? null, length));
  if (received >= 0) return Number(received);
  const errno = koffi.errno();
  if (errno === EAGAIN) return -1;
  throw new KernelError(errno, 'receive from', `socket ${fd}`);
}
