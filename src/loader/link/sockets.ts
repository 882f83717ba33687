import { AttachType } from '../attach-type.ts';
import { check } from '../check.ts';
import { BpfCommand, bpf } from '../ffi/bpf.ts';
import type { Attachable } from './link.ts';

/**
 * Has a program judge what sockets send that are put into a map of sockets from now on; those in it stay under the program
 * that they came under. It is the map's as long as anything holds the map by a descriptor or a pin.
 *
 * @param map its descriptor
 * @throws {KernelError} EOPNOTSUPP when the kernel has no such maps
 */
export function attachToSockets(program: Attachable, map: { readonly fd: number; readonly name: string }): void {
  const fields = { target_fd: map.fd, attach_bpf_fd: program.fd, attach_type: AttachType.SK_MSG_VERDICT };
  check(bpf(BpfCommand.PROG_ATTACH, 'progAttach', fields), `attach ${program.name} to the sockets of map`, map.name);
}
