import { ElfFile } from './elf.ts';
import { objectMapInitialValue } from './ffi/libbpf.ts';
import type { Pointer } from './ffi/library.ts';
import { viewOf } from './ffi/memory.ts';

export type VariableValue = number | bigint | boolean;

/** Where a global variable lies in its section, and how many bytes it takes. */
export interface Variable {
  readonly section: string;
  readonly offset: number;
  readonly size: number;
}

/** The global variables of an object file, by name. */
export function variablesOf(object: Uint8Array): ReadonlyMap<string, Variable> {
  const elf = new ElfFile(object);
  const variables = new Map<string, Variable>();
  for (const symbol of elf.symbols()) {
    const section = elf.sections[symbol.section]?.name;
    if (section === undefined || symbol.size === 0 || !/^\.(rodata|data|bss)/.test(section)) continue;
    variables.set(symbol.name, { section, offset: symbol.offset, size: symbol.size });
  }
  return variables;
}

/**
 * Writes a value where the variable's map will be filled from. Before the load only.
 *
 * @param map the object's map of the variable's section.
 * @throws {RangeError} when the value does not fit the variable, or the variable is no number of 1, 2, 4 or 8 bytes.
 */
export function setVariable(map: Pointer, name: string, variable: Variable, value: VariableValue): void {
  const size = new BigUint64Array(1);
  const memory = objectMapInitialValue(map, size);
  const length = Number(size[0]);
  if (memory === null || variable.offset + variable.size > length) {
    throw new RangeError(`variable ${name} lies outside of its section ${variable.section}`);
  }
  writeNumber(new DataView(viewOf(memory, length), variable.offset, variable.size), name, BigInt(value));
}

function writeNumber(view: DataView, name: string, value: bigint): void {
  const bits = view.byteLength * 8;
  if (BigInt.asUintN(bits, value) !== value && BigInt.asIntN(bits, value) !== value) {
    throw new RangeError(`${value} does not fit the ${view.byteLength} bytes of variable ${name}`);
  }
  const little = true;
  if (bits === 8) view.setUint8(0, Number(BigInt.asUintN(8, value)));
  else if (bits === 16) view.setUint16(0, Number(BigInt.asUintN(16, value)), little);
  else if (bits === 32) view.setUint32(0, Number(BigInt.asUintN(32, value)), little);
  else if (bits === 64) view.setBigUint64(0, BigInt.asUintN(64, value), little);
  else throw new RangeError(`variable ${name} has ${view.byteLength} bytes: only numbers can be set`);
}
