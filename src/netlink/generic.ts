import { KernelError } from '../loader/kernel-error.ts';
import type { Request } from './message.ts';
import { MessageWriter } from './message-writer.ts';
import type { NetlinkSocket } from './socket.ts';

/** GENL_ID_CTRL of linux/genetlink.h: who knows the numbers of all other families. */
const controller = 0x10;
const getFamily = 3;
const ControlAttribute = { FAMILY_ID: 1, FAMILY_NAME: 2 } as const;

/** Of `struct genlmsghdr`. */
export const genericHeaderSize = 4;

/** `struct genlmsghdr`; attributes follow. */
export function genericMessage(command: number, version = 1): MessageWriter {
  return new MessageWriter(256).u8(command).u8(version).align();
}

/**
 * The number that a family of generic netlink has on this boot. The kernel loads its module where it has one.
 *
 * @returns undefined: this kernel has no such family
 */
export function familyNumber(socket: NetlinkSocket, name: string): number | undefined {
  let number: number | undefined;
  const [error] = socket.exchange([findFamily(name)], (payload) => {
    const id = payload.attributes(genericHeaderSize).get(ControlAttribute.FAMILY_ID);
    if (id) number = id.u16();
  });
  if (error && !KernelError.is(error, 'ENOENT')) throw error;
  return number;
}

export function findFamily(name: string): Request {
  return {
    type: controller,
    flags: 0,
    payload: genericMessage(getFamily).attributeText(ControlAttribute.FAMILY_NAME, name).finish(),
    operation: 'find',
    object: `the netlink family ${name}`,
  };
}
