import { check } from './check.ts';
import { BpfCommand, bpf } from './ffi/bpf.ts';
import { addressOf } from './ffi/memory.ts';

/** `BPF_F_RDONLY` */
const readOnly = 1 << 3;

/**
 * Opens a pinned map, program or link. The caller closes the descriptor.
 *
 * @throws {KernelError} ENOENT when nothing is pinned there.
 */
export function openPin(path: string, options: { readonly readOnly?: boolean } = {}): number {
  const name = Buffer.from(`${path}\0`);
  const flags = options.readOnly ? readOnly : 0;
  return check(
    bpf(BpfCommand.OBJ_GET, 'path', { pathname: addressOf(name), bpf_fd: 0, file_flags: flags }),
    'open the pin',
    path,
  );
}

/** @throws {KernelError} EEXIST when something is pinned there; EPERM for a name with a dot in it. */
export function pinObject(fd: number, path: string): void {
  const name = Buffer.from(`${path}\0`);
  check(bpf(BpfCommand.OBJ_PIN, 'path', { pathname: addressOf(name), bpf_fd: fd, file_flags: 0 }), 'pin to', path);
}
