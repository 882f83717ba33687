/**
 * The C library, as far as we call it: thin typed wrappers with the prototypes above them, one file a subject. Each
 * throws `KernelError` where the call returns -1, and none allocates what it does not return.
 */

export * from './descriptor.ts';
export { boundHeap, trimHeap } from './malloc.ts';
export { Mapping, pageSize } from './mapping.ts';
export { gracePeriod } from './membarrier.ts';
export * from './namespace.ts';
export * from './notify.ts';
export * from './probe-bind.ts';
export * from './sockaddr.ts';
export * from './socket.ts';
