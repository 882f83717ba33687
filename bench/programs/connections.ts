/**
 * Connect, ask, answer, close: as many TCP connections a second as one core gives. The C library is called directly,
 * with blocking sockets, so that JavaScript costs little of what is measured. The server closes first, as of HTTP/1.0,
 * so that the client's ports are free at once.
 *
 *   node bench/programs/connections.ts server PORT [NETNS…]
 *   node bench/programs/connections.ts client ADDRESS[,…] PORT SECONDS   prints {"connections": N, "seconds": S}
 *
 * Of several addresses each is asked in turn. One server may listen in several network namespaces, given by their paths.
 */
import { closeSync, openSync } from 'node:fs';
import { isIP } from 'node:net';
import { performance } from 'node:perf_hooks';
import koffi from 'koffi';

const libc = koffi.load('libc.so.6');
const socket = libc.func('int socket(int domain, int type, int protocol)') as (...args: number[]) => number;
const setsockopt = libc.func(
  'int setsockopt(int fd, int level, int name, const void *value, uint32_t length)',
) as unknown as (fd: number, level: number, name: number, value: Uint8Array, length: number) => number;
type WithAddress = (fd: number, address: Uint8Array, length: number) => number;
const bind = libc.func('int bind(int fd, const void *address, uint32_t length)') as unknown as WithAddress;
const connect = libc.func('int connect(int fd, const void *address, uint32_t length)') as unknown as WithAddress;
const listen = libc.func('int listen(int fd, int backlog)') as (fd: number, backlog: number) => number;
const accept = libc.func('int accept(int fd, void *address, void *length)') as unknown as (
  fd: number,
  address: null,
  length: null,
) => number;
type Transfer = (fd: number, bytes: Uint8Array, length: number, flags: number) => number;
const send = libc.func('int send(int fd, const void *bytes, size_t length, int flags)') as unknown as Transfer;
const recv = libc.func('int recv(int fd, void *bytes, size_t length, int flags)') as unknown as Transfer;
const close = libc.func('int close(int fd)') as (fd: number) => number;
const setns = libc.func('int setns(int fd, int type)') as (fd: number, type: number) => number;
const poll = libc.func('int poll(void *fds, unsigned long count, int timeout)') as unknown as (
  fds: Uint8Array,
  count: number,
  timeout: number,
) => number;

const AF_INET = 2;
const SOCK_STREAM = 1;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const backlog = 1024;
const CLONE_NEWNET = 0x4000_0000;
const POLLIN = 1;

function must(result: number, what: string): number {
  if (result < 0) throw new Error(`${what}: errno ${koffi.errno()}`);
  return result;
}

/** `struct sockaddr_in` */
function socketAddress(address: string, port: number): Uint8Array {
  if (isIP(address) !== 4) throw new Error(`${address} is no IPv4 address`);
  const bytes = new Uint8Array(16);
  bytes[0] = AF_INET;
  bytes.set([port >> 8, port & 255, ...address.split('.').map(Number)], 2);
  return bytes;
}

/** `struct pollfd` */
const pollSize = 8;

function listenIn(netns: string | undefined, port: number): number {
  if (netns !== undefined) {
    const fd = openSync(netns, 'r');
    must(setns(fd, CLONE_NEWNET), netns);
    closeSync(fd);
  }
  const listener = must(socket(AF_INET, SOCK_STREAM, 0), 'socket');
  const on = new Uint8Array(Int32Array.of(1).buffer);
  must(setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, on, on.length), 'setsockopt');
  const address = socketAddress('0.0.0.0', port);
  must(bind(listener, address, address.length), 'bind');
  must(listen(listener, backlog), 'listen');
  return listener;
}

function answer(listener: number, byte: Uint8Array): void {
  const fd = accept(listener, null, null);
  if (fd < 0) return;
  if (recv(fd, byte, 1, 0) === 1) send(fd, byte, 1, 0);
  close(fd);
}

function serve(port: number, namespaces: readonly string[]): never {
  const listeners = (namespaces.length === 0 ? [undefined] : namespaces).map((netns) => listenIn(netns, port));
  const [only = -1] = listeners;
  process.stdout.write('ready\n');
  const byte = new Uint8Array(1);
  if (namespaces.length === 0) for (;;) answer(only, byte);
  const polled = new DataView(new ArrayBuffer(pollSize * listeners.length));
  for (const [i, listener] of listeners.entries()) {
    polled.setInt32(pollSize * i, listener, true);
    polled.setInt16(pollSize * i + 4, POLLIN, true);
  }
  for (;;) {
    poll(new Uint8Array(polled.buffer), listeners.length, -1);
    for (const [i, listener] of listeners.entries()) {
      if ((polled.getInt16(pollSize * i + 6, true) & POLLIN) !== 0) answer(listener, byte);
    }
  }
}

function ask(addresses: string, port: number, seconds: number): void {
  const to = addresses.split(',').map((address) => socketAddress(address, port));
  // Until the calls are compiled
  connectionsFor(to, 0.1);
  process.stdout.write(`${JSON.stringify(connectionsFor(to, seconds))}\n`);
}

function connectionsFor(to: readonly Uint8Array[], seconds: number): { connections: number; seconds: number } {
  const byte = new Uint8Array(1);
  const start = performance.now();
  const end = start + seconds * 1000;
  let connections = 0;
  do {
    for (const address of to) {
      const fd = must(socket(AF_INET, SOCK_STREAM, 0), 'socket');
      must(connect(fd, address, address.length), `connect, after ${connections} connections`);
      must(send(fd, byte, 1, 0), 'send');
      if (must(recv(fd, byte, 1, 0), 'receive') !== 1) throw new Error('the server answered nothing');
      must(recv(fd, byte, 1, 0), 'receive the end');
      close(fd);
      connections++;
    }
  } while (performance.now() < end);
  return { connections, seconds: (performance.now() - start) / 1000 };
}

const [role, ...args] = process.argv.slice(2);
if (role === 'server') serve(Number(args[0]), args.slice(1));
else ask(args[0] ?? '', Number(args[1]), Number(args[2]));
