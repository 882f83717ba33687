import { fragmentHeader, type IPv4Fields, type IPv6Fields, ipv4, ipv6 } from './ip.ts';
import { encodeLayers, type Layer, packet, raw } from './layer.ts';

/**
 * Cuts what an IPv4 header carries into fragments.
 *
 * @param cuts Bytes of the payload where each fragment but the first begins; multiples of 8.
 */
export function fragments4(
  ethernet: Layer,
  fields: IPv4Fields,
  inside: readonly Layer[],
  cuts: readonly number[],
): Uint8Array[] {
  const { source, destination } = fields;
  const whole = encodeLayers(inside, { source, destination, family: 4 });
  const protocol = inside[0]?.protocol ?? 255;
  return slices(whole, cuts).map(({ bytes, offset, more }) =>
    packet(ethernet, ipv4({ ...fields, protocol, fragmentOffset: offset, more }), raw(bytes)),
  );
}

/** The same for IPv6, each with a fragment header. */
export function fragments6(
  ethernet: Layer,
  fields: IPv6Fields,
  inside: readonly Layer[],
  cuts: readonly number[],
  id = 0x1234,
): Uint8Array[] {
  const { source, destination } = fields;
  const whole = encodeLayers(inside, { source, destination, family: 6 });
  const nextHeader = inside[0]?.protocol ?? 59;
  return slices(whole, cuts).map(({ bytes, offset, more }) =>
    packet(ethernet, ipv6(fields), fragmentHeader({ id, offset, more, nextHeader }), raw(bytes)),
  );
}

function slices(whole: Uint8Array, cuts: readonly number[]): { bytes: Uint8Array; offset: number; more: boolean }[] {
  const begins = [0, ...cuts];
  return begins.map((offset, index) => ({
    offset,
    bytes: whole.subarray(offset, begins[index + 1] ?? whole.length),
    more: index < begins.length - 1,
  }));
}
