import { KernelError } from '../kernel-error.ts';
import { close, Descriptor } from './descriptor.ts';
import { inetAddress, inetPort } from './sockaddr.ts';
import {
  AddressFamily,
  bind,
  getsockname,
  SocketLevel,
  SocketOption,
  SocketType,
  setsockopt,
  socket,
} from './socket.ts';

/**
 * A port of the host that is bound by us. Until it is closed nobody else can bind it; while connections of an earlier
 * server wait in TIME_WAIT another may, but not listen.
 */
export interface BoundPort extends Disposable {
  readonly fd: number;
  /** What was given, or where 0 was asked for. */
  readonly port: number;
  close(): void;
}

export interface ProbeBindRequest {
  readonly protocol: 'tcp' | 'udp' | 'sctp';
  /** 16 bytes, v4-mapped. */
  readonly address: Uint8Array;
  /** 0: any that the kernel finds free. */
  readonly port: number;
}

/** Type and number of the protocols. SCTP without a transport module has no sockets (`EPROTONOSUPPORT`). */
const transports = {
  tcp: [SocketType.STREAM, 6],
  udp: [SocketType.DGRAM, 17],
  sctp: [SocketType.STREAM, 132],
} as const;

const IPV6_V6ONLY = 26;
const IPPROTO_IPV6 = SocketLevel.IPV6;

/**
 * Proves that no process in the calling thread's network namespace has a port, and holds it.
 *
 * Nothing listens on it. For TCP connections in TIME_WAIT do not count, as for any server: where the port is not free
 * without SO_REUSEADDR it is tried with it, which a listener refuses too. The option is cleared at once, or another
 * server could listen beside us. An IPv6 address is bound for IPv6 alone.
 *
 * @returns undefined for SCTP where the kernel has none, so that nobody can hold a port of it.
 * @throws {KernelError} `EADDRINUSE`: somebody has it; `EADDRNOTAVAIL`: the address is not the host's; `EPERM` or
 *   `EACCES`: a bind hook refuses.
 */
export function probeBind(request: ProbeBindRequest): BoundPort | undefined {
  const { protocol, address, port } = request;
  const [type, number] = transports[protocol];
  const sockaddr = inetAddress(address, port);
  const family = sockaddr.length === 16 ? AddressFamily.INET : AddressFamily.INET6;
  let fd: number;
  try {
    fd = socket(family, type, number, `a socket for ${protocol}`);
  } catch (error) {
    if (protocol === 'sctp' && KernelError.is(error, 'EPROTONOSUPPORT', 'ESOCKTNOSUPPORT')) return undefined;
    throw error;
  }
  try {
    if (family === AddressFamily.INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    const what = `${protocol} port ${port}`;
    try {
      bind(fd, sockaddr, what);
    } catch (error) {
      if (protocol !== 'tcp' || !isPortTaken(error)) throw error;
      setsockopt(fd, SocketLevel.SOCKET, SocketOption.REUSEADDR, 1);
      bind(fd, sockaddr, what);
      setsockopt(fd, SocketLevel.SOCKET, SocketOption.REUSEADDR, 0);
    }
    const bound = port === 0 ? inetPort(getsockname(fd)) : port;
    return new Bound(fd, bound);
  } catch (error) {
    close(fd);
    throw error;
  }
}

class Bound extends Descriptor implements BoundPort {
  readonly port: number;

  constructor(fd: number, port: number) {
    super(fd, `the socket that holds port ${port}`);
    this.port = port;
  }
}

/** Whether a failure of `probeBind` says that somebody has the port. */
export function isPortTaken(error: unknown): boolean {
  return KernelError.is(error, 'EADDRINUSE');
}
