import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { endOfQuestion, headerBytes, type Query } from './query.ts';
import type { Upstream } from './resolv-conf.ts';

/**
 * Asks one server once. The number of the question is new each time, and so is the port that it comes from: who
 * forges an answer has to guess both.
 *
 * @param milliseconds until it is given up
 * @returns the server's answer to this very question, under the number that the asker gave
 * @throws Error when there is none: timed out, unreachable, or not an answer
 */
export type Exchange = (query: Query, upstream: Upstream, milliseconds: number) => Promise<Buffer>;

export const exchangeByUdp: Exchange = (query, { address, port }, milliseconds) => {
  const packet = renumbered(query.bytes, randomInt(0x10000));
  // Connected: the kernel gives us nothing that comes from another address, and tells of a port that nobody serves
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  return new Promise<Buffer>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('no answer')), milliseconds);
    socket.on('error', reject);
    socket.on('message', (reply) => {
      if (answers(packet, reply)) resolve(renumbered(reply, query.id));
    });
    socket.bind(0, () => {
      socket.connect(port, address, (error?: Error) => {
        if (error) reject(error);
        else socket.send(packet);
      });
    });
    socket.once('close', () => clearTimeout(timer));
  }).finally(() => socket.close());
};

export const exchangeByTcp: Exchange = (query, { address, port }, milliseconds) => {
  const packet = renumbered(query.bytes, randomInt(0x10000));
  const socket = connect({ host: address, port });
  return new Promise<Buffer>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('no answer')), milliseconds);
    let received = Buffer.alloc(0);
    socket.once('connect', () => socket.write(framed(packet)));
    socket.on('error', reject);
    socket.on('data', (piece) => {
      received = Buffer.concat([received, piece]);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
      const reply = received.subarray(2, 2 + received.readUInt16BE(0));
      if (answers(packet, reply)) resolve(renumbered(reply, query.id));
      else reject(new Error('an answer to something else'));
    });
    socket.once('close', () => {
      clearTimeout(timer);
      reject(new Error('the connection was closed'));
    });
  }).finally(() => socket.destroy());
};

/** As it goes by TCP: its length first (RFC 1035, 4.2.2). */
export function framed(packet: Buffer): Buffer {
  const frame = Buffer.alloc(2 + packet.length);
  frame.writeUInt16BE(packet.length, 0);
  packet.copy(frame, 2);
  return frame;
}

function renumbered(packet: Buffer, id: number): Buffer {
  const copy = Buffer.from(packet);
  copy.writeUInt16BE(id, 0);
  return copy;
}

/** Whether a packet is a response to a query: the same number, the same question, whatever the case of its letters. */
export function answers(query: Buffer, reply: Buffer): boolean {
  if (reply.length < headerBytes || reply.readUInt16BE(0) !== query.readUInt16BE(0)) return false;
  if ((reply.readUInt8(2) & 0xf8) !== 0x80) return false;
  // A server that did not understand may leave the question out
  if (reply.readUInt16BE(4) === 0) return (reply.readUInt8(3) & 0xf) === 1 && reply.length === headerBytes;
  const end = endOfQuestion(query);
  if (end === undefined || reply.readUInt16BE(4) !== 1 || endOfQuestion(reply) !== end) return false;
  const text = (packet: Buffer) => packet.toString('latin1', headerBytes, end - 4).toLowerCase();
  return text(query) === text(reply) && query.subarray(end - 4, end).equals(reply.subarray(end - 4, end));
}
