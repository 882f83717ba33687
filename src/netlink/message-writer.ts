import { littleEndian } from '../loader/ffi/libc.ts';

const encoder = new TextEncoder();

/** The bit of an attribute's type that says its value is attributes. Strict checking asks for it. */
export const nestedFlag = 0x8000;

/**
 * Builds what follows a netlink message's header: a fixed struct, then attributes, each aligned to 4 bytes.
 * Numbers are in the machine's order, as everywhere in netlink, unless the name says otherwise.
 */
export class MessageWriter {
  #bytes: Uint8Array;
  #view: DataView;
  #length = 0;

  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  get length(): number {
    return this.#length;
  }

  u8(value: number): this {
    const at = this.#claim(1);
    this.#view.setUint8(at, value);
    return this;
  }

  u16(value: number): this {
    const at = this.#claim(2);
    this.#view.setUint16(at, value, littleEndian);
    return this;
  }

  u32(value: number): this {
    const at = this.#claim(4);
    this.#view.setUint32(at, value, littleEndian);
    return this;
  }

  raw(bytes: Uint8Array): this {
    const at = this.#claim(bytes.length);
    this.#bytes.set(bytes, at);
    return this;
  }

  /** Zeros up to the next multiple of 4. */
  align(): this {
    this.#claim(-this.#length & 3);
    return this;
  }

  attribute(type: number, value: Uint8Array): this {
    return this.u16(4 + value.length)
      .u16(type)
      .raw(value)
      .align();
  }

  attributeU8(type: number, value: number): this {
    return this.u16(5).u16(type).u8(value).align();
  }

  attributeU16(type: number, value: number): this {
    return this.u16(6).u16(type).u16(value).align();
  }

  attributeU32(type: number, value: number): this {
    return this.u16(8).u16(type).u32(value);
  }

  /** With the 0 at its end. */
  attributeText(type: number, text: string): this {
    return this.attribute(type, encoder.encode(`${text}\0`));
  }

  /** Attributes within an attribute. */
  nested(type: number, fill: (writer: this) => void): this {
    return this.block(type | nestedFlag, fill);
  }

  /** An attribute whose value is written piece by piece: a struct, then attributes. */
  block(type: number, fill: (writer: this) => void): this {
    const start = this.#length;
    this.u16(0).u16(type);
    fill(this);
    this.#view.setUint16(start, this.#length - start, littleEndian);
    return this;
  }

  /** What has been written so far, not copied. */
  finish(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#bytes.buffer as ArrayBuffer, 0, this.#length);
  }

  /** Takes zeroed bytes, in a larger buffer where need be: ask before touching the view. @returns where they begin */
  #claim(size: number): number {
    const at = this.#length;
    this.#length += size;
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length));
      larger.set(this.#bytes.subarray(0, at));
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }
}
