import { littleEndian } from '../loader/ffi/libc.ts';

const decoder = new TextDecoder();

/** A stretch of a received buffer. It is read before the buffer is filled again; what is kept is copied. */
export class Payload {
  readonly #view: DataView;
  readonly #start: number;
  readonly #end: number;

  constructor(view: DataView, start: number, end: number) {
    this.#view = view;
    this.#start = start;
    this.#end = end;
  }

  static of(bytes: Uint8Array): Payload {
    return new Payload(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0, bytes.byteLength);
  }

  get length(): number {
    return this.#end - this.#start;
  }

  u8(offset = 0): number {
    return this.#view.getUint8(this.#start + offset);
  }

  u16(offset = 0): number {
    return this.#view.getUint16(this.#start + offset, littleEndian);
  }

  /** A 16-bit number in network order. */
  be16(offset = 0): number {
    return this.#view.getUint16(this.#start + offset);
  }

  u32(offset = 0): number {
    return this.#view.getUint32(this.#start + offset, littleEndian);
  }

  s32(offset = 0): number {
    return this.#view.getInt32(this.#start + offset, littleEndian);
  }

  /** Exact to 2^53. */
  u64(offset = 0): number {
    return Number(this.#view.getBigUint64(this.#start + offset, littleEndian));
  }

  /** Up to the first 0. */
  text(): string {
    const bytes = this.#slice();
    const end = bytes.indexOf(0);
    return decoder.decode(end === -1 ? bytes : bytes.subarray(0, end));
  }

  /** A copy. */
  bytes(): Uint8Array {
    return this.#slice().slice();
  }

  /** The attributes that begin at an offset: after the message's fixed struct. */
  attributes(offset = 0): Attributes {
    return new Attributes(this.#view, Math.min(this.#start + ((offset + 3) & ~3), this.#end), this.#end);
  }

  #slice(): Uint8Array {
    return new Uint8Array(this.#view.buffer, this.#view.byteOffset + this.#start, this.length);
  }
}

/** A list of attributes, looked through at every question: messages have few that anyone asks for. */
export class Attributes {
  readonly #view: DataView;
  readonly #start: number;
  readonly #end: number;

  constructor(view: DataView, start: number, end: number) {
    this.#view = view;
    this.#start = start;
    this.#end = end;
  }

  /** The first of a type. An attribute that does not fit ends the list. */
  get(type: number): Payload | undefined {
    for (let at = this.#start; at + 4 <= this.#end; ) {
      const length = this.#view.getUint16(at, littleEndian);
      if (length < 4 || at + length > this.#end) return undefined;
      if ((this.#view.getUint16(at + 2, littleEndian) & typeMask) === type) {
        return new Payload(this.#view, at + 4, at + length);
      }
      at += (length + 3) & ~3;
    }
    return undefined;
  }

  /** Every one, in order. */
  *[Symbol.iterator](): Generator<readonly [type: number, value: Payload]> {
    for (let at = this.#start; at + 4 <= this.#end; ) {
      const length = this.#view.getUint16(at, littleEndian);
      if (length < 4 || at + length > this.#end) return;
      yield [this.#view.getUint16(at + 2, littleEndian) & typeMask, new Payload(this.#view, at + 4, at + length)];
      at += (length + 3) & ~3;
    }
  }

  u8(type: number): number | undefined {
    return this.get(type)?.u8();
  }

  u32(type: number): number | undefined {
    return this.get(type)?.u32();
  }

  text(type: number): string | undefined {
    return this.get(type)?.text();
  }

  bytes(type: number): Uint8Array | undefined {
    return this.get(type)?.bytes();
  }

  nested(type: number): Attributes | undefined {
    return this.get(type)?.attributes();
  }
}

/** Without the flags for nesting and byte order. */
const typeMask = 0x3fff;
