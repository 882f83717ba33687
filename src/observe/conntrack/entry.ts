import { ConntrackFlag, conntrackCodec, conntrackKeyCodec } from '../../maps/generated/abi.ts';
import { fieldPlaces } from '../layout.ts';

const key = fieldPlaces(conntrackKeyCodec);
const value = fieldPlaces(conntrackCodec);
const inValue = conntrackKeyCodec.size;

/** Byte offsets of one tuple in an `EntryBytes`, in the direction in which the flow was begun. */
export interface TuplePlaces {
  readonly source: number;
  readonly destination: number;
  readonly sourcePort: number;
  readonly destinationPort: number;
}

const begunByA: TuplePlaces = {
  source: key.addrA.offset,
  destination: key.addrB.offset,
  sourcePort: key.portA.offset,
  destinationPort: key.portB.offset,
};

const begunByB: TuplePlaces = {
  source: key.addrB.offset,
  destination: key.addrA.offset,
  sourcePort: key.portB.offset,
  destinationPort: key.portA.offset,
};

const otherWire: TuplePlaces = {
  source: inValue + value.otherSource.offset,
  destination: inValue + value.otherDestination.offset,
  sourcePort: inValue + value.otherSourcePort.offset,
  destinationPort: inValue + value.otherDestinationPort.offset,
};

/** Byte offsets of the other fields in an `EntryBytes`. */
export const entryAt = {
  protocol: key.protocol.offset,
  network: key.network.offset,
  otherNetwork: inValue + value.otherNetwork.offset,
  flags: inValue + value.flags.offset,
  state: inValue + value.state.offset,
  sourceIdentity: inValue + value.sourceIdentity.offset,
  destinationIdentity: inValue + value.destinationIdentity.offset,
  created: inValue + value.created.offset,
  lastSeen: inValue + value.lastSeen.offset,
  packetsOriginal: inValue + value.packetsOriginal.offset,
  packetsReply: inValue + value.packetsReply.offset,
  bytesOriginal: inValue + value.bytesOriginal.offset,
  bytesReply: inValue + value.bytesReply.offset,
} as const;

/**
 * One entry of `conntrack`, key then value, in aligned memory that is used again for the next: a walk over hundreds of
 * thousands of entries decodes only those that are wanted.
 */
export class EntryBytes {
  readonly bytes = new Uint8Array(conntrackKeyCodec.size + conntrackCodec.size);
  readonly words = new Int32Array(this.bytes.buffer);

  /** @returns itself. */
  set(keyBytes: Uint8Array, valueBytes: Uint8Array): this {
    this.bytes.set(keyBytes, 0);
    this.bytes.set(valueBytes, inValue);
    return this;
  }

  u16(offset: number): number {
    return (this.bytes[offset] as number) | ((this.bytes[offset + 1] as number) << 8);
  }

  be16(offset: number): number {
    return ((this.bytes[offset] as number) << 8) | (this.bytes[offset + 1] as number);
  }

  u32(offset: number): number {
    return (this.words[offset >> 2] as number) >>> 0;
  }

  /** Exact to 2^53. */
  u64(offset: number): number {
    return this.u32(offset + 4) * 4_294_967_296 + this.u32(offset);
  }

  byte(offset: number): number {
    return this.bytes[offset] as number;
  }

  address(offset: number): Uint8Array {
    return this.bytes.slice(offset, offset + 16);
  }

  has(flag: number): boolean {
    return (this.u16(entryAt.flags) & flag) !== 0;
  }

  /** Whether the flow has a second tuple, and an entry for it. */
  get isTranslated(): boolean {
    return this.has(ConntrackFlag.TRANSLATED | ConntrackFlag.REPLY_HALF);
  }

  /** Whether the key is the tuple that the receiver of a translated flow sees. */
  get isReplyHalf(): boolean {
    return this.has(ConntrackFlag.REPLY_HALF);
  }

  /** The tuple as its sender sees it. */
  get sent(): TuplePlaces {
    return this.isReplyHalf ? otherWire : this.#own;
  }

  /** The tuple as its receiver sees it. */
  get received(): TuplePlaces {
    return this.isTranslated && !this.isReplyHalf ? otherWire : this.#own;
  }

  /** Network of the wire on which the flow was begun; 0 is the host's own. */
  get network(): number {
    return this.u16(this.isReplyHalf ? entryAt.otherNetwork : entryAt.network);
  }

  /** Network of the wire on which the flow arrives. */
  get receivedNetwork(): number {
    return this.u16(this.isTranslated && !this.isReplyHalf ? entryAt.otherNetwork : entryAt.network);
  }

  /** Key bytes of the other half of a translated flow. */
  otherKey(): Uint8Array {
    const tuple = otherWire;
    const bytes = new Uint8Array(conntrackKeyCodec.size);
    const swapped = this.#compareEnds(tuple) > 0;
    const ends = swapped ? begunByB : begunByA;
    bytes.set(this.bytes.subarray(tuple.source, tuple.source + 16), ends.source);
    bytes.set(this.bytes.subarray(tuple.destination, tuple.destination + 16), ends.destination);
    bytes.set(this.bytes.subarray(tuple.sourcePort, tuple.sourcePort + 2), ends.sourcePort);
    bytes.set(this.bytes.subarray(tuple.destinationPort, tuple.destinationPort + 2), ends.destinationPort);
    bytes.set(this.bytes.subarray(entryAt.otherNetwork, entryAt.otherNetwork + 2), entryAt.network);
    bytes[entryAt.protocol] = this.byte(entryAt.protocol);
    return bytes;
  }

  get #own(): TuplePlaces {
    return this.has(ConntrackFlag.ORIGIN_B) ? begunByB : begunByA;
  }

  /** As the datapath orders a key's ends: address, then port, byte by byte. */
  #compareEnds(tuple: TuplePlaces): number {
    const slice = (at: number, size: number) => this.bytes.subarray(at, at + size);
    return (
      Buffer.compare(slice(tuple.source, 16), slice(tuple.destination, 16)) ||
      Buffer.compare(slice(tuple.sourcePort, 2), slice(tuple.destinationPort, 2))
    );
  }
}
