import { decode, type Packet } from 'dns-packet';
import { errorReply, rcode } from './reply.ts';

/** Bytes of a query: no resolver sends more than a name and a few options. */
const largest = 4096;
export const headerBytes = 12;

/** A question that can be answered. */
export interface Query {
  readonly id: number;
  /** As it was written, without the final dot; empty for the root. */
  readonly name: string;
  readonly type: string;
  /** The whole packet. */
  readonly bytes: Buffer;
  /** Where its question ends in `bytes`. */
  readonly questionEnd: number;
  /** Bytes that the asker takes by UDP; undefined without EDNS. */
  readonly udpSize: number | undefined;
}

/** A query; the answer to what is none; or undefined for what gets no answer at all. */
export type Parsed = { readonly query: Query } | { readonly error: Buffer } | undefined;

/** Reads what came by the wire. Never throws. */
export function parseQuery(bytes: Buffer): Parsed {
  // Responses get none, or two servers would talk for ever
  if (bytes.length < headerBytes || bytes.readUInt8(2) & 0x80) return undefined;
  if (bytes.readUInt8(2) & 0x78) return { error: errorReply(bytes, rcode.notImplemented) };
  const questionEnd = endOfQuestion(bytes);
  const packet = questionEnd === undefined ? undefined : read(bytes);
  const question = packet?.questions?.[0];
  if (!packet || !question || questionEnd === undefined) return { error: errorReply(bytes, rcode.formatError) };
  if (question.class !== 'IN') return { error: errorReply(bytes, rcode.refused, questionEnd) };
  const edns = packet.additionals?.find((record) => record.type === 'OPT');
  if (edns && edns.ednsVersion !== 0) {
    return { error: errorReply(bytes, rcode.badVersion, questionEnd, true) };
  }
  const name = question.name === '.' ? '' : question.name;
  const udpSize = edns?.udpPayloadSize;
  return { query: { id: bytes.readUInt16BE(0), name, type: question.type, bytes, questionEnd, udpSize } };
}

/** One question, no records but those that a query may carry, and nothing that the library does not understand. */
function read(bytes: Buffer): Packet | undefined {
  const [questions, answers, authorities, additionals] = [4, 6, 8, 10].map((at) => bytes.readUInt16BE(at));
  const isPlain = questions === 1 && answers === 0 && authorities === 0 && (additionals ?? 0) <= 4;
  if (!isPlain || bytes.length > largest) return undefined;
  try {
    return decode(bytes);
  } catch {
    return undefined;
  }
}

/** Where the first question ends; undefined when it does not lie there whole and without pointers. */
export function endOfQuestion(bytes: Buffer): number | undefined {
  let at = headerBytes;
  for (;;) {
    const length = bytes[at];
    if (length === undefined || length > 63 || at - headerBytes > 254) return undefined;
    at += length + 1;
    if (length === 0) break;
  }
  return at + 4 <= bytes.length ? at + 4 : undefined;
}
