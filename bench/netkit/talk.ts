import { checked, declare } from '../../src/loader/ffi/call.ts';
import * as libc from '../../src/loader/ffi/libc.ts';
import { parseAddress } from '../../src/model/address.ts';
import { withNetns } from '../../src/netlink/netns.ts';
import type { Way } from './ways.ts';

const c = {
  listen: declare<(fd: number, backlog: number) => number>('int listen(int sockfd, int backlog)'),
  accept: declare<(fd: number, address: null, length: null) => number>(
    'int accept(int sockfd, void *addr, void *addrlen)',
  ),
};

/** Two sockets, each connected to the other. */
export type Ends = readonly [left: number, right: number];

const port = 7000;
const addressOf = (number: 1 | 2) => libc.inetAddress(parseAddress(`10.0.0.${number}`), port);
const message = new Uint8Array(14);
const buffer = new Uint8Array(64);

export function openUdp({ left, right }: Way): Ends {
  const open = (own: 1 | 2) => {
    const fd = libc.socket(libc.AddressFamily.INET, libc.SocketType.DGRAM, 0);
    libc.bind(fd, addressOf(own), `10.0.0.${own}`);
    return fd;
  };
  const ends = [withNetns(left, () => open(1)), withNetns(right, () => open(2))] as const;
  libc.connect(ends[0], addressOf(2), '10.0.0.2');
  libc.connect(ends[1], addressOf(1), '10.0.0.1');
  return ends;
}

export function openTcp({ left, right }: Way): Ends {
  const server = withNetns(right, () => {
    const fd = libc.socket(libc.AddressFamily.INET, libc.SocketType.STREAM, 0);
    libc.bind(fd, addressOf(2), '10.0.0.2');
    checked(c.listen(fd, 1), 'listen at', `socket ${fd}`);
    return fd;
  });
  const client = withNetns(left, () => libc.socket(libc.AddressFamily.INET, libc.SocketType.STREAM, 0));
  libc.connect(client, addressOf(2), '10.0.0.2');
  const accepted = checked(c.accept(server, null, null), 'accept at', `socket ${server}`);
  libc.close(server);
  return [client, accepted];
}

/**
 * One round trip of 14 bytes. One thread is both ends: what it sends has arrived when the call returns, so nothing waits,
 * and nothing is counted but the way.
 */
export function roundTrip([left, right]: Ends): void {
  pass(left, right);
  pass(right, left);
}

function pass(from: number, to: number): void {
  libc.send(from, message);
  const length = libc.recv(to, buffer, libc.MessageFlag.DONTWAIT);
  if (length !== message.length) throw new Error(`a message of ${message.length} bytes came as ${length}`);
}
