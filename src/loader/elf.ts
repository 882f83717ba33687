const headerBytes = 64;
const sectionBytes = 64;
const symbolBytes = 24;
const sectionTypeSymbols = 2;
const sectionTypeNoBits = 8;

/** A section of an object file. `data` is a view into the file, empty for `.bss`. */
export interface ElfSection {
  readonly name: string;
  readonly index: number;
  readonly type: number;
  readonly link: number;
  /** Bytes in memory, also for a section that the file holds nothing of. */
  readonly size: number;
  readonly data: Uint8Array;
}

/** A named place in a section: for a variable, `offset` is where it lies in the section. */
export interface ElfSymbol {
  readonly name: string;
  /** Index of the section it lies in; 0 and from 0xff00 up: none. */
  readonly section: number;
  readonly offset: number;
  readonly size: number;
}

/** What we read of a 64-bit little-endian ELF file: enough for BTF and for finding variables. */
export class ElfFile {
  readonly sections: readonly ElfSection[];

  /** @throws {Error} when the bytes are not a 64-bit little-endian ELF file. */
  constructor(bytes: Uint8Array) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const magic = bytes.byteLength >= headerBytes ? view.getUint32(0) : 0;
    if (magic !== 0x7f454c46 || bytes[4] !== 2 || bytes[5] !== 1) {
      throw new Error('not a 64-bit little-endian ELF file');
    }
    const sectionTable = Number(view.getBigUint64(0x28, true));
    const count = view.getUint16(0x3c, true);
    const nameSection = view.getUint16(0x3e, true);
    const header = (index: number) => {
      const at = sectionTable + index * sectionBytes;
      return {
        name: view.getUint32(at, true),
        type: view.getUint32(at + 4, true),
        offset: Number(view.getBigUint64(at + 24, true)),
        size: Number(view.getBigUint64(at + 32, true)),
        link: view.getUint32(at + 40, true),
      };
    };
    const contents = (offset: number, size: number) => bytes.subarray(offset, offset + size);
    const names = header(nameSection);
    const nameBytes = contents(names.offset, names.size);
    this.sections = Array.from({ length: count }, (_, index) => {
      const { name, type, offset, size, link } = header(index);
      const data = type === sectionTypeNoBits ? new Uint8Array(0) : contents(offset, size);
      return { name: stringAt(nameBytes, name), index, type, link, size, data };
    });
  }

  section(name: string): ElfSection | undefined {
    return this.sections.find((section) => section.name === name);
  }

  symbols(): ElfSymbol[] {
    const table = this.sections.find((section) => section.type === sectionTypeSymbols);
    const names = table && this.sections[table.link];
    if (!table || !names) return [];
    const view = new DataView(table.data.buffer, table.data.byteOffset, table.data.byteLength);
    return Array.from({ length: Math.floor(table.data.byteLength / symbolBytes) }, (_, index) => {
      const at = index * symbolBytes;
      return {
        name: stringAt(names.data, view.getUint32(at, true)),
        section: view.getUint16(at + 6, true),
        offset: Number(view.getBigUint64(at + 8, true)),
        size: Number(view.getBigUint64(at + 16, true)),
      };
    });
  }
}

/** The NUL-terminated string that begins at `offset`. */
export function stringAt(bytes: Uint8Array, offset: number): string {
  const end = bytes.indexOf(0, offset);
  return Buffer.from(bytes.buffer, bytes.byteOffset + offset, (end < 0 ? bytes.byteLength : end) - offset).toString();
}
