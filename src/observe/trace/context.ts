// The kernel's own structs of linux/bpf.h, whose layout is stable; they are no part of our ABI.

/** Size of `struct __sk_buff` up to and with `gso_size`: a shorter one is taken as zeros behind its end. */
const skBuffSize = 192;
const skBuffIngressIfindex = 36;
const skBuffIfindex = 40;

const xdpMdSize = 24;
const xdpMdDataEnd = 4;
const xdpMdIngressIfindex = 12;

/**
 * The context of a packet that a TC program sees on a device.
 *
 * @param ingressIfindex where it came into the host; 0: the host made it.
 */
export function skBuff(ifindex: number, ingressIfindex = 0): Uint8Array {
  const view = new DataView(new ArrayBuffer(skBuffSize));
  view.setUint32(skBuffIngressIfindex, ingressIfindex, true);
  view.setUint32(skBuffIfindex, ifindex, true);
  return new Uint8Array(view.buffer);
}

/** The context of a packet of `length` bytes that an XDP program sees; without a device, on the loopback device. */
export function xdpMd(length: number, ifindex = 0): Uint8Array {
  const view = new DataView(new ArrayBuffer(xdpMdSize));
  view.setUint32(xdpMdDataEnd, length, true);
  view.setUint32(xdpMdIngressIfindex, ifindex, true);
  return new Uint8Array(view.buffer);
}
