import { DecisionKind, DecisionLayout, PolicyDirection, StandingFlag } from '../../../src/maps/generated/abi.ts';
import { parseAddress, parsePrefix } from '../../../src/model/address.ts';
import { learnedHalf, policyHalf } from '../../../src/reconcile/policy/encode.ts';
import { type EndpointName, endpoints, type RemoteName, remotes } from './plan.ts';
import type { World } from './world.ts';

const word = (kind: number, rest: number) => ((kind << DecisionLayout.KIND_SHIFT) | rest) >>> 0;

/** Decisions as the maps hold them, by document 1. */
export const allow = word(DecisionKind.ALLOW, 1 << DecisionLayout.DOCUMENT_SHIFT);
export const deny = word(DecisionKind.DENY, (1 << DecisionLayout.DOCUMENT_SHIFT) | DecisionLayout.NO_RULE);
export const audit = word(DecisionKind.AUDIT, 1 << DecisionLayout.DOCUMENT_SHIFT);

/** Under both parities, or under even and odd generations. */
type Halves = number | readonly [even: number, odd: number];
const halves = (value: Halves) => (typeof value === 'number' ? [value, value] : [...value]);

/** Has documents govern what an endpoint receives or sends, also by domain names. */
export function govern(world: World, who: EndpointName, ...directions: (keyof typeof StandingFlag)[]): void {
  const { number, identity } = endpoints[who];
  const flags = directions.reduce((sum, direction) => sum | StandingFlag[direction], 0);
  for (const index of [2 * number, 2 * number + 1]) {
    world.maps.identities.set(index, {
      standing: [
        { identity, flags },
        { identity, flags },
      ],
    });
  }
}

/** What an endpoint decides about traffic with an identity; `any`: with all that have no entry. */
export function rule(
  world: World,
  who: EndpointName,
  direction: 'INGRESS' | 'EGRESS',
  peer: EndpointName | RemoteName | number | 'any',
  decision: Halves,
): void {
  const identity = peer === 'any' ? 0 : typeof peer === 'number' ? peer : { ...endpoints, ...remotes }[peer].identity;
  const key = { subject: endpoints[who].identity, peer: identity, direction: PolicyDirection[direction] };
  world.maps.policy.set(key, { half: halves(decision).map((one) => policyHalf(key, one)) });
}

/** A set of ports: what it says of all else, and of prefixes of a protocol's ports. */
export function portSet(
  world: World,
  set: number,
  otherwise: number,
  ...ports: readonly [protocol: number, port: number, bits: number, decision: number][]
): void {
  world.maps.policyPorts.set({ prefixlen: 32, set, protocol: 0, port: 0 }, otherwise);
  for (const [protocol, port, bits, decision] of ports) {
    world.maps.policyPorts.set({ prefixlen: 48 + bits, set, protocol, port }, decision);
  }
}

/** Gives the addresses of a block an identity. */
export function block(world: World, cidr: string, identity: number): void {
  const { address, prefixLength } = parsePrefix(cidr);
  const family = cidr.includes(':') ? 6 : 4;
  world.maps.addressBlocks.set(
    { prefixlen: 32 + prefixLength, family, addr: address },
    { identity: [identity, identity] },
  );
}

/** Has an endpoint told an address, which is this identity to it; 0: it is forgotten. */
export function learn(world: World, who: EndpointName, address: string, identity: Halves, expired = false): void {
  const key = { endpoint: endpoints[who].number, addr: parseAddress(address) };
  if (identity === 0) world.maps.learned.delete(key);
  else
    world.maps.learned.set(key, { half: halves(identity).map((one) => learnedHalf(key, { identity: one, expired })) });
}

/** The permissions' generation goes up by one: its parity turns. */
export function turn(world: World): void {
  const { config } = world;
  world.maps.config.set(0, { ...config, generation: config.generation + 1 });
}
