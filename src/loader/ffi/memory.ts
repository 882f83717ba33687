import koffi from 'koffi';
import type { Pointer } from './library.ts';

/** Where these bytes lie. They stay there for as long as the array is referenced; empty arrays lie nowhere. */
export function addressOf(bytes: Uint8Array | Uint32Array): bigint {
  return bytes.byteLength === 0 ? 0n : koffi.address(bytes);
}

/** C memory as an ArrayBuffer, without a copy. Whoever owns the memory must outlive it. */
export function viewOf(pointer: Pointer, size: number): ArrayBuffer {
  return koffi.view(pointer, size);
}

/** The errno of the last call, for functions that return NULL. */
export function lastErrno(): number {
  return koffi.errno();
}
