import type { Btf, BtfMember } from '../btf.ts';
import { type MapType, type MapWriter, mapTypes } from '../definition.ts';

/** What a field or a map's key or value is made of. */
export type Shape =
  | { readonly kind: 'number'; readonly codec: 'U8' | 'U16' | 'U32' | 'Be16' | 'Be32'; readonly size: number }
  | { readonly kind: 'bigint'; readonly codec: 'U64'; readonly size: number }
  | { readonly kind: 'bytes'; readonly size: number }
  | { readonly kind: 'struct'; readonly name: string; readonly size: number }
  | { readonly kind: 'array'; readonly element: Shape; readonly length: number; readonly size: number };

export interface Field {
  readonly name: string;
  readonly offset: number;
  readonly shape: Shape;
}

export interface StructLayout {
  readonly name: string;
  readonly size: number;
  readonly fields: readonly Field[];
  /** Explicit padding (members called `pad`, `pad2` ...): written as zeros, not shown. */
  readonly padding: readonly { readonly offset: number; readonly size: number }[];
}

export interface EnumLayout {
  readonly name: string;
  readonly values: readonly { readonly name: string; readonly value: number }[];
}

export interface MapLayout {
  readonly name: string;
  readonly type: MapType;
  readonly key?: Shape;
  readonly value?: Shape;
  readonly maxEntries: number;
  readonly flags: number;
  readonly writer: MapWriter;
}

export interface Layouts {
  readonly structs: readonly StructLayout[];
  readonly enums: readonly EnumLayout[];
  readonly maps: readonly MapLayout[];
}

/**
 * Every named struct and enum, and every map of `.maps`, sorted by name so that the result does not depend on the
 * order in which a compiler meets them.
 *
 * @throws {Error} on what shared structs may not have: bitfields, unions, implicit padding, signed numbers.
 */
export function layoutsOf(btf: Btf): Layouts {
  const structs: StructLayout[] = [];
  const enums: EnumLayout[] = [];
  for (const type of btf.types) {
    if (type.kind === 'union' && type.name) throw new Error(`union ${type.name}: shared structs have no unions`);
    if (type.kind === 'struct' && type.name && !isBytesStruct(btf, type.members)) {
      structs.push(structLayout(btf, type.name, type.size, type.members));
    }
    if (type.kind === 'enum' && type.name) {
      enums.push({
        name: type.name,
        values: type.values.map(({ name, value }) => ({ name, value: Number(value) })),
      });
    }
  }
  const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
  return { structs: structs.sort(byName), enums: enums.sort(byName), maps: mapLayouts(btf).sort(byName) };
}

function structLayout(btf: Btf, name: string, size: number, members: readonly BtfMember[]): StructLayout {
  const fields: Field[] = [];
  const padding: { offset: number; size: number }[] = [];
  let end = 0;
  for (const member of members) {
    const offset = member.bitOffset / 8;
    if (offset !== end) throw new Error(`struct ${name} has implicit padding before ${member.name}`);
    const shape = shapeOf(btf, member.type, `struct ${name}, ${member.name}`);
    end = offset + shape.size;
    if (/^pad\d*$/.test(member.name)) padding.push({ offset, size: shape.size });
    else fields.push({ name: member.name, offset, shape });
  }
  if (end !== size) padding.push({ offset: end, size: size - end });
  return { name, size, fields, padding };
}

function shapeOf(btf: Btf, id: number, where: string): Shape {
  const { type, typedefs } = btf.resolve(id);
  if (type.kind === 'int') {
    if (type.signed || type.bool) throw new Error(`${where}: only unsigned numbers are shared`);
    if (typedefs.includes('__be16')) return { kind: 'number', codec: 'Be16', size: 2 };
    if (typedefs.includes('__be32')) return { kind: 'number', codec: 'Be32', size: 4 };
    if (type.size === 1) return { kind: 'number', codec: 'U8', size: 1 };
    if (type.size === 2) return { kind: 'number', codec: 'U16', size: 2 };
    if (type.size === 4) return { kind: 'number', codec: 'U32', size: 4 };
    if (type.size === 8) return { kind: 'bigint', codec: 'U64', size: 8 };
  }
  if (type.kind === 'enum' && type.size === 4) return { kind: 'number', codec: 'U32', size: 4 };
  if (type.kind === 'array') {
    const element = shapeOf(btf, type.type, where);
    const size = element.size * type.length;
    return element.size === 1 ? { kind: 'bytes', size } : { kind: 'array', element, length: type.length, size };
  }
  if (type.kind === 'struct' && type.name) {
    return isBytesStruct(btf, type.members)
      ? { kind: 'bytes', size: type.size }
      : { kind: 'struct', name: type.name, size: type.size };
  }
  throw new Error(`${where}: a ${type.kind} ${type.name} has no codec`);
}

/** `struct address`, `struct mac`: nothing but bytes. */
function isBytesStruct(btf: Btf, members: readonly BtfMember[]): boolean {
  const [only, ...rest] = members;
  if (only?.name !== 'bytes' || rest.length > 0) return false;
  const { type } = btf.resolve(only.type);
  return type.kind === 'array' && shapeOf(btf, type.type, only.name).size === 1;
}

function mapLayouts(btf: Btf): MapLayout[] {
  const section = btf.types.find((type) => type.kind === 'datasec' && type.name === '.maps');
  if (section?.kind !== 'datasec') return [];
  return section.variables.map((id) => mapLayout(btf, id));
}

function mapLayout(btf: Btf, id: number): MapLayout {
  const variable = btf.type(id);
  if (variable.kind !== 'variable') throw new Error(`.maps holds a ${variable.kind}`);
  const { type: definition } = btf.resolve(variable.type);
  if (definition.kind !== 'struct') throw new Error(`map ${variable.name} is a ${definition.kind}`);
  const pointed = (name: string): number | undefined => {
    const member = definition.members.find((candidate) => candidate.name === name);
    const pointer = member && btf.type(member.type);
    return pointer?.kind === 'pointer' ? pointer.type : undefined;
  };
  // __uint(name, n) is a pointer to an array of n.
  const number = (name: string): number | undefined => {
    const array = pointed(name);
    const type = array === undefined ? undefined : btf.type(array);
    return type?.kind === 'array' ? type.length : undefined;
  };
  const shape = (name: string): Shape | undefined => {
    const target = pointed(name);
    return target === undefined ? undefined : shapeOf(btf, target, `map ${variable.name}, ${name}`);
  };
  const type = mapTypes[number('type') ?? 0];
  const writer = btf.types.find((tag) => tag.kind === 'tag' && tag.type === id && tag.name.startsWith('writer:'));
  const who = writer?.name.slice('writer:'.length);
  if (!type || type === 'unspec') throw new Error(`map ${variable.name} has no known type`);
  if (who !== 'control' && who !== 'datapath') throw new Error(`map ${variable.name} does not say who writes it`);
  const key = shape('key');
  const value = shape('value');
  return {
    name: variable.name,
    type,
    ...(key && { key }),
    ...(value && { value }),
    maxEntries: number('max_entries') ?? 0,
    flags: number('map_flags') ?? 0,
    writer: who,
  };
}
