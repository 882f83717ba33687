import { formatAddress } from '../model/address.ts';

/**
 * The address that a reverse name stands for, `2.0.88.10.in-addr.arpa` for 10.88.0.2; undefined for any other name, and
 * for one of less than a whole address.
 *
 * @param name lower case, without the final dot
 */
export function addressOfReverseName(name: string): string | undefined {
  if (name.endsWith('.in-addr.arpa')) return fromV4(name.slice(0, -'.in-addr.arpa'.length).split('.'));
  if (name.endsWith('.ip6.arpa')) return fromV6(name.slice(0, -'.ip6.arpa'.length).split('.'));
  return undefined;
}

function fromV4(labels: readonly string[]): string | undefined {
  if (labels.length !== 4 || !labels.every((label) => /^(0|[1-9]\d{0,2})$/.test(label) && Number(label) <= 255)) {
    return undefined;
  }
  return labels.toReversed().join('.');
}

function fromV6(labels: readonly string[]): string | undefined {
  if (labels.length !== 32 || !labels.every((label) => /^[0-9a-f]$/.test(label))) return undefined;
  return formatAddress(Uint8Array.from(Buffer.from(labels.toReversed().join(''), 'hex')));
}
