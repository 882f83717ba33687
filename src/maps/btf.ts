import { ElfFile, stringAt } from '../loader/elf.ts';

const magic = 0xeb9f;

export interface BtfMember {
  readonly name: string;
  readonly type: number;
  readonly bitOffset: number;
}

export interface BtfEnumerator {
  readonly name: string;
  readonly value: bigint;
}

/** A type of the BTF format (Documentation/bpf/btf.rst of the kernel), as far as maps and their structs need it. */
export type BtfType =
  | {
      readonly kind: 'int';
      readonly name: string;
      readonly size: number;
      readonly signed: boolean;
      readonly bool: boolean;
    }
  | { readonly kind: 'array'; readonly name: string; readonly type: number; readonly length: number }
  | {
      readonly kind: 'struct' | 'union';
      readonly name: string;
      readonly size: number;
      readonly members: readonly BtfMember[];
    }
  | { readonly kind: 'enum'; readonly name: string; readonly size: number; readonly values: readonly BtfEnumerator[] }
  | { readonly kind: 'datasec'; readonly name: string; readonly variables: readonly number[] }
  | { readonly kind: 'tag'; readonly name: string; readonly type: number; readonly component: number }
  /** What only points at another type. */
  | {
      readonly kind: 'pointer' | 'typedef' | 'qualifier' | 'variable' | 'function';
      readonly name: string;
      readonly type: number;
    }
  | { readonly kind: 'other'; readonly name: string };

/** The type information of an object file, or of anything that carries a `.BTF` blob. */
export class Btf {
  /** Indexed by type id; 0 is void. */
  readonly types: readonly BtfType[];

  /** @throws {Error} when the bytes are not little-endian BTF, or hold a kind we do not know. */
  constructor(bytes: Uint8Array) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (bytes.byteLength < 24 || view.getUint16(0, true) !== magic) throw new Error('not little-endian BTF');
    const headerLength = view.getUint32(4, true);
    const typeStart = headerLength + view.getUint32(8, true);
    const typeEnd = typeStart + view.getUint32(12, true);
    const strings = bytes.subarray(headerLength + view.getUint32(16, true));
    this.types = readTypes(view, typeStart, typeEnd, (offset) => stringAt(strings, offset));
  }

  /** Reads the `.BTF` section of an object file. */
  static fromElf(bytes: Uint8Array): Btf {
    const section = new ElfFile(bytes).section('.BTF');
    if (!section) throw new Error('the object has no .BTF section: compile it with -g');
    return new Btf(section.data);
  }

  type(id: number): BtfType {
    const type = this.types[id];
    if (!type) throw new Error(`BTF names a type ${id} that it does not have`);
    return type;
  }

  /** Follows typedefs and qualifiers to what lies beneath; collects the typedefs' names on the way, outermost first. */
  resolve(id: number): { readonly type: BtfType; readonly typedefs: readonly string[] } {
    const typedefs: string[] = [];
    let type = this.type(id);
    while (type.kind === 'typedef' || type.kind === 'qualifier') {
      if (type.kind === 'typedef') typedefs.push(type.name);
      type = this.type(type.type);
    }
    return { type, typedefs };
  }
}

function readTypes(view: DataView, start: number, end: number, string: (offset: number) => string): BtfType[] {
  const types: BtfType[] = [{ kind: 'other', name: 'void' }];
  let at = start;
  const u32 = (offset: number) => view.getUint32(offset, true);
  while (at < end) {
    const name = string(u32(at));
    const info = u32(at + 4);
    const sizeOrType = u32(at + 8);
    const count = info & 0xffff;
    const kind = (info >>> 24) & 0x1f;
    const body = at + 12;
    const rows = <T>(bytes: number, row: (offset: number) => T) =>
      Array.from({ length: count }, (_, index) => row(body + index * bytes));
    let extra = 0;
    switch (kind) {
      case 1: {
        const encoding = u32(body);
        types.push({
          kind: 'int',
          name,
          size: sizeOrType,
          signed: (encoding & 0x0100_0000) !== 0,
          bool: (encoding & 0x0400_0000) !== 0,
        });
        extra = 4;
        break;
      }
      case 3:
        types.push({ kind: 'array', name, type: u32(body), length: u32(body + 8) });
        extra = 12;
        break;
      case 4:
      case 5: {
        // With kind_flag a member's offset also holds a bitfield's width, in the upper 8 bits.
        const bitfields = info >>> 31 === 1;
        const members = rows(12, (offset) => {
          const bitOffset = u32(offset + 8);
          if (bitfields && bitOffset >>> 24 !== 0) throw new Error(`struct ${name} has a bitfield`);
          return { name: string(u32(offset)), type: u32(offset + 4), bitOffset };
        });
        types.push({ kind: kind === 4 ? 'struct' : 'union', name, size: sizeOrType, members });
        extra = 12 * count;
        break;
      }
      case 6: {
        const signed = info >>> 31 === 1;
        const values = rows(8, (offset) => ({
          name: string(u32(offset)),
          value: BigInt(signed ? view.getInt32(offset + 4, true) : u32(offset + 4)),
        }));
        types.push({ kind: 'enum', name, size: sizeOrType, values });
        extra = 8 * count;
        break;
      }
      case 19: {
        const values = rows(12, (offset) => ({
          name: string(u32(offset)),
          value: view.getBigUint64(offset + 4, true),
        }));
        types.push({ kind: 'enum', name, size: sizeOrType, values });
        extra = 12 * count;
        break;
      }
      case 14:
        types.push({ kind: 'variable', name, type: sizeOrType });
        extra = 4;
        break;
      case 15:
        types.push({ kind: 'datasec', name, variables: rows(12, (offset) => u32(offset)) });
        extra = 12 * count;
        break;
      case 17:
        types.push({ kind: 'tag', name, type: sizeOrType, component: view.getInt32(body, true) });
        extra = 4;
        break;
      case 2:
        types.push({ kind: 'pointer', name, type: sizeOrType });
        break;
      case 8:
        types.push({ kind: 'typedef', name, type: sizeOrType });
        break;
      case 9:
      case 10:
      case 11:
      case 18:
        types.push({ kind: 'qualifier', name, type: sizeOrType });
        break;
      case 12:
        types.push({ kind: 'function', name, type: sizeOrType });
        break;
      case 13:
        types.push({ kind: 'other', name });
        extra = 8 * count;
        break;
      case 7:
      case 16:
        types.push({ kind: 'other', name });
        break;
      default:
        throw new Error(`BTF kind ${kind} is not known`);
    }
    at = body + extra;
  }
  return types;
}
