import { flowEventCodec } from '../../maps/generated/abi.ts';
import { fieldPlaces } from '../layout.ts';

const places = fieldPlaces(flowEventCodec);

/** Size of a `struct flow_event`, bytes; a multiple of 8. */
export const recordSize = flowEventCodec.size;

/** Byte offsets of the fields of a `struct flow_event`, for readers of raw records. */
export const at = {
  /** Low half of ktime; the high half is four bytes further. */
  time: places.time.offset,
  source: places.source.offset,
  destination: places.destination.offset,
  sourcePort: places.sourcePort.offset,
  destinationPort: places.destinationPort.offset,
  network: places.network.offset,
  sourceIdentity: places.sourceIdentity.offset,
  destinationIdentity: places.destinationIdentity.offset,
  ifindex: places.ifindex.offset,
  length: places.length.offset,
  reason: places.reason.offset,
  verdict: places.verdict.offset,
  hook: places.hook.offset,
  protocol: places.protocol.offset,
  tcpFlags: places.tcpFlags.offset,
  ethertype: places.ethertype.offset,
  decision: places.decision.offset,
} as const;

/**
 * Memory that holds flow records, seen as bytes and as words. Records begin at multiples of 8, so every 32-bit
 * field is one word; ports are big-endian bytes.
 */
export interface Records {
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
}

/** @throws {RangeError} unless `bytes` begins at a multiple of 4 in its buffer. */
export function recordsIn(bytes: Uint8Array): Records {
  return { bytes, words: new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 2) };
}
