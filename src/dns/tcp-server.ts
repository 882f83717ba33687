import { createServer, type Socket } from 'node:net';
import { framed } from './exchange.ts';
import { Limiter } from './limiter.ts';
import type { Resolver } from './resolver.ts';
import type { Server } from './udp-server.ts';

/** Connections to one gateway, in all and of one container. */
const most = { total: 256, each: 16 };
/** Milliseconds that a connection may be silent. */
const idleMs = 10_000;
/** Bytes of a query: more is no query. */
const largest = 4096;

/** Answers queries that come by TCP to a gateway. @throws Error with errno's name as its code, as EADDRINUSE */
export async function serveTcp(resolver: Resolver, network: string, address: string, port: number): Promise<Server> {
  const open = new Set<Socket>();
  const limiter = new Limiter(most.total, most.each);
  const server = createServer((socket) => {
    const source = socket.remoteAddress ?? '';
    const leave = source !== '' && resolver.admits(network, source) ? limiter.enter(source) : undefined;
    socket.on('error', () => {});
    if (!leave) return socket.resetAndDestroy();
    open.add(socket);
    socket.once('close', () => {
      open.delete(socket);
      leave();
    });
    socket.setTimeout(idleMs, () => socket.destroy());
    converse(socket, (query) => resolver.answer(query, network, source, 'tcp')).catch(() => socket.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: address, port, exclusive: true, ipv6Only: address.includes(':') }, resolve);
  });
  server.removeAllListeners('error');
  server.on('error', () => {});
  return {
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}

/** One query after the other: what is asked meanwhile waits in the kernel. */
async function converse(socket: Socket, answer: (query: Buffer) => Promise<Buffer | undefined>): Promise<void> {
  let received = Buffer.alloc(0);
  for await (const piece of socket as AsyncIterable<Buffer>) {
    received = Buffer.concat([received, piece]);
    for (;;) {
      const length = received.length < 2 ? undefined : received.readUInt16BE(0);
      if (length !== undefined && length > largest) return void socket.destroy();
      if (length === undefined || received.length < 2 + length) break;
      const reply = await answer(received.subarray(2, 2 + length));
      if (!reply) return void socket.destroy();
      socket.write(framed(reply));
      received = received.subarray(2 + length);
    }
  }
}
