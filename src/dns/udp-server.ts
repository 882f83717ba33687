import { createSocket } from 'node:dgram';
import type { Resolver } from './resolver.ts';

/** A place where queries are answered; closing it answers no more. */
export interface Server {
  close(): Promise<void>;
}

/** Answers queries that come by UDP to a gateway. @throws Error with errno's name as its code, as EADDRINUSE */
export async function serveUdp(resolver: Resolver, network: string, address: string, port: number): Promise<Server> {
  const socket = createSocket({ type: address.includes(':') ? 'udp6' : 'udp4', ipv6Only: address.includes(':') });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind({ address, port, exclusive: true }, resolve);
    });
  } catch (error) {
    socket.close();
    throw error;
  }
  socket.removeAllListeners('error');
  // What cannot be sent any more is asked for again
  socket.on('error', () => {});
  let closed = false;
  socket.on('message', async (packet, { address: source, port: from }) => {
    if (!resolver.admits(network, source)) return;
    const reply = await resolver.answer(packet, network, source, 'udp');
    if (reply && !closed) socket.send(reply, from, source, () => {});
  });
  return {
    close: () =>
      new Promise((resolve) => {
        closed = true;
        socket.close(resolve);
      }),
  };
}
