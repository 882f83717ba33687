import { closeSync, existsSync } from 'node:fs';
import { VetchError } from '../api/error.ts';
import { openPin } from './bpffs.ts';
import * as libbpf from './ffi/libbpf.ts';
import type { Pointer } from './ffi/library.ts';
import { type MapInfo, mapInfo } from './map-info.ts';

/**
 * Refuses a pinned map that is not the map an object has: libbpf would too, but says only that parameters differ.
 *
 * @throws {VetchError} INVALID with every difference.
 */
export function checkReuse(map: Pointer, name: string, pin: string): void {
  if (!existsSync(pin)) return;
  const fd = openPin(pin);
  let pinned: MapInfo;
  try {
    pinned = mapInfo(fd);
  } finally {
    closeSync(fd);
  }
  const differences = [
    compare('type', pinned.type, libbpf.objectMapType(map)),
    compare('key bytes', pinned.keySize, libbpf.objectMapKeySize(map)),
    compare('value bytes', pinned.valueSize, libbpf.objectMapValueSize(map)),
    compare('entries', pinned.maxEntries, libbpf.objectMapMaxEntries(map)),
    compare('flags', pinned.flags, libbpf.objectMapFlags(map)),
  ].filter((difference) => difference !== undefined);
  if (differences.length === 0) return;
  throw new VetchError(
    'INVALID',
    `the map ${name} pinned at ${pin} is another one than the programs need: ${differences.join(', ')}`,
    'keep the sizes it has, or remove it with `vetch daemon --uninstall`',
  );
}

function compare(what: string, has: number, needed: number): string | undefined {
  return has === needed ? undefined : `${what} ${has} where ${needed} are needed`;
}
