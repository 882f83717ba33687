import { type Prefix, parseAddress, parsePrefix, prefixHolds } from '../../model/address.ts';

/** No name of the world's has these: this host, its links, groups, and where clouds tell a machine its secrets. */
const never: readonly Prefix[] = [
  ...['0.0.0.0/8', '127.0.0.0/8', '169.254.0.0/16', '224.0.0.0/3'],
  ...['::/128', '::1/128', 'fe80::/10', 'ff00::/8'],
  // Alibaba, Azure, Oracle; Amazon and Google by IPv6
  ...['100.100.100.200/32', '168.63.129.16/32', '192.0.0.192/32'],
  ...['fd00:ec2::254/128', 'fd20:ce::254/128'],
].map(parsePrefix);

/** NAT64: the last four bytes are an IPv4 address, which is who answers. */
const translated = parsePrefix('64:ff9b::/96');

export interface Surroundings {
  /** @param address canonical */
  isHost(address: string): boolean;
  /** Of our networks. */
  readonly subnets: readonly Prefix[];
}

/** Whether an answer may open an address: not the host's, nor one of a network of ours, whatever a name's owner answers. */
export function mayOpen(address: string, surroundings: Surroundings): boolean {
  const { isHost, subnets } = surroundings;
  const bytes = parseAddress(address);
  if (prefixHolds(translated, bytes)) return mayOpen(bytes.slice(12).join('.'), surroundings);
  return !isHost(address) && ![...never, ...subnets].some((prefix) => prefixHolds(prefix, bytes));
}
