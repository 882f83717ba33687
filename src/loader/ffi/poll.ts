import koffi from 'koffi';

/** A watch of a descriptor. */
export interface Watch extends Disposable {
  /** Lets the process end though the watch goes on. */
  unref(): void;
  close(): void;
}

/**
 * Calls back from the event loop while a descriptor has something to read: a ring buffer's map, a netlink socket.
 * It costs no thread: libuv's own epoll watches. The descriptor must stay open until the watch is closed.
 *
 * @param callback reads until nothing is left, or it is called again at once.
 */
export function watchReadable(fd: number, callback: () => void): Watch {
  const handle = koffi.node.poll(fd, { readable: true }, () => callback());
  const close = () => handle.close();
  return { unref: () => handle.unref(), close, [Symbol.dispose]: close };
}
