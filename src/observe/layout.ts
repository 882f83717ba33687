import type { Codec } from '../maps/codec.ts';
import { isZero } from './zero.ts';

/** Where a field lies in its struct, bytes. */
export interface FieldPlace {
  readonly offset: number;
  readonly size: number;
}

/**
 * Where each field of a generated struct lies, asked of its codec: a byte belongs to the field that is not zero when
 * that byte alone is not. For code that reads raw bytes without decoding them.
 */
export function fieldPlaces<T extends object>(codec: Codec<T>): { readonly [Field in keyof T]: FieldPlace } {
  const bytes = new Uint8Array(codec.size);
  const places: Record<string, FieldPlace> = {};
  for (let at = 0; at < bytes.length; at++) {
    bytes[at] = 0xff;
    for (const [name, value] of Object.entries(codec.decode(bytes, 0))) {
      if (isZero(value)) continue;
      const offset = places[name]?.offset ?? at;
      places[name] = { offset, size: at + 1 - offset };
    }
    bytes[at] = 0;
  }
  return places as { [Field in keyof T]: FieldPlace };
}
