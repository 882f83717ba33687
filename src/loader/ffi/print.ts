import koffi from 'koffi';
import { setPrint } from './libbpf.ts';
import { library, type Pointer } from './library.ts';

const declare = library('libc.so.6', 'a glibc system is needed');
/** A `va_list` is passed by address on x86-64 and arm64, so an address can be handed on. */
const vsnprintf = declare<(buffer: Uint8Array, size: number, format: Pointer, args: Pointer) => number>(
  'int vsnprintf(_Out_ void *s, size_t n, const void *format, void *arg)',
);
const levelWarning = 0;

let collected: string[] = [];
let installed = false;
const line = Buffer.alloc(1024);

/**
 * Keeps libbpf off stderr, and its warnings for whoever asks with `takeMessages`. Called before any other function
 * that may print; once is enough.
 */
export function silence(): void {
  if (installed) return;
  installed = true;
  const print = koffi.register((level: number, format: Pointer, args: Pointer) => {
    if (level !== levelWarning) return 0;
    const length = vsnprintf(line, line.length, format, args);
    collected.push(line.toString('utf8', 0, Math.min(length, line.length - 1)).trim());
    if (collected.length > 100) collected.shift();
    return length;
  }, 'libbpf_print *');
  setPrint(print);
}

/** What libbpf has warned of since the last time. */
export function takeMessages(): string[] {
  const messages = collected;
  collected = [];
  return messages;
}
