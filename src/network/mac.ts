import { VetchError } from '../api/error.ts';
import { formatMac, parseMac } from '../model/address.ts';

const hint = 'choose a locally administered unicast address such as 02:42:0a:58:00:02, or none';

/**
 * A locally administered unicast MAC, made of an endpoint's id, which is random: the same id gives the same MAC, and
 * `attempt` another one for each number from 0.
 */
export function macFor(id: string, attempt = 0): string {
  // Not the digits that the host's end of the veth is named after, so that neither tells the other.
  const start = 12 + 2 * attempt;
  const bytes = Uint8Array.from(Buffer.from(id.repeat(2).slice(start, start + 12), 'hex'));
  bytes[0] = ((bytes[0] ?? 0) & 0xfc) | 0x02;
  return formatMac(bytes);
}

/** Canonical text of a MAC that an endpoint may have. @throws VetchError INVALID */
export function checkMac(text: string): string {
  const bytes = parseMac(text);
  const isGroup = ((bytes[0] ?? 0) & 1) === 1;
  if (isGroup) throw new VetchError('INVALID', `${text} is a multicast or broadcast MAC address`, hint);
  if (bytes.every((byte) => byte === 0)) throw new VetchError('INVALID', `${text} is no device's MAC address`, hint);
  return formatMac(bytes);
}
