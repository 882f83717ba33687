import type { EnumLayout, Field, Layouts, MapLayout, Shape, StructLayout } from './layout.ts';
import { camelCase, pascalCase, withoutPrefix } from './names.ts';

const header = `// Generated from bpf/build/abi.bpf.o by src/maps/generate.ts: run \`make generate\`, do not edit.
/* biome-ignore-all lint: generated */
`;

/** The TypeScript module for these layouts: the same text for the same layouts. */
export function emit(layouts: Layouts): string {
  const body = [
    ...layouts.enums.map(emitEnum),
    ...layouts.structs.map(emitStruct),
    `/** Every map of bpf/maps.h. */\nexport const mapDefinitions = {\n${layouts.maps.map(emitMap).join('\n')}\n} as const;\n`,
  ].join('\n');
  return `${header}\n${imports(body)}\n${body}`;
}

function imports(body: string): string {
  const used = (names: readonly string[]) => names.filter((name) => new RegExp(`\\b${name}\\b`).test(body));
  const accessors = ['U8', 'U16', 'U32', 'U64', 'Be16', 'Be32', 'Bytes'];
  const codec = used([
    'bytesCodec',
    ...accessors.map((name) => `get${name}`),
    ...accessors.map((name) => `put${name}`),
    ...['u8Codec', 'u16Codec', 'u32Codec', 'u64Codec'],
  ]);
  return [
    `import {\n  type Codec,\n${codec.map((name) => `  ${name},\n`).join('')}} from '../codec.ts';`,
    `import { type MapDefinition${used(['voidCodec']).length > 0 ? ', voidCodec' : ''} } from '../definition.ts';\n`,
  ].join('\n');
}

function emitEnum(layout: EnumLayout): string {
  const type = pascalCase(layout.name);
  const value = camelCase(layout.name);
  const names = withoutPrefix(
    layout.name,
    layout.values.map(({ name }) => name),
  );
  const lines = layout.values.map(({ value: number }, index) => `  ${names[index]}: ${number},`);
  const values = `/** \`enum ${layout.name}\` */\nexport const ${type} = {\n${lines.join('\n')}\n} as const;\nexport type ${type} = (typeof ${type})[keyof typeof ${type}];\n`;
  const table = `const ${value}Names: Readonly<Record<number, string>> = Object.fromEntries(Object.entries(${type}).map(([name, n]) => [n, name]));\n`;
  if (layout.name.endsWith('_flag')) {
    return `${values}${table}
/** The flags that are set, by name. */
export function ${value}s(flags: number): string[] {
  return Object.entries(${type}).filter(([, flag]) => (flags & flag) !== 0).map(([name]) => name);
}
`.replace(table, '');
  }
  return `${values}${table}
/** A number that has no name stands for itself. */
export function ${value}Name(n: number): string {
  return ${value}Names[n] ?? String(n);
}
`;
}

function emitStruct(layout: StructLayout): string {
  const type = pascalCase(layout.name);
  const members = layout.fields.map((field) => `  readonly ${camelCase(field.name)}: ${typeName(field.shape)};`);
  const writes = [
    ...layout.fields.map((field) => ({ offset: field.offset, text: write(field) })),
    ...layout.padding.map(({ offset, size }) => ({
      offset,
      text: `bytes.fill(0, offset + ${offset}, offset + ${offset + size});`,
    })),
  ].sort((a, b) => a.offset - b.offset);
  const reads = layout.fields.map((field) => `      ${camelCase(field.name)}: ${read(field.shape, field.offset)},`);
  return `/** \`struct ${layout.name}\`, ${layout.size} bytes */
export interface ${type} {
${members.join('\n')}
}

export const ${camelCase(layout.name)}Codec: Codec<${type}> = {
  size: ${layout.size},
  encode(value, bytes, offset = 0) {
${writes.map(({ text }) => `    ${text}`).join('\n')}
  },
  decode(bytes, offset = 0) {
    return {
${reads.join('\n')}
    };
  },
};
`;
}

function typeName(shape: Shape): string {
  switch (shape.kind) {
    case 'bytes':
      return 'Uint8Array';
    case 'struct':
      return pascalCase(shape.name);
    case 'array':
      return `readonly ${typeName(shape.element)}[]`;
    default:
      return shape.kind;
  }
}

function write(field: Field): string {
  const value = `value.${camelCase(field.name)}`;
  const at = `offset + ${field.offset}`;
  const { shape } = field;
  switch (shape.kind) {
    case 'bytes':
      return `putBytes(bytes, ${at}, ${value}, ${shape.size});`;
    case 'struct':
      return `${camelCase(shape.name)}Codec.encode(${value}, bytes, ${at});`;
    case 'array': {
      const element = shape.element;
      const put =
        element.kind === 'struct'
          ? `${camelCase(element.name)}Codec.encode(element, bytes, ${at} + index * ${element.size})`
          : `put${'codec' in element ? element.codec : 'Bytes'}(bytes, ${at} + index * ${element.size}, element)`;
      return `if (${value}.length !== ${shape.length}) throw new RangeError(\`\${${value}.length} elements where ${shape.length} belong\`);
    ${value}.forEach((element, index) => ${put});`;
    }
    default:
      return `put${shape.codec}(bytes, ${at}, ${value});`;
  }
}

function read(shape: Shape, offset: number, plus = ''): string {
  const at = `offset + ${offset}${plus}`;
  switch (shape.kind) {
    case 'bytes':
      return `getBytes(bytes, ${at}, ${shape.size})`;
    case 'struct':
      return `${camelCase(shape.name)}Codec.decode(bytes, ${at})`;
    case 'array':
      return `Array.from({ length: ${shape.length} }, (_, index) => ${read(shape.element, offset, ` + index * ${shape.element.size}`)})`;
    default:
      return `get${shape.codec}(bytes, ${at})`;
  }
}

function codecName(shape: Shape | undefined, map: string): string {
  if (!shape) return 'voidCodec';
  switch (shape.kind) {
    case 'bytes':
      return `bytesCodec(${shape.size})`;
    case 'struct':
      return `${camelCase(shape.name)}Codec`;
    case 'array':
      throw new Error(`map ${map}: an array is neither key nor value`);
    default:
      if (shape.codec.startsWith('Be')) throw new Error(`map ${map}: give the number a struct`);
      return `${camelCase(shape.codec.toLowerCase())}Codec`;
  }
}

function emitMap(map: MapLayout): string {
  const type = (shape: Shape | undefined) => (shape ? typeName(shape) : 'undefined');
  return `  ${camelCase(map.name)}: {
    name: '${map.name}',
    type: '${map.type}',
    key: ${codecName(map.key, map.name)},
    value: ${codecName(map.value, map.name)},
    maxEntries: ${map.maxEntries},
    flags: ${map.flags},
    writer: '${map.writer}',
  } satisfies MapDefinition<${type(map.key)}, ${type(map.value)}, '${map.type}'>,`;
}
