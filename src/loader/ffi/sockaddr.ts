import { KernelError } from '../kernel-error.ts';
import { littleEndian } from './descriptor.ts';
import { errnoNumber } from './errno.ts';
import { AddressFamily } from './socket.ts';

/** `struct sockaddr_in` or `sockaddr_in6`, by the address: 16 bytes, v4-mapped is IPv4. */
export function inetAddress(address: Uint8Array, port: number): Uint8Array {
  const isV4 = isMapped(address);
  const bytes = new Uint8Array(isV4 ? 16 : 28);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, isV4 ? AddressFamily.INET : AddressFamily.INET6, littleEndian);
  view.setUint16(2, port);
  if (isV4) bytes.set(address.subarray(12), 4);
  else bytes.set(address, 8);
  return bytes;
}

/** The port of a `struct sockaddr_in` or `sockaddr_in6`. */
export function inetPort(sockaddr: Uint8Array): number {
  return new DataView(sockaddr.buffer, sockaddr.byteOffset).getUint16(2);
}

/** `struct sockaddr_un`; a leading `@` means Linux's abstract namespace. */
export function unixAddress(path: string): Uint8Array {
  const name = new TextEncoder().encode(path);
  // sun_path has 108 bytes, the last of which is the end of a path in the file system.
  if (name.length > 107) throw new KernelError(errnoNumber('ENAMETOOLONG'), 'address', path);
  const isAbstract = path.startsWith('@');
  const bytes = new Uint8Array(2 + name.length + (isAbstract ? 0 : 1));
  new DataView(bytes.buffer).setUint16(0, AddressFamily.UNIX, littleEndian);
  bytes.set(name, 2);
  if (isAbstract) bytes[2] = 0;
  return bytes;
}

/** `struct sockaddr_nl`; port 0 is the kernel's, or as one's own: any that is free. */
export function netlinkAddress(port = 0, groups = 0): Uint8Array {
  const bytes = new Uint8Array(12);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, AddressFamily.NETLINK, littleEndian);
  view.setUint32(4, port, littleEndian);
  view.setUint32(8, groups, littleEndian);
  return bytes;
}

/** The port of a `struct sockaddr_nl`: 0 is the kernel. */
export function netlinkPort(sockaddr: Uint8Array): number {
  return new DataView(sockaddr.buffer, sockaddr.byteOffset).getUint32(4, littleEndian);
}

function isMapped(address: Uint8Array): boolean {
  return address.subarray(0, 10).every((byte) => byte === 0) && address[10] === 0xff && address[11] === 0xff;
}
