import { createServer, type Socket } from 'node:net';
import { framed } from './exchange.ts';
import { Limiter } from './limiter.ts';
import type { Server, Serving } from './udp-server.ts';

/** Connections to one gateway, in all and of one address. */
const most = { total: 256, each: 16 };
/** Bytes of a query: more is no query. */
const largest = 4096;

export interface ServingTcp extends Serving {
  /** Milliseconds that a connection may be silent, or take nothing of its answers. Default: 10,000. */
  readonly idleMs?: number;
}

/** Answers queries that come by TCP to a gateway. @throws Error with errno's name as its code, as EADDRINUSE */
export async function serveTcp(serving: ServingTcp): Promise<Server> {
  const { address, port, failed } = serving;
  const open = new Set<Socket>();
  const limiter = new Limiter(most.total, most.each);
  const server = createServer((socket) => {
    socket.on('error', () => {});
    try {
      accept(socket, serving, limiter, open);
    } catch (error) {
      failed(error);
      socket.destroy();
    }
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

function accept(socket: Socket, serving: ServingTcp, limiter: Limiter, open: Set<Socket>): void {
  const { resolver, network, failed, idleMs = 10_000 } = serving;
  const source = socket.remoteAddress ?? '';
  const leave = source !== '' && resolver.admits(network, source) ? limiter.enter(source) : undefined;
  if (!leave) return void socket.resetAndDestroy();
  open.add(socket);
  socket.once('close', () => {
    open.delete(socket);
    leave();
  });
  socket.setTimeout(idleMs, () => socket.destroy());
  const answer = async (query: Buffer) => {
    try {
      return await resolver.answer(query, network, source, 'tcp');
    } catch (error) {
      failed(error);
      return undefined;
    }
  };
  converse(socket, answer).catch(() => socket.destroy());
}

/**
 * One query after the other, each once the answer before it has gone to the kernel: what is asked meanwhile waits there,
 * and who takes no answers is asked for nothing more.
 */
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
      await written(socket, framed(reply));
      received = received.subarray(2 + length);
    }
  }
}

/** @throws Error when the connection ends first */
function written(socket: Socket, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.write(bytes, (error) => (error || socket.destroyed ? reject(error ?? new Error('closed')) : resolve()));
  });
}
