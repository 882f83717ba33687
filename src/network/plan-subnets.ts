import { VetchError } from '../api/error.ts';
import { canonicalAddress, canonicalPrefix, familyOf, formatAddress, parseInterfaceAddress } from '../model/address.ts';
import type { Subnet } from '../model/network.ts';
import { AddressPool, edges } from './address-pool.ts';
import { chooseSubnet, type DefaultPool, defaultPool6, defaultPools4 } from './default-pools.ts';
import { checkOverlap, claimed, type Neighbours } from './overlap.ts';
import { addressNumber, contains, containsSpan, numberAddress, type Span, spanOf } from './span.ts';

/** What a request says about addresses. */
export interface SubnetRequest {
  readonly subnets: readonly string[];
  readonly gateways: readonly string[];
  readonly ipRange?: string | undefined;
  readonly auxAddresses: Readonly<Record<string, string>>;
  readonly ipv6: boolean;
}

/** What subnets are chosen from when none is given. */
export interface SubnetSources {
  readonly pools4?: readonly DefaultPool[];
  /** Default: a /48 of the host's own, made from `seed`. */
  readonly pools6?: readonly DefaultPool[];
  readonly seed: string;
}

interface Block {
  readonly cidr: string;
  readonly span: Span;
}

/**
 * The subnets of a new network, IPv4 before IPv6.
 *
 * An IPv4 subnet is chosen when no subnet is given, or `ipv6` asks for both families and none of IPv4 is given; so an
 * IPv6 subnet alone, without `ipv6`, makes an IPv6-only network.
 *
 * @throws VetchError INVALID or SUBNET_OVERLAP
 */
export function planSubnets(request: SubnetRequest, neighbours: Neighbours, sources: SubnetSources): Subnet[] {
  const given = request.subnets.map(parseSubnet);
  for (const family of [4, 6] as const) onePerFamily(given, family);
  for (const { cidr } of given) checkOverlap(cidr, neighbours);

  const has = (family: 4 | 6): boolean => given.some(({ span }) => span.family === family);
  const blocks = [...given];
  const chosen = (pools: readonly DefaultPool[]): Block => parseSubnet(chooseSubnet(pools, claimed(neighbours)));
  if (!has(4) && (given.length === 0 || request.ipv6)) blocks.push(chosen(sources.pools4 ?? defaultPools4));
  if (!has(6) && request.ipv6) blocks.push(chosen(sources.pools6 ?? [defaultPool6(sources.seed)]));
  blocks.sort((a, b) => a.span.family - b.span.family);

  const gateways = placed('gateway', request.gateways, blocks);
  const ranges = request.ipRange === undefined ? new Map<Block, string>() : placeRange(request.ipRange, blocks);
  const aux = placeAux(request.auxAddresses, blocks);
  return blocks.map((block) => {
    const range = ranges.get(block);
    const reserved = aux.get(block) ?? {};
    const gateway = gateways.get(block) ?? lowestGateway(block, reserved);
    checkGateway(gateway, block, reserved);
    const subnet: Subnet = { cidr: block.cidr, gateway, ...(range === undefined ? {} : { range }), aux: reserved };
    checkRoom(subnet);
    return subnet;
  });
}

function parseSubnet(text: string): Block {
  const cidr = strictPrefix(text, 'subnet');
  const span = spanOf(cidr);
  if (span.hostBits === 0) {
    throw new VetchError('INVALID', `subnet ${cidr} has room for one address alone`, 'choose a larger subnet');
  }
  return { cidr, span };
}

/** Host bits that are set are a mistake more often than a shorthand. */
function strictPrefix(text: string, what: string): string {
  const cidr = canonicalPrefix(text);
  const start = cidr.slice(0, cidr.indexOf('/'));
  if (formatAddress(parseInterfaceAddress(text).address) === start) return cidr;
  throw new VetchError('INVALID', `${what} ${text} is not the beginning of its block`, `write it as ${cidr}`);
}

function onePerFamily(blocks: readonly Block[], family: 4 | 6): void {
  const [first, second] = blocks.filter(({ span }) => span.family === family);
  if (first === undefined || second === undefined) return;
  throw new VetchError(
    'INVALID',
    `${first.cidr} and ${second.cidr} are both IPv${family} subnets of one network`,
    'give one subnet of each family, or make two networks',
  );
}

function blockOf(what: string, address: string, blocks: readonly Block[]): Block {
  const number = addressNumber(address);
  const block = blocks.find(({ span }) => contains(span, number));
  if (block !== undefined) return block;
  const cidrs = blocks.map(({ cidr }) => cidr).join(' and ');
  throw new VetchError('INVALID', `${what} ${address} is outside ${cidrs}`, `choose an address of ${cidrs}`);
}

function placed(what: string, addresses: readonly string[], blocks: readonly Block[]): Map<Block, string> {
  const found = new Map<Block, string>();
  for (const text of addresses) {
    const address = canonicalAddress(text);
    const block = blockOf(what, address, blocks);
    const other = found.get(block);
    if (other !== undefined) {
      throw new VetchError(
        'INVALID',
        `${other} and ${address} are both a ${what} of ${block.cidr}`,
        `give one ${what} for each subnet`,
      );
    }
    found.set(block, address);
  }
  return found;
}

function placeRange(text: string, blocks: readonly Block[]): Map<Block, string> {
  const range = strictPrefix(text, 'ip-range');
  const span = spanOf(range);
  const block = blocks.find((candidate) => containsSpan(candidate.span, span));
  if (block !== undefined) return new Map([[block, range]]);
  const cidrs = blocks.map(({ cidr }) => cidr).join(' and ');
  throw new VetchError('INVALID', `ip-range ${range} is outside ${cidrs}`, `choose a part of ${cidrs}`);
}

function placeAux(addresses: Readonly<Record<string, string>>, blocks: readonly Block[]) {
  const byBlock = new Map<Block, Record<string, string>>();
  for (const [name, text] of Object.entries(addresses)) {
    const address = canonicalAddress(text);
    const block = blockOf(`auxiliary address ${name}`, address, blocks);
    byBlock.set(block, { ...byBlock.get(block), [name]: address });
  }
  return byBlock;
}

function lowestGateway({ cidr, span }: Block, aux: Readonly<Record<string, string>>): string {
  const kept = new Set([...edges(span).map(([number]) => number), ...Object.values(aux).map(addressNumber)]);
  for (let number = span.first; number <= span.last; number++) if (!kept.has(number)) return numberAddress(number);
  throw new VetchError('INVALID', `subnet ${cidr} has no address left for the gateway`, 'choose a larger subnet');
}

function checkGateway(gateway: string, { cidr, span }: Block, aux: Readonly<Record<string, string>>): void {
  const number = addressNumber(gateway);
  const purpose =
    edges(span).find(([edge]) => edge === number)?.[1] ??
    Object.entries(aux)
      .filter(([, address]) => address === gateway)
      .map(([name]) => `the auxiliary address '${name}'`)[0];
  if (purpose === undefined) return;
  throw new VetchError('INVALID', `gateway ${gateway} of ${cidr} is ${purpose}`, `choose another address of ${cidr}`);
}

function checkRoom(subnet: Subnet): void {
  if (!new AddressPool(subnet).full) return;
  throw new VetchError(
    'INVALID',
    `${subnet.range ?? subnet.cidr} has no address left for an endpoint`,
    'choose a larger subnet or ip-range',
  );
}

/** 4, 6 or both. */
export function familiesOf(cidrs: readonly string[]): (4 | 6)[] {
  return [...new Set(cidrs.map(familyOf))];
}
