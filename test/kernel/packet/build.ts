/** Everything that a packet is built with. */
export * from './ethernet.ts';
export { groupMac, solicitedNode } from './fields.ts';
export * from './fragments.ts';
export * from './icmp.ts';
export * from './ip.ts';
export { type Layer, packet, payload, raw } from './layer.ts';
export * from './transport.ts';
export * from './truncate.ts';
