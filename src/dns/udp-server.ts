import { createSocket, type Socket } from 'node:dgram';
import type { Resolver } from './resolver.ts';

/** A place where queries are answered; closing it answers no more. */
export interface Server {
  close(): Promise<void>;
}

/** What is answered, and where. */
export interface Serving {
  readonly resolver: Resolver;
  /** The network's id. */
  readonly network: string;
  readonly address: string;
  readonly port: number;
  /** Told what went wrong with one query, which gets no answer. As often as queries come: the log wants it less often. */
  readonly failed: (error: unknown) => void;
}

/** Answers queries that come by UDP to a gateway. @throws Error with errno's name as its code, as EADDRINUSE */
export async function serveUdp(serving: Serving): Promise<Server> {
  const { address, port } = serving;
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
  socket.on('message', (packet, source) => answerPacket(serving, packet, source, () => (closed ? undefined : socket)));
  return {
    close: () =>
      new Promise((resolve) => {
        closed = true;
        socket.close(resolve);
      }),
  };
}

/**
 * Answers one packet. Never rejects.
 *
 * @param open the socket to answer by; undefined once it is closed
 */
export async function answerPacket(
  { resolver, network, failed }: Serving,
  packet: Buffer,
  source: { readonly address: string; readonly port: number },
  open: () => Socket | undefined,
): Promise<void> {
  try {
    if (!resolver.admits(network, source.address)) return;
    // Whoever does not say where from wants no answer (RFC 768), and none can be sent there
    if (source.port === 0) return void resolver.counts.malformed++;
    const reply = await resolver.answer(packet, network, source.address, 'udp');
    if (reply) open()?.send(reply, source.port, source.address, () => {});
  } catch (error) {
    failed(error);
  }
}
