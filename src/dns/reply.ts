import {
  type Answer,
  AUTHORITATIVE_ANSWER,
  encode,
  RECURSION_AVAILABLE,
  RECURSION_DESIRED,
  type RecordType,
} from 'dns-packet';
import type { Query } from './query.ts';

/** RFC 1035, 4.1.1; the last is of EDNS (RFC 6891), and has its upper bits in the OPT record. */
export const rcode = {
  noError: 0,
  formatError: 1,
  serverFailure: 2,
  nameError: 3,
  notImplemented: 4,
  refused: 5,
  badVersion: 16,
} as const;

/** Bytes that we take by UDP: what passes every path whole (DNS flag day 2020). */
const ownUdpSize = 1232;
/** Without EDNS. */
const plainUdpSize = 512;

const opt: Answer = {
  name: '.',
  type: 'OPT',
  udpPayloadSize: ownUdpSize,
  extendedRcode: 0,
  ednsVersion: 0,
  flags: 0,
  flag_do: false,
  options: [],
};

/** A reply without records, made of the query's own bytes: they need not be understood. */
export function errorReply(query: Buffer, code: number, questionEnd?: number, edns = false): Buffer {
  const head = Buffer.from(query.subarray(0, questionEnd ?? 12));
  head.writeUInt8(0x80 | (head.readUInt8(2) & 0x79), 2);
  head.writeUInt8(0x80 | (code & 0xf), 3);
  for (const [at, count] of [questionEnd === undefined ? 0 : 1, 0, 0, edns ? 1 : 0].entries())
    head.writeUInt16BE(count, 4 + 2 * at);
  if (!edns) return head;
  const record = Buffer.from([0, 0, 41, ownUdpSize >> 8, ownUdpSize & 0xff, code >> 4, 0, 0, 0, 0, 0]);
  return Buffer.concat([head, record]);
}

/** A refusal of a query that was understood. */
export function refusal(query: Query, code: number): Buffer {
  return errorReply(query.bytes, code, query.questionEnd, query.udpSize !== undefined);
}

/** Our own answer; without records it says that the name has none of this type. */
export function answerReply(query: Query, records: readonly Answer[]): Buffer {
  return encode({
    type: 'response',
    id: query.id,
    flags: AUTHORITATIVE_ANSWER | RECURSION_AVAILABLE | (query.bytes.readUInt8(2) & 1 ? RECURSION_DESIRED : 0),
    // The library reads types that it has no name for, and writes them too
    questions: [{ name: query.name, type: query.type as RecordType, class: 'IN' }],
    answers: [...records],
    additionals: query.udpSize === undefined ? [] : [opt],
  });
}

/** A reply as it may go by UDP: one that the asker has no room for is cut, so that it asks again by TCP. */
export function fitted(query: Query, reply: Buffer): Buffer {
  if (reply.length <= Math.max(plainUdpSize, query.udpSize ?? 0)) return reply;
  const cut = errorReply(query.bytes, reply.readUInt8(3) & 0xf, query.questionEnd, query.udpSize !== undefined);
  cut.writeUInt8(cut.readUInt8(2) | 0x02, 2);
  return cut;
}

export function isTruncated(reply: Buffer): boolean {
  return (reply.readUInt8(2) & 0x02) !== 0;
}

export function rcodeOf(reply: Buffer): number {
  return reply.readUInt8(3) & 0xf;
}
