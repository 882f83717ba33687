import { close } from './descriptor.ts';
import { unixAddress } from './sockaddr.ts';
import { AddressFamily, MessageFlag, SocketType, send, socket } from './socket.ts';

/**
 * Sends one datagram to a unix socket: systemd's notification protocol, sd_notify(3).
 *
 * @param path `$NOTIFY_SOCKET`; a leading `@` means the abstract namespace.
 * @param state lines such as `READY=1`.
 */
export function notify(path: string, state: string): void {
  const fd = socket(AddressFamily.UNIX, SocketType.DGRAM, 0, 'a unix socket');
  try {
    send(fd, new TextEncoder().encode(state), MessageFlag.NOSIGNAL, unixAddress(path));
  } finally {
    close(fd);
  }
}
