import { littleEndian } from '../loader/ffi/libc.ts';
import { Payload } from './payload.ts';

/** `struct nlmsghdr` and what is of every family. */
export const headerSize = 16;

export const MessageType = { NOOP: 1, ERROR: 2, DONE: 3, OVERRUN: 4 } as const;

/** `RTM_*` of linux/rtnetlink.h: in fours, of which the second is for what has gone. */
export const Rtm = {
  NEWLINK: 16,
  DELLINK: 17,
  GETLINK: 18,
  NEWADDR: 20,
  DELADDR: 21,
  GETADDR: 22,
  NEWROUTE: 24,
  DELROUTE: 25,
  GETROUTE: 26,
  NEWNEIGH: 28,
  DELNEIGH: 29,
  GETNEIGH: 30,
  NEWQDISC: 36,
  DELQDISC: 37,
  GETQDISC: 38,
  NEWTFILTER: 44,
  DELTFILTER: 45,
  GETTFILTER: 46,
} as const;

/** `NLM_F_*`; those above 0xff mean different things in different kinds of message. */
export const Flag = {
  REQUEST: 1,
  MULTI: 2,
  ACK: 4,
  ECHO: 8,
  DUMP_INTR: 0x10,
  /** Of a request that reads: everything, not one. */
  DUMP: 0x300,
  /** Of a request that makes something: change it if it is there. */
  REPLACE: 0x100,
  /** Of a request that makes something: refuse if it is there. */
  EXCL: 0x200,
  /** Of a request that makes something: make it if it is not there. */
  CREATE: 0x400,
  /** Of an acknowledgement: the request is not repeated after its header. */
  CAPPED: 0x100,
  /** Of an acknowledgement: attributes follow. */
  ACK_TLVS: 0x200,
} as const;

/** One message as received; its payload is valid until the next receive. */
export interface Message {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  readonly payload: Payload;
}

/** What a request asks, and how to name it where it is refused. */
export interface Request {
  readonly type: number;
  /** Beside REQUEST and ACK, which the socket adds. */
  readonly flags: number;
  /** What follows the header. */
  readonly payload: Uint8Array;
  /** `add address` */
  readonly operation: string;
  /** `10.88.0.2/16 to device 7` */
  readonly object: string;
}

/** Writes a request with its header. @returns where the next one begins */
export function encodeMessage(
  target: Uint8Array,
  offset: number,
  request: Pick<Request, 'type' | 'payload'>,
  flags: number,
  sequence: number,
): number {
  const { type, payload } = request;
  const length = headerSize + payload.length;
  const view = new DataView(target.buffer, target.byteOffset + offset, headerSize);
  view.setUint32(0, length, littleEndian);
  view.setUint16(4, type, littleEndian);
  view.setUint16(6, flags, littleEndian);
  view.setUint32(8, sequence, littleEndian);
  view.setUint32(12, 0, littleEndian);
  target.set(payload, offset + headerSize);
  return offset + align(length);
}

/** The messages of one datagram. What is cut off at the end is left out. */
export function* decodeMessages(view: DataView, length: number): Generator<Message> {
  for (let at = 0; at + headerSize <= length; ) {
    const size = view.getUint32(at, littleEndian);
    if (size < headerSize || at + size > length) return;
    yield {
      type: view.getUint16(at + 4, littleEndian),
      flags: view.getUint16(at + 6, littleEndian),
      sequence: view.getUint32(at + 8, littleEndian),
      payload: new Payload(view, at + headerSize, at + size),
    };
    at += align(size);
  }
}

/** Bytes that a message takes, with its header and what fills it up to a multiple of 4. */
export function messageSize(request: Pick<Request, 'payload'>): number {
  return align(headerSize + request.payload.length);
}

function align(length: number): number {
  return (length + 3) & ~3;
}
