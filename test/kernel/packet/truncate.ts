/** The packet cut to every length from an Ethernet header up to one byte less than it is. */
export function* truncations(packet: Uint8Array, from = 14): Generator<Uint8Array> {
  for (let length = from; length < packet.length; length++) yield packet.slice(0, length);
}

/** The packet with some bytes written over: `patched(packet, 14, [0x65])`. */
export function patched(packet: Uint8Array, offset: number, bytes: readonly number[]): Uint8Array {
  const copy = packet.slice();
  copy.set(bytes, offset);
  return copy;
}
