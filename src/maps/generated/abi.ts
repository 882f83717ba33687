// Generated from bpf/build/abi.bpf.o by src/maps/generate.ts: run `make generate`, do not edit.
/* biome-ignore-all lint: generated */

import {
  type Codec,
  bytesCodec,
  getU8,
  getU16,
  getU32,
  getU64,
  getBe16,
  getBe32,
  getBytes,
  putU8,
  putU16,
  putU32,
  putU64,
  putBe16,
  putBe32,
  putBytes,
  u32Codec,
  u64Codec,
} from '../codec.ts';
import { type MapDefinition, voidCodec } from '../definition.ts';

/** `enum collect_filter` */
export const CollectFilter = {
  BY_NETWORK: 1,
  BY_ADDRESS: 2,
  BY_PORT: 4,
  BY_PROTOCOL: 8,
  LEARNED: 16,
} as const;
export type CollectFilter = (typeof CollectFilter)[keyof typeof CollectFilter];
const collectFilterNames: Readonly<Record<number, string>> = Object.fromEntries(Object.entries(CollectFilter).map(([name, n]) => [n, name]));

/** A number that has no name stands for itself. */
export function collectFilterName(n: number): string {
  return collectFilterNames[n] ?? String(n);
}

/** `enum collect_mode` */
export const CollectMode = {
  EXPIRED: 0,
  MATCHING: 1,
} as const;
export type CollectMode = (typeof CollectMode)[keyof typeof CollectMode];
const collectModeNames: Readonly<Record<number, string>> = Object.fromEntries(Object.entries(CollectMode).map(([name, n]) => [n, name]));

/** A number that has no name stands for itself. */
export function collectModeName(n: number): string {
  return collectModeNames[n] ?? String(n);
}

/** `enum config_flag` */
export const ConfigFlag = {
  EVENTS_DROPPED: 1,
  EVENTS_FORWARDED: 2,
  INGRESS_LIMITS: 4,
  TUNNELS_BY_DEVICE: 8,
  STRAIGHT_BY_XDP: 16,
} as const;
export type ConfigFlag = (typeof ConfigFlag)[keyof typeof ConfigFlag];

/** The flags that are set, by name. */
export function configFlags(flags: number): string[] {
  return Object.entries(ConfigFlag).filter(([, flag]) => (flags & flag) !== 0).map(([name]) => name);
}

/** `enum conntrack_flag` */
export const ConntrackFlag = {
  ORIGIN_B: 1,
  TRANSLATED: 2,
  REPLY_HALF: 4,
  FIN_ORIGINAL: 8,
  FIN_REPLY: 16,
  SNAT: 32,
  PUBLISHED: 64,
  STACK: 128,
  STEERED: 256,
} as const;
export type ConntrackFlag = (typeof ConntrackFlag)[keyof typeof ConntrackFlag];

/** The flags that are set, by name. */
export function conntrackFlags(flags: number): string[] {
  return Object.entries(ConntrackFlag).filter(([, flag]) => (flags & flag) !== 0).map(([name]) => name);
}

/** `enum conntrack_state` */
export const ConntrackState = {
  NEW: 0,
  REPLIED: 1,
  ESTABLISHED: 2,
  CLOSING: 3,
  CLOSED: 4,
  REFUSED: 5,
} as const;
export type ConntrackState = (typeof ConntrackState)[keyof typeof ConntrackState];
const conntrackStateNames: Readonly<Record<number, string>> = Object.fromEntries(Object.entries(ConntrackState).map(([name, n]) => [n, name]));

/** A number that has no name stands for itself. */
export function conntrackStateName(n: number): string {
  return conntrackStateNames[n] ?? String(n);
}

/** `enum counter` */
export const Counter = {
  EVENTS_LOST: 0,
  FLOWS_CREATED: 1,
  SNAT_RETRIES: 2,
  PAIRS_REPAIRED: 3,
  ANSWERED: 4,
  FLOODED: 5,
  AUDITED: 6,
  STRAIGHT_BY_XDP: 7,
  SOCKETS_JOINED: 8,
  SOCKETS_NOT_JOINED: 9,
  BYPASSED: 10,
  BYPASS_DECLINED: 11,
  COUNT: 12,
} as const;
export type Counter = (typeof Counter)[keyof typeof Counter];
const counterNames: Readonly<Record<number, string>> = Object.fromEntries(Object.entries(Counter).map(([name, n]) => [n, name]));

/** A number that has no name stands for itself. */
export function counterName(n: number): string {
  return counterNames[n] ?? String(n);
}

/** `enum decision_kind` */
export const DecisionKind = {
  PORTS: 0,
  ALLOW: 1,
  DENY: 2,
  AUDIT: 3,
} as const;
export type DecisionKind = (typeof DecisionKind)[keyof typeof DecisionKind];
const decisionKindNames: Readonly<Record<number, string>> = Object.fromEntries(Object.entries(DecisionKind).map(([name, n]) => [n, name]));

/** A number that has no name stands for itself. */
export function decisionKindName(n: number): string {
  return decisionKindNames[n] ?? String(n);
}

/** `enum decision_layout` */
export const DecisionLayout = {
  ABSENT: 0,
  DOCUMENT_SHIFT: 14,
  KIND_SHIFT: 30,
  NO_RULE: 8191,
  EGRESS: 8192,
} as const;
export type DecisionLayout = (typeof DecisionLayout)[keyof typeof DecisionLayout];
const decisionLayoutNames: Readonly<Record<number, string>> = Object.fromEntries(Object.entries(DecisionLayout).map(([name, n]) => [n, name]));

/** A number that has no name stands for itself. */
export function decisionLayoutName(n: number): string {
  return decisionLayoutNames[n] ?? String(n);
}

/** `enum drop_reason` */
export const DropReason = {
  NONE: 0,
  TRUNCATED: 1,
  MALFORMED: 2,
  UNKNOWN_PROTOCOL: 3,
  VLAN_TAGGED: 4,
  UNKNOWN_INTERFACE: 5,
  SPOOFED: 6,
  ARP_FORGED: 7,
  ARP_UNANSWERED: 8,
  ND_FORGED: 9,
  ND_UNANSWERED: 10,
  ROUTER_ADVERTISEMENT: 11,
  DHCP_SERVER: 12,
  UNICAST_IN_BROADCAST: 13,
  TUNNEL_FORGED: 14,
  NO_ENDPOINT: 15,
  ISOLATED: 16,
  ICC_DISABLED: 17,
  INTERNAL_NETWORK: 18,
  NOT_PUBLISHED: 19,
  POLICY_DENIED: 20,
  CONNTRACK_INVALID: 21,
  CONNTRACK_FULL: 22,
  FLOW_QUOTA: 23,
  SNAT_QUOTA: 24,
  SNAT_EXHAUSTED: 25,
  FRAGMENT_UNKNOWN: 26,
  FRAGMENT_OVERLAP: 27,
  FLOOD_LIMITED: 28,
  NO_ROUTE: 29,
  NO_SOURCE_ADDRESS: 30,
  TTL_EXCEEDED: 31,
  TOO_BIG: 32,
  FORWARDED_BY_HOST: 33,
  DENY_LIST: 34,
  MARTIAN: 35,
  REWRITE_FAILED: 36,
  ICMP_UNRELATED: 37,
  MULTICAST_FROM_HOST: 38,
  CONFIG_MISSING: 39,
  RATE_LIMITED: 40,
  HOST_ACCESS_OFF: 41,
  NO_PARENT: 42,
  SERVICE_PORT: 43,
  NO_BACKEND: 44,
  SPOOFED_TUNNEL: 45,
  UNKNOWN_TUNNEL: 46,
  NO_NODE: 47,
  NO_KEY: 48,
  NOT_ENCRYPTED: 49,
  PUBLISHED_ELSEWHERE: 50,
  COUNT: 51,
} as const;
export type DropReason = (typeof DropReason)[keyof typeof DropReason];
const dropReasonNames: Readonly<Record<number, string>> = Object.fromEntries(Object.entries(DropReason).map(([name, n]) => [n, name]));

/** A number that has no name stands for itself. */
export function dropReasonName(n: number): string {
  return dropReasonNames[n] ?? String(n);
}

/** `enum endpoint_flag` */
export const EndpointFlag = {
  NONE: 0,
  REMOTE: 1,
} as const;
export type EndpointFlag = (typeof EndpointFlag)[keyof typeof EndpointFlag];

/** The flags that are set, by name. */
export function endpointFlags(flags: number): string[] {
  return Object.entries(EndpointFlag).filter(([, flag]) => (flags & flag) !== 0).map(([name]) => name);
}

/** `enum endpoint_wire` */
export const EndpointWire = {
  HOST: 0,
  LAN: 2147483648,
} as const;
export type EndpointWire = (typeof EndpointWire)[keyof typeof EndpointWire];
const endpointWireNames: Readonly<Record<number, string>> = Object.fromEntries(Object.entries(EndpointWire).map(([name, n]) => [n, name]));

/** A number that has no name stands for itself. */
export function endpointWireName(n: number): string {
  return endpointWireNames[n] ?? String(n);
}

/** `enum hook` */
export const Hook = {
  FROM_ENDPOINT: 0,
  FROM_HOST: 1,
  FROM_UPLINK: 2,
  XDP_UPLINK: 3,
  SOCKET: 4,
  FROM_SHAPER: 5,
  FROM_LAN: 6,
  FROM_OVERLAY: 7,
  CGROUP_EGRESS: 8,
  CGROUP_INGRESS: 9,
  FROM_WIREGUARD: 10,
} as const;
export type Hook = (typeof Hook)[keyof typeof Hook];
const hookNames: Readonly<Record<number, string>> = Object.fromEntries(Object.entries(Hook).map(([name, n]) => [n, name]));

/** A number that has no name stands for itself. */
export function hookName(n: number): string {
  return hookNames[n] ?? String(n);
}

/** `enum identity` */
export const Identity = {
  UNKNOWN: 0,
  HOST: 1,
  WORLD: 2,
  REMOTE_NODE: 3,
  FIRST_LOCAL: 256,
} as const;
export type Identity = (typeof Identity)[keyof typeof Identity];
const identityNames: Readonly<Record<number, string>> = Object.fromEntries(Object.entries(Identity).map(([name, n]) => [n, name]));

/** A number that has no name stands for itself. */
export function identityName(n: number): string {
  return identityNames[n] ?? String(n);
}

/** `enum interface_flag` */
export const InterfaceFlag = {
  NONE: 0,
  LAN: 1,
  VEPA: 2,
  SHARED: 4,
  EGRESS_LIMITED: 8,
  INGRESS_LIMITED: 16,
} as const;
export type InterfaceFlag = (typeof InterfaceFlag)[keyof typeof InterfaceFlag];

/** The flags that are set, by name. */
export function interfaceFlags(flags: number): string[] {
  return Object.entries(InterfaceFlag).filter(([, flag]) => (flags & flag) !== 0).map(([name]) => name);
}

/** `enum learned_flag` */
export const LearnedFlag = {
  EXPIRED: 1,
} as const;
export type LearnedFlag = (typeof LearnedFlag)[keyof typeof LearnedFlag];

/** The flags that are set, by name. */
export function learnedFlags(flags: number): string[] {
  return Object.entries(LearnedFlag).filter(([, flag]) => (flags & flag) !== 0).map(([name]) => name);
}

/** `enum network_flag` */
export const NetworkFlag = {
  PRESENT: 1,
  INTERNAL: 2,
  ICC_OFF: 4,
  MASQUERADE4: 8,
  MASQUERADE6: 16,
  UNPROTECTED4: 32,
  UNPROTECTED6: 64,
  STACK: 128,
  ROUTED4: 256,
  ROUTED6: 512,
  LAN: 1024,
  VEPA: 2048,
  HOST_OFF: 4096,
  OVERLAY: 8192,
  ENCRYPTED: 16384,
} as const;
export type NetworkFlag = (typeof NetworkFlag)[keyof typeof NetworkFlag];

/** The flags that are set, by name. */
export function networkFlags(flags: number): string[] {
  return Object.entries(NetworkFlag).filter(([, flag]) => (flags & flag) !== 0).map(([name]) => name);
}

/** `enum party` */
export const Party = {
  ENDPOINT: 0,
  HOST: 1,
  WORLD: 2,
  REMOTE: 3,
  NODE: 4,
} as const;
export type Party = (typeof Party)[keyof typeof Party];
const partyNames: Readonly<Record<number, string>> = Object.fromEntries(Object.entries(Party).map(([name, n]) => [n, name]));

/** A number that has no name stands for itself. */
export function partyName(n: number): string {
  return partyNames[n] ?? String(n);
}

/** `enum policy_direction` */
export const PolicyDirection = {
  INGRESS: 0,
  EGRESS: 1,
} as const;
export type PolicyDirection = (typeof PolicyDirection)[keyof typeof PolicyDirection];
const policyDirectionNames: Readonly<Record<number, string>> = Object.fromEntries(Object.entries(PolicyDirection).map(([name, n]) => [n, name]));

/** A number that has no name stands for itself. */
export function policyDirectionName(n: number): string {
  return policyDirectionNames[n] ?? String(n);
}

/** `enum publish_flag` */
export const PublishFlag = {
  NONE: 0,
  DIRECT: 1,
  TRUSTED: 2,
  REMOTE: 4,
  BY_NODE: 8,
  STRAIGHT: 16,
} as const;
export type PublishFlag = (typeof PublishFlag)[keyof typeof PublishFlag];

/** The flags that are set, by name. */
export function publishFlags(flags: number): string[] {
  return Object.entries(PublishFlag).filter(([, flag]) => (flags & flag) !== 0).map(([name]) => name);
}

/** `enum rate_direction` */
export const RateDirection = {
  EGRESS: 0,
  INGRESS: 1,
} as const;
export type RateDirection = (typeof RateDirection)[keyof typeof RateDirection];
const rateDirectionNames: Readonly<Record<number, string>> = Object.fromEntries(Object.entries(RateDirection).map(([name, n]) => [n, name]));

/** A number that has no name stands for itself. */
export function rateDirectionName(n: number): string {
  return rateDirectionNames[n] ?? String(n);
}

/** `enum service_flag` */
export const ServiceFlag = {
  NONE: 0,
  RANDOM: 1,
} as const;
export type ServiceFlag = (typeof ServiceFlag)[keyof typeof ServiceFlag];

/** The flags that are set, by name. */
export function serviceFlags(flags: number): string[] {
  return Object.entries(ServiceFlag).filter(([, flag]) => (flags & flag) !== 0).map(([name]) => name);
}

/** `enum standing_flag` */
export const StandingFlag = {
  INGRESS: 1,
  EGRESS: 2,
  NAMES: 4,
} as const;
export type StandingFlag = (typeof StandingFlag)[keyof typeof StandingFlag];

/** The flags that are set, by name. */
export function standingFlags(flags: number): string[] {
  return Object.entries(StandingFlag).filter(([, flag]) => (flags & flag) !== 0).map(([name]) => name);
}

/** `enum step` */
export const Step = {
  PARSED: 1,
  SOURCE_VERIFIED: 2,
  CONNTRACK_HIT: 3,
  CONNTRACK_MISS: 4,
  JUDGED_AGAIN: 5,
  PUBLISHED: 6,
  ALLOWED: 7,
  TRANSLATED: 8,
  MASQUERADED: 9,
  TO_ENDPOINT: 10,
  TO_HOST: 11,
  TO_UPLINK: 12,
  TO_STACK: 13,
  ANSWERED: 14,
  FLOODED: 15,
  DROPPED: 16,
  PASSED: 17,
  EGRESS_DECIDED: 18,
  INGRESS_DECIDED: 19,
  STEERED: 20,
  TO_LAN: 21,
  SERVICE: 22,
  TO_REMOTE: 23,
  TO_WIREGUARD: 24,
} as const;
export type Step = (typeof Step)[keyof typeof Step];
const stepNames: Readonly<Record<number, string>> = Object.fromEntries(Object.entries(Step).map(([name, n]) => [n, name]));

/** A number that has no name stands for itself. */
export function stepName(n: number): string {
  return stepNames[n] ?? String(n);
}

/** `enum uplink_flag` */
export const UplinkFlag = {
  NONE: 0,
  NO_ETHERNET: 1,
  XDP_TRANSMITS: 2,
} as const;
export type UplinkFlag = (typeof UplinkFlag)[keyof typeof UplinkFlag];

/** The flags that are set, by name. */
export function uplinkFlags(flags: number): string[] {
  return Object.entries(UplinkFlag).filter(([, flag]) => (flags & flag) !== 0).map(([name]) => name);
}

/** `enum verdict` */
export const Verdict = {
  FORWARDED: 0,
  DROPPED: 1,
  AUDIT: 2,
} as const;
export type Verdict = (typeof Verdict)[keyof typeof Verdict];
const verdictNames: Readonly<Record<number, string>> = Object.fromEntries(Object.entries(Verdict).map(([name, n]) => [n, name]));

/** A number that has no name stands for itself. */
export function verdictName(n: number): string {
  return verdictNames[n] ?? String(n);
}

/** `struct affinity`, 16 bytes */
export interface Affinity {
  readonly used: bigint;
  readonly endpoint: number;
}

export const affinityCodec: Codec<Affinity> = {
  size: 16,
  encode(value, bytes, offset = 0) {
    putU64(bytes, offset + 0, value.used);
    putU32(bytes, offset + 8, value.endpoint);
    bytes.fill(0, offset + 12, offset + 16);
  },
  decode(bytes, offset = 0) {
    return {
      used: getU64(bytes, offset + 0),
      endpoint: getU32(bytes, offset + 8),
    };
  },
};

/** `struct affinity_key`, 20 bytes */
export interface AffinityKey {
  readonly client: Uint8Array;
  readonly service: number;
}

export const affinityKeyCodec: Codec<AffinityKey> = {
  size: 20,
  encode(value, bytes, offset = 0) {
    putBytes(bytes, offset + 0, value.client, 16);
    putU32(bytes, offset + 16, value.service);
  },
  decode(bytes, offset = 0) {
    return {
      client: getBytes(bytes, offset + 0, 16),
      service: getU32(bytes, offset + 16),
    };
  },
};

/** `struct block_identity`, 8 bytes */
export interface BlockIdentity {
  readonly identity: readonly number[];
}

export const blockIdentityCodec: Codec<BlockIdentity> = {
  size: 8,
  encode(value, bytes, offset = 0) {
    if (value.identity.length !== 2) throw new RangeError(`${value.identity.length} elements where 2 belong`);
    value.identity.forEach((element, index) => putU32(bytes, offset + 0 + index * 4, element));
  },
  decode(bytes, offset = 0) {
    return {
      identity: Array.from({ length: 2 }, (_, index) => getU32(bytes, offset + 0 + index * 4)),
    };
  },
};

/** `struct block_key`, 24 bytes */
export interface BlockKey {
  readonly prefixlen: number;
  readonly family: number;
  readonly addr: Uint8Array;
}

export const blockKeyCodec: Codec<BlockKey> = {
  size: 24,
  encode(value, bytes, offset = 0) {
    putU32(bytes, offset + 0, value.prefixlen);
    putU32(bytes, offset + 4, value.family);
    putBytes(bytes, offset + 8, value.addr, 16);
  },
  decode(bytes, offset = 0) {
    return {
      prefixlen: getU32(bytes, offset + 0),
      family: getU32(bytes, offset + 4),
      addr: getBytes(bytes, offset + 8, 16),
    };
  },
};

/** `struct bound_port`, 4 bytes */
export interface BoundPort {
  readonly publishes: number;
}

export const boundPortCodec: Codec<BoundPort> = {
  size: 4,
  encode(value, bytes, offset = 0) {
    putU32(bytes, offset + 0, value.publishes);
  },
  decode(bytes, offset = 0) {
    return {
      publishes: getU32(bytes, offset + 0),
    };
  },
};

/** `struct bound_port_key`, 4 bytes */
export interface BoundPortKey {
  readonly port: number;
  readonly protocol: number;
  readonly family: number;
}

export const boundPortKeyCodec: Codec<BoundPortKey> = {
  size: 4,
  encode(value, bytes, offset = 0) {
    putBe16(bytes, offset + 0, value.port);
    putU8(bytes, offset + 2, value.protocol);
    putU8(bytes, offset + 3, value.family);
  },
  decode(bytes, offset = 0) {
    return {
      port: getBe16(bytes, offset + 0),
      protocol: getU8(bytes, offset + 2),
      family: getU8(bytes, offset + 3),
    };
  },
};

/** `struct collect`, 40 bytes */
export interface Collect {
  readonly mode: number;
  readonly filter: number;
  readonly network: number;
  readonly port: number;
  readonly protocol: number;
  readonly addr: Uint8Array;
  readonly visited: number;
  readonly deleted: number;
}

export const collectCodec: Codec<Collect> = {
  size: 40,
  encode(value, bytes, offset = 0) {
    putU32(bytes, offset + 0, value.mode);
    putU32(bytes, offset + 4, value.filter);
    putU32(bytes, offset + 8, value.network);
    putBe16(bytes, offset + 12, value.port);
    putU8(bytes, offset + 14, value.protocol);
    bytes.fill(0, offset + 15, offset + 16);
    putBytes(bytes, offset + 16, value.addr, 16);
    putU32(bytes, offset + 32, value.visited);
    putU32(bytes, offset + 36, value.deleted);
  },
  decode(bytes, offset = 0) {
    return {
      mode: getU32(bytes, offset + 0),
      filter: getU32(bytes, offset + 4),
      network: getU32(bytes, offset + 8),
      port: getBe16(bytes, offset + 12),
      protocol: getU8(bytes, offset + 14),
      addr: getBytes(bytes, offset + 16, 16),
      visited: getU32(bytes, offset + 32),
      deleted: getU32(bytes, offset + 36),
    };
  },
};

/** `struct config`, 88 bytes */
export interface Config {
  readonly hostNetns: bigint;
  readonly generation: number;
  readonly flags: number;
  readonly hostIfindex: number;
  readonly hostMac: Uint8Array;
  readonly snatPortMin: number;
  readonly snatPortMax: number;
  readonly tunnelPort: number;
  readonly flowQuota: number;
  readonly snatQuota: number;
  readonly floodRate: number;
  readonly timeoutNew: number;
  readonly timeoutUdp: number;
  readonly timeoutIcmp: number;
  readonly timeoutEstablished: number;
  readonly timeoutClosing: number;
  readonly timeoutClosed: number;
  readonly timeoutRefused: number;
  readonly quotaWindow: number;
  readonly shaperIfindex: number;
  readonly overlayIfindex: number;
}

export const configCodec: Codec<Config> = {
  size: 88,
  encode(value, bytes, offset = 0) {
    putU64(bytes, offset + 0, value.hostNetns);
    putU32(bytes, offset + 8, value.generation);
    putU32(bytes, offset + 12, value.flags);
    putU32(bytes, offset + 16, value.hostIfindex);
    putBytes(bytes, offset + 20, value.hostMac, 6);
    putU16(bytes, offset + 26, value.snatPortMin);
    putU16(bytes, offset + 28, value.snatPortMax);
    putU16(bytes, offset + 30, value.tunnelPort);
    putU32(bytes, offset + 32, value.flowQuota);
    putU32(bytes, offset + 36, value.snatQuota);
    putU32(bytes, offset + 40, value.floodRate);
    putU32(bytes, offset + 44, value.timeoutNew);
    putU32(bytes, offset + 48, value.timeoutUdp);
    putU32(bytes, offset + 52, value.timeoutIcmp);
    putU32(bytes, offset + 56, value.timeoutEstablished);
    putU32(bytes, offset + 60, value.timeoutClosing);
    putU32(bytes, offset + 64, value.timeoutClosed);
    putU32(bytes, offset + 68, value.timeoutRefused);
    putU32(bytes, offset + 72, value.quotaWindow);
    putU32(bytes, offset + 76, value.shaperIfindex);
    putU32(bytes, offset + 80, value.overlayIfindex);
    bytes.fill(0, offset + 84, offset + 88);
  },
  decode(bytes, offset = 0) {
    return {
      hostNetns: getU64(bytes, offset + 0),
      generation: getU32(bytes, offset + 8),
      flags: getU32(bytes, offset + 12),
      hostIfindex: getU32(bytes, offset + 16),
      hostMac: getBytes(bytes, offset + 20, 6),
      snatPortMin: getU16(bytes, offset + 26),
      snatPortMax: getU16(bytes, offset + 28),
      tunnelPort: getU16(bytes, offset + 30),
      flowQuota: getU32(bytes, offset + 32),
      snatQuota: getU32(bytes, offset + 36),
      floodRate: getU32(bytes, offset + 40),
      timeoutNew: getU32(bytes, offset + 44),
      timeoutUdp: getU32(bytes, offset + 48),
      timeoutIcmp: getU32(bytes, offset + 52),
      timeoutEstablished: getU32(bytes, offset + 56),
      timeoutClosing: getU32(bytes, offset + 60),
      timeoutClosed: getU32(bytes, offset + 64),
      timeoutRefused: getU32(bytes, offset + 68),
      quotaWindow: getU32(bytes, offset + 72),
      shaperIfindex: getU32(bytes, offset + 76),
      overlayIfindex: getU32(bytes, offset + 80),
    };
  },
};

/** `struct conntrack`, 144 bytes */
export interface Conntrack {
  readonly generation: number;
  readonly beat: number;
  readonly flags: number;
  readonly state: number;
  readonly sourceParty: number;
  readonly destinationParty: number;
  readonly otherNetwork: number;
  readonly toSource: Delivery;
  readonly toDestination: Delivery;
  readonly packetsOriginal: bigint;
  readonly bytesOriginal: bigint;
  readonly packetsReply: bigint;
  readonly bytesReply: bigint;
  readonly lastSeen: bigint;
  readonly created: bigint;
  readonly sourceIdentity: number;
  readonly destinationIdentity: number;
  readonly owner: number;
  readonly otherSourcePort: number;
  readonly otherDestinationPort: number;
  readonly otherSource: Uint8Array;
  readonly otherDestination: Uint8Array;
}

export const conntrackCodec: Codec<Conntrack> = {
  size: 144,
  encode(value, bytes, offset = 0) {
    putU32(bytes, offset + 0, value.generation);
    putU32(bytes, offset + 4, value.beat);
    putU16(bytes, offset + 8, value.flags);
    putU8(bytes, offset + 10, value.state);
    putU8(bytes, offset + 11, value.sourceParty);
    putU8(bytes, offset + 12, value.destinationParty);
    bytes.fill(0, offset + 13, offset + 14);
    putU16(bytes, offset + 14, value.otherNetwork);
    deliveryCodec.encode(value.toSource, bytes, offset + 16);
    deliveryCodec.encode(value.toDestination, bytes, offset + 32);
    putU64(bytes, offset + 48, value.packetsOriginal);
    putU64(bytes, offset + 56, value.bytesOriginal);
    putU64(bytes, offset + 64, value.packetsReply);
    putU64(bytes, offset + 72, value.bytesReply);
    putU64(bytes, offset + 80, value.lastSeen);
    putU64(bytes, offset + 88, value.created);
    putU32(bytes, offset + 96, value.sourceIdentity);
    putU32(bytes, offset + 100, value.destinationIdentity);
    putU32(bytes, offset + 104, value.owner);
    putBe16(bytes, offset + 108, value.otherSourcePort);
    putBe16(bytes, offset + 110, value.otherDestinationPort);
    putBytes(bytes, offset + 112, value.otherSource, 16);
    putBytes(bytes, offset + 128, value.otherDestination, 16);
  },
  decode(bytes, offset = 0) {
    return {
      generation: getU32(bytes, offset + 0),
      beat: getU32(bytes, offset + 4),
      flags: getU16(bytes, offset + 8),
      state: getU8(bytes, offset + 10),
      sourceParty: getU8(bytes, offset + 11),
      destinationParty: getU8(bytes, offset + 12),
      otherNetwork: getU16(bytes, offset + 14),
      toSource: deliveryCodec.decode(bytes, offset + 16),
      toDestination: deliveryCodec.decode(bytes, offset + 32),
      packetsOriginal: getU64(bytes, offset + 48),
      bytesOriginal: getU64(bytes, offset + 56),
      packetsReply: getU64(bytes, offset + 64),
      bytesReply: getU64(bytes, offset + 72),
      lastSeen: getU64(bytes, offset + 80),
      created: getU64(bytes, offset + 88),
      sourceIdentity: getU32(bytes, offset + 96),
      destinationIdentity: getU32(bytes, offset + 100),
      owner: getU32(bytes, offset + 104),
      otherSourcePort: getBe16(bytes, offset + 108),
      otherDestinationPort: getBe16(bytes, offset + 110),
      otherSource: getBytes(bytes, offset + 112, 16),
      otherDestination: getBytes(bytes, offset + 128, 16),
    };
  },
};

/** `struct conntrack_key`, 40 bytes */
export interface ConntrackKey {
  readonly addrA: Uint8Array;
  readonly addrB: Uint8Array;
  readonly portA: number;
  readonly portB: number;
  readonly network: number;
  readonly protocol: number;
}

export const conntrackKeyCodec: Codec<ConntrackKey> = {
  size: 40,
  encode(value, bytes, offset = 0) {
    putBytes(bytes, offset + 0, value.addrA, 16);
    putBytes(bytes, offset + 16, value.addrB, 16);
    putBe16(bytes, offset + 32, value.portA);
    putBe16(bytes, offset + 34, value.portB);
    putU16(bytes, offset + 36, value.network);
    putU8(bytes, offset + 38, value.protocol);
    bytes.fill(0, offset + 39, offset + 40);
  },
  decode(bytes, offset = 0) {
    return {
      addrA: getBytes(bytes, offset + 0, 16),
      addrB: getBytes(bytes, offset + 16, 16),
      portA: getBe16(bytes, offset + 32),
      portB: getBe16(bytes, offset + 34),
      network: getU16(bytes, offset + 36),
      protocol: getU8(bytes, offset + 38),
    };
  },
};

/** `struct delivery`, 16 bytes */
export interface Delivery {
  readonly ifindex: number;
  readonly check: number;
  readonly mac: Uint8Array;
}

export const deliveryCodec: Codec<Delivery> = {
  size: 16,
  encode(value, bytes, offset = 0) {
    putU32(bytes, offset + 0, value.ifindex);
    putU32(bytes, offset + 4, value.check);
    putBytes(bytes, offset + 8, value.mac, 6);
    bytes.fill(0, offset + 14, offset + 16);
  },
  decode(bytes, offset = 0) {
    return {
      ifindex: getU32(bytes, offset + 0),
      check: getU32(bytes, offset + 4),
      mac: getBytes(bytes, offset + 8, 6),
    };
  },
};

/** `struct deny`, 16 bytes */
export interface Deny {
  readonly packets: bigint;
  readonly bytes: bigint;
}

export const denyCodec: Codec<Deny> = {
  size: 16,
  encode(value, bytes, offset = 0) {
    putU64(bytes, offset + 0, value.packets);
    putU64(bytes, offset + 8, value.bytes);
  },
  decode(bytes, offset = 0) {
    return {
      packets: getU64(bytes, offset + 0),
      bytes: getU64(bytes, offset + 8),
    };
  },
};

/** `struct deny_block`, 512 bytes */
export interface DenyBlock {
  readonly unlisted: readonly bigint[];
}

export const denyBlockCodec: Codec<DenyBlock> = {
  size: 512,
  encode(value, bytes, offset = 0) {
    if (value.unlisted.length !== 64) throw new RangeError(`${value.unlisted.length} elements where 64 belong`);
    value.unlisted.forEach((element, index) => putU64(bytes, offset + 0 + index * 8, element));
  },
  decode(bytes, offset = 0) {
    return {
      unlisted: Array.from({ length: 64 }, (_, index) => getU64(bytes, offset + 0 + index * 8)),
    };
  },
};

/** `struct drop_count`, 16 bytes */
export interface DropCount {
  readonly packets: bigint;
  readonly bytes: bigint;
}

export const dropCountCodec: Codec<DropCount> = {
  size: 16,
  encode(value, bytes, offset = 0) {
    putU64(bytes, offset + 0, value.packets);
    putU64(bytes, offset + 8, value.bytes);
  },
  decode(bytes, offset = 0) {
    return {
      packets: getU64(bytes, offset + 0),
      bytes: getU64(bytes, offset + 8),
    };
  },
};

/** `struct endpoint`, 20 bytes */
export interface Endpoint {
  readonly number: number;
  readonly ifindex: number;
  readonly network: number;
  readonly mac: Uint8Array;
  readonly flags: number;
}

export const endpointCodec: Codec<Endpoint> = {
  size: 20,
  encode(value, bytes, offset = 0) {
    putU32(bytes, offset + 0, value.number);
    putU32(bytes, offset + 4, value.ifindex);
    putU32(bytes, offset + 8, value.network);
    putBytes(bytes, offset + 12, value.mac, 6);
    putU16(bytes, offset + 18, value.flags);
  },
  decode(bytes, offset = 0) {
    return {
      number: getU32(bytes, offset + 0),
      ifindex: getU32(bytes, offset + 4),
      network: getU32(bytes, offset + 8),
      mac: getBytes(bytes, offset + 12, 6),
      flags: getU16(bytes, offset + 18),
    };
  },
};

/** `struct endpoint_addrs`, 36 bytes */
export interface EndpointAddrs {
  readonly v4: Uint8Array;
  readonly v6: Uint8Array;
  readonly network: number;
}

export const endpointAddrsCodec: Codec<EndpointAddrs> = {
  size: 36,
  encode(value, bytes, offset = 0) {
    putBytes(bytes, offset + 0, value.v4, 16);
    putBytes(bytes, offset + 16, value.v6, 16);
    putU32(bytes, offset + 32, value.network);
  },
  decode(bytes, offset = 0) {
    return {
      v4: getBytes(bytes, offset + 0, 16),
      v6: getBytes(bytes, offset + 16, 16),
      network: getU32(bytes, offset + 32),
    };
  },
};

/** `struct endpoint_key`, 20 bytes */
export interface EndpointKey {
  readonly network: number;
  readonly addr: Uint8Array;
}

export const endpointKeyCodec: Codec<EndpointKey> = {
  size: 20,
  encode(value, bytes, offset = 0) {
    putU32(bytes, offset + 0, value.network);
    putBytes(bytes, offset + 4, value.addr, 16);
  },
  decode(bytes, offset = 0) {
    return {
      network: getU32(bytes, offset + 0),
      addr: getBytes(bytes, offset + 4, 16),
    };
  },
};

/** `struct flow_event`, 80 bytes */
export interface FlowEvent {
  readonly time: bigint;
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly network: number;
  readonly sourceIdentity: number;
  readonly destinationIdentity: number;
  readonly ifindex: number;
  readonly length: number;
  readonly reason: number;
  readonly verdict: number;
  readonly hook: number;
  readonly protocol: number;
  readonly tcpFlags: number;
  readonly ethertype: number;
  readonly decision: number;
  readonly generation: number;
}

export const flowEventCodec: Codec<FlowEvent> = {
  size: 80,
  encode(value, bytes, offset = 0) {
    putU64(bytes, offset + 0, value.time);
    putBytes(bytes, offset + 8, value.source, 16);
    putBytes(bytes, offset + 24, value.destination, 16);
    putBe16(bytes, offset + 40, value.sourcePort);
    putBe16(bytes, offset + 42, value.destinationPort);
    putU32(bytes, offset + 44, value.network);
    putU32(bytes, offset + 48, value.sourceIdentity);
    putU32(bytes, offset + 52, value.destinationIdentity);
    putU32(bytes, offset + 56, value.ifindex);
    putU32(bytes, offset + 60, value.length);
    putU16(bytes, offset + 64, value.reason);
    putU8(bytes, offset + 66, value.verdict);
    putU8(bytes, offset + 67, value.hook);
    putU8(bytes, offset + 68, value.protocol);
    putU8(bytes, offset + 69, value.tcpFlags);
    putU16(bytes, offset + 70, value.ethertype);
    putU32(bytes, offset + 72, value.decision);
    putU32(bytes, offset + 76, value.generation);
  },
  decode(bytes, offset = 0) {
    return {
      time: getU64(bytes, offset + 0),
      source: getBytes(bytes, offset + 8, 16),
      destination: getBytes(bytes, offset + 24, 16),
      sourcePort: getBe16(bytes, offset + 40),
      destinationPort: getBe16(bytes, offset + 42),
      network: getU32(bytes, offset + 44),
      sourceIdentity: getU32(bytes, offset + 48),
      destinationIdentity: getU32(bytes, offset + 52),
      ifindex: getU32(bytes, offset + 56),
      length: getU32(bytes, offset + 60),
      reason: getU16(bytes, offset + 64),
      verdict: getU8(bytes, offset + 66),
      hook: getU8(bytes, offset + 67),
      protocol: getU8(bytes, offset + 68),
      tcpFlags: getU8(bytes, offset + 69),
      ethertype: getU16(bytes, offset + 70),
      decision: getU32(bytes, offset + 72),
      generation: getU32(bytes, offset + 76),
    };
  },
};

/** `struct fragment`, 16 bytes */
export interface Fragment {
  readonly seen: bigint;
  readonly sourcePort: number;
  readonly destinationPort: number;
}

export const fragmentCodec: Codec<Fragment> = {
  size: 16,
  encode(value, bytes, offset = 0) {
    putU64(bytes, offset + 0, value.seen);
    putBe16(bytes, offset + 8, value.sourcePort);
    putBe16(bytes, offset + 10, value.destinationPort);
    bytes.fill(0, offset + 12, offset + 16);
  },
  decode(bytes, offset = 0) {
    return {
      seen: getU64(bytes, offset + 0),
      sourcePort: getBe16(bytes, offset + 8),
      destinationPort: getBe16(bytes, offset + 10),
    };
  },
};

/** `struct fragment_key`, 40 bytes */
export interface FragmentKey {
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  readonly id: number;
  readonly network: number;
  readonly protocol: number;
}

export const fragmentKeyCodec: Codec<FragmentKey> = {
  size: 40,
  encode(value, bytes, offset = 0) {
    putBytes(bytes, offset + 0, value.source, 16);
    putBytes(bytes, offset + 16, value.destination, 16);
    putBe32(bytes, offset + 32, value.id);
    putU16(bytes, offset + 36, value.network);
    putU8(bytes, offset + 38, value.protocol);
    bytes.fill(0, offset + 39, offset + 40);
  },
  decode(bytes, offset = 0) {
    return {
      source: getBytes(bytes, offset + 0, 16),
      destination: getBytes(bytes, offset + 16, 16),
      id: getBe32(bytes, offset + 32),
      network: getU16(bytes, offset + 36),
      protocol: getU8(bytes, offset + 38),
    };
  },
};

/** `struct host_addr`, 8 bytes */
export interface HostAddr {
  readonly ifindex: number;
  readonly network: number;
}

export const hostAddrCodec: Codec<HostAddr> = {
  size: 8,
  encode(value, bytes, offset = 0) {
    putU32(bytes, offset + 0, value.ifindex);
    putU32(bytes, offset + 4, value.network);
  },
  decode(bytes, offset = 0) {
    return {
      ifindex: getU32(bytes, offset + 0),
      network: getU32(bytes, offset + 4),
    };
  },
};

/** `struct host_cgroup`, 8 bytes */
export interface HostCgroup {
  readonly number: number;
  readonly check: number;
}

export const hostCgroupCodec: Codec<HostCgroup> = {
  size: 8,
  encode(value, bytes, offset = 0) {
    putU32(bytes, offset + 0, value.number);
    putU32(bytes, offset + 4, value.check);
  },
  decode(bytes, offset = 0) {
    return {
      number: getU32(bytes, offset + 0),
      check: getU32(bytes, offset + 4),
    };
  },
};

/** `struct identity_slot`, 16 bytes */
export interface IdentitySlot {
  readonly standing: readonly Standing[];
}

export const identitySlotCodec: Codec<IdentitySlot> = {
  size: 16,
  encode(value, bytes, offset = 0) {
    if (value.standing.length !== 2) throw new RangeError(`${value.standing.length} elements where 2 belong`);
    value.standing.forEach((element, index) => standingCodec.encode(element, bytes, offset + 0 + index * 8));
  },
  decode(bytes, offset = 0) {
    return {
      standing: Array.from({ length: 2 }, (_, index) => standingCodec.decode(bytes, offset + 0 + index * 8)),
    };
  },
};

/** `struct interface`, 68 bytes */
export interface Interface {
  readonly ifindex: number;
  readonly number: number;
  readonly network: number;
  readonly mac: Uint8Array;
  readonly flags: number;
  readonly v4: Uint8Array;
  readonly v6: Uint8Array;
  readonly linkLocal: Uint8Array;
  readonly lanIfindex: number;
}

export const interfaceCodec: Codec<Interface> = {
  size: 68,
  encode(value, bytes, offset = 0) {
    putU32(bytes, offset + 0, value.ifindex);
    putU16(bytes, offset + 4, value.number);
    putU16(bytes, offset + 6, value.network);
    putBytes(bytes, offset + 8, value.mac, 6);
    putU16(bytes, offset + 14, value.flags);
    putBytes(bytes, offset + 16, value.v4, 16);
    putBytes(bytes, offset + 32, value.v6, 16);
    putBytes(bytes, offset + 48, value.linkLocal, 16);
    putU32(bytes, offset + 64, value.lanIfindex);
  },
  decode(bytes, offset = 0) {
    return {
      ifindex: getU32(bytes, offset + 0),
      number: getU16(bytes, offset + 4),
      network: getU16(bytes, offset + 6),
      mac: getBytes(bytes, offset + 8, 6),
      flags: getU16(bytes, offset + 14),
      v4: getBytes(bytes, offset + 16, 16),
      v6: getBytes(bytes, offset + 32, 16),
      linkLocal: getBytes(bytes, offset + 48, 16),
      lanIfindex: getU32(bytes, offset + 64),
    };
  },
};

/** `struct lan_parent`, 8 bytes */
export interface LanParent {
  readonly mac: Uint8Array;
  readonly network: number;
}

export const lanParentCodec: Codec<LanParent> = {
  size: 8,
  encode(value, bytes, offset = 0) {
    putBytes(bytes, offset + 0, value.mac, 6);
    putU16(bytes, offset + 6, value.network);
  },
  decode(bytes, offset = 0) {
    return {
      mac: getBytes(bytes, offset + 0, 6),
      network: getU16(bytes, offset + 6),
    };
  },
};

/** `struct learned`, 16 bytes */
export interface Learned {
  readonly half: readonly LearnedHalf[];
}

export const learnedCodec: Codec<Learned> = {
  size: 16,
  encode(value, bytes, offset = 0) {
    if (value.half.length !== 2) throw new RangeError(`${value.half.length} elements where 2 belong`);
    value.half.forEach((element, index) => learnedHalfCodec.encode(element, bytes, offset + 0 + index * 8));
  },
  decode(bytes, offset = 0) {
    return {
      half: Array.from({ length: 2 }, (_, index) => learnedHalfCodec.decode(bytes, offset + 0 + index * 8)),
    };
  },
};

/** `struct learned_half`, 8 bytes */
export interface LearnedHalf {
  readonly identity: number;
  readonly flags: number;
}

export const learnedHalfCodec: Codec<LearnedHalf> = {
  size: 8,
  encode(value, bytes, offset = 0) {
    putU32(bytes, offset + 0, value.identity);
    putU32(bytes, offset + 4, value.flags);
  },
  decode(bytes, offset = 0) {
    return {
      identity: getU32(bytes, offset + 0),
      flags: getU32(bytes, offset + 4),
    };
  },
};

/** `struct learned_key`, 20 bytes */
export interface LearnedKey {
  readonly endpoint: number;
  readonly addr: Uint8Array;
}

export const learnedKeyCodec: Codec<LearnedKey> = {
  size: 20,
  encode(value, bytes, offset = 0) {
    putU32(bytes, offset + 0, value.endpoint);
    putBytes(bytes, offset + 4, value.addr, 16);
  },
  decode(bytes, offset = 0) {
    return {
      endpoint: getU32(bytes, offset + 0),
      addr: getBytes(bytes, offset + 4, 16),
    };
  },
};

/** `struct meeting`, 24 bytes */
export interface Meeting {
  readonly cookie: bigint;
  readonly address: bigint;
  readonly writes: bigint;
}

export const meetingCodec: Codec<Meeting> = {
  size: 24,
  encode(value, bytes, offset = 0) {
    putU64(bytes, offset + 0, value.cookie);
    putU64(bytes, offset + 8, value.address);
    putU64(bytes, offset + 16, value.writes);
  },
  decode(bytes, offset = 0) {
    return {
      cookie: getU64(bytes, offset + 0),
      address: getU64(bytes, offset + 8),
      writes: getU64(bytes, offset + 16),
    };
  },
};

/** `struct meeting_key`, 44 bytes */
export interface MeetingKey {
  readonly flow: ConntrackKey;
  readonly endB: number;
}

export const meetingKeyCodec: Codec<MeetingKey> = {
  size: 44,
  encode(value, bytes, offset = 0) {
    conntrackKeyCodec.encode(value.flow, bytes, offset + 0);
    putU32(bytes, offset + 40, value.endB);
  },
  decode(bytes, offset = 0) {
    return {
      flow: conntrackKeyCodec.decode(bytes, offset + 0),
      endB: getU32(bytes, offset + 40),
    };
  },
};

/** `struct member_key`, 8 bytes */
export interface MemberKey {
  readonly network: number;
  readonly slot: number;
}

export const memberKeyCodec: Codec<MemberKey> = {
  size: 8,
  encode(value, bytes, offset = 0) {
    putU32(bytes, offset + 0, value.network);
    putU32(bytes, offset + 4, value.slot);
  },
  decode(bytes, offset = 0) {
    return {
      network: getU32(bytes, offset + 0),
      slot: getU32(bytes, offset + 4),
    };
  },
};

/** `struct network`, 96 bytes */
export interface Network {
  readonly flags: number;
  readonly mtu: number;
  readonly members: number;
  readonly gateway4: Uint8Array;
  readonly gateway6: Uint8Array;
  readonly broadcast4: Uint8Array;
  readonly masquerade4: Uint8Array;
  readonly masquerade6: Uint8Array;
}

export const networkCodec: Codec<Network> = {
  size: 96,
  encode(value, bytes, offset = 0) {
    putU32(bytes, offset + 0, value.flags);
    putU32(bytes, offset + 4, value.mtu);
    putU32(bytes, offset + 8, value.members);
    bytes.fill(0, offset + 12, offset + 16);
    putBytes(bytes, offset + 16, value.gateway4, 16);
    putBytes(bytes, offset + 32, value.gateway6, 16);
    putBytes(bytes, offset + 48, value.broadcast4, 16);
    putBytes(bytes, offset + 64, value.masquerade4, 16);
    putBytes(bytes, offset + 80, value.masquerade6, 16);
  },
  decode(bytes, offset = 0) {
    return {
      flags: getU32(bytes, offset + 0),
      mtu: getU32(bytes, offset + 4),
      members: getU32(bytes, offset + 8),
      gateway4: getBytes(bytes, offset + 16, 16),
      gateway6: getBytes(bytes, offset + 32, 16),
      broadcast4: getBytes(bytes, offset + 48, 16),
      masquerade4: getBytes(bytes, offset + 64, 16),
      masquerade6: getBytes(bytes, offset + 80, 16),
    };
  },
};

/** `struct node`, 72 bytes */
export interface Node {
  readonly addr: Uint8Array;
  readonly cryptFrom: Uint8Array;
  readonly cryptTo: Uint8Array;
  readonly cryptAlso: Uint8Array;
  readonly cryptIfindex: number;
}

export const nodeCodec: Codec<Node> = {
  size: 72,
  encode(value, bytes, offset = 0) {
    putBytes(bytes, offset + 0, value.addr, 16);
    putBytes(bytes, offset + 16, value.cryptFrom, 16);
    putBytes(bytes, offset + 32, value.cryptTo, 16);
    putBytes(bytes, offset + 48, value.cryptAlso, 16);
    putU32(bytes, offset + 64, value.cryptIfindex);
    bytes.fill(0, offset + 68, offset + 72);
  },
  decode(bytes, offset = 0) {
    return {
      addr: getBytes(bytes, offset + 0, 16),
      cryptFrom: getBytes(bytes, offset + 16, 16),
      cryptTo: getBytes(bytes, offset + 32, 16),
      cryptAlso: getBytes(bytes, offset + 48, 16),
      cryptIfindex: getU32(bytes, offset + 64),
    };
  },
};

/** `struct policy_half`, 8 bytes */
export interface PolicyHalf {
  readonly decision: number;
  readonly check: number;
}

export const policyHalfCodec: Codec<PolicyHalf> = {
  size: 8,
  encode(value, bytes, offset = 0) {
    putU32(bytes, offset + 0, value.decision);
    putU32(bytes, offset + 4, value.check);
  },
  decode(bytes, offset = 0) {
    return {
      decision: getU32(bytes, offset + 0),
      check: getU32(bytes, offset + 4),
    };
  },
};

/** `struct policy_key`, 12 bytes */
export interface PolicyKey {
  readonly subject: number;
  readonly peer: number;
  readonly direction: number;
}

export const policyKeyCodec: Codec<PolicyKey> = {
  size: 12,
  encode(value, bytes, offset = 0) {
    putU32(bytes, offset + 0, value.subject);
    putU32(bytes, offset + 4, value.peer);
    putU32(bytes, offset + 8, value.direction);
  },
  decode(bytes, offset = 0) {
    return {
      subject: getU32(bytes, offset + 0),
      peer: getU32(bytes, offset + 4),
      direction: getU32(bytes, offset + 8),
    };
  },
};

/** `struct policy_port_key`, 12 bytes */
export interface PolicyPortKey {
  readonly prefixlen: number;
  readonly set: number;
  readonly protocol: number;
  readonly port: number;
}

export const policyPortKeyCodec: Codec<PolicyPortKey> = {
  size: 12,
  encode(value, bytes, offset = 0) {
    putU32(bytes, offset + 0, value.prefixlen);
    putU32(bytes, offset + 4, value.set);
    putU8(bytes, offset + 8, value.protocol);
    bytes.fill(0, offset + 9, offset + 10);
    putBe16(bytes, offset + 10, value.port);
  },
  decode(bytes, offset = 0) {
    return {
      prefixlen: getU32(bytes, offset + 0),
      set: getU32(bytes, offset + 4),
      protocol: getU8(bytes, offset + 8),
      port: getBe16(bytes, offset + 10),
    };
  },
};

/** `struct policy_value`, 16 bytes */
export interface PolicyValue {
  readonly half: readonly PolicyHalf[];
}

export const policyValueCodec: Codec<PolicyValue> = {
  size: 16,
  encode(value, bytes, offset = 0) {
    if (value.half.length !== 2) throw new RangeError(`${value.half.length} elements where 2 belong`);
    value.half.forEach((element, index) => policyHalfCodec.encode(element, bytes, offset + 0 + index * 8));
  },
  decode(bytes, offset = 0) {
    return {
      half: Array.from({ length: 2 }, (_, index) => policyHalfCodec.decode(bytes, offset + 0 + index * 8)),
    };
  },
};

/** `struct prefix_key`, 20 bytes */
export interface PrefixKey {
  readonly prefixlen: number;
  readonly addr: Uint8Array;
}

export const prefixKeyCodec: Codec<PrefixKey> = {
  size: 20,
  encode(value, bytes, offset = 0) {
    putU32(bytes, offset + 0, value.prefixlen);
    putBytes(bytes, offset + 4, value.addr, 16);
  },
  decode(bytes, offset = 0) {
    return {
      prefixlen: getU32(bytes, offset + 0),
      addr: getBytes(bytes, offset + 4, 16),
    };
  },
};

/** `struct publish`, 24 bytes */
export interface Publish {
  readonly addr: Uint8Array;
  readonly network: number;
  readonly port: number;
  readonly flags: number;
}

export const publishCodec: Codec<Publish> = {
  size: 24,
  encode(value, bytes, offset = 0) {
    putBytes(bytes, offset + 0, value.addr, 16);
    putU32(bytes, offset + 16, value.network);
    putBe16(bytes, offset + 20, value.port);
    putU16(bytes, offset + 22, value.flags);
  },
  decode(bytes, offset = 0) {
    return {
      addr: getBytes(bytes, offset + 0, 16),
      network: getU32(bytes, offset + 16),
      port: getBe16(bytes, offset + 20),
      flags: getU16(bytes, offset + 22),
    };
  },
};

/** `struct publish_key`, 20 bytes */
export interface PublishKey {
  readonly addr: Uint8Array;
  readonly port: number;
  readonly protocol: number;
}

export const publishKeyCodec: Codec<PublishKey> = {
  size: 20,
  encode(value, bytes, offset = 0) {
    putBytes(bytes, offset + 0, value.addr, 16);
    putBe16(bytes, offset + 16, value.port);
    putU8(bytes, offset + 18, value.protocol);
    bytes.fill(0, offset + 19, offset + 20);
  },
  decode(bytes, offset = 0) {
    return {
      addr: getBytes(bytes, offset + 0, 16),
      port: getBe16(bytes, offset + 16),
      protocol: getU8(bytes, offset + 18),
    };
  },
};

/** `struct quota`, 32 bytes */
export interface Quota {
  readonly epoch: bigint;
  readonly floodRefilled: bigint;
  readonly floodTokens: number;
  readonly flows: number;
  readonly snatPorts: number;
}

export const quotaCodec: Codec<Quota> = {
  size: 32,
  encode(value, bytes, offset = 0) {
    putU64(bytes, offset + 0, value.epoch);
    putU64(bytes, offset + 8, value.floodRefilled);
    putU32(bytes, offset + 16, value.floodTokens);
    putU32(bytes, offset + 20, value.flows);
    putU32(bytes, offset + 24, value.snatPorts);
    bytes.fill(0, offset + 28, offset + 32);
  },
  decode(bytes, offset = 0) {
    return {
      epoch: getU64(bytes, offset + 0),
      floodRefilled: getU64(bytes, offset + 8),
      floodTokens: getU32(bytes, offset + 16),
      flows: getU32(bytes, offset + 20),
      snatPorts: getU32(bytes, offset + 24),
    };
  },
};

/** `struct quota_count`, 8 bytes */
export interface QuotaCount {
  readonly flows: number;
  readonly snatPorts: number;
}

export const quotaCountCodec: Codec<QuotaCount> = {
  size: 8,
  encode(value, bytes, offset = 0) {
    putU32(bytes, offset + 0, value.flows);
    putU32(bytes, offset + 4, value.snatPorts);
  },
  decode(bytes, offset = 0) {
    return {
      flows: getU32(bytes, offset + 0),
      snatPorts: getU32(bytes, offset + 4),
    };
  },
};

/** `struct rate`, 24 bytes */
export interface Rate {
  readonly bits: bigint;
  readonly burst: bigint;
  readonly queue: bigint;
}

export const rateCodec: Codec<Rate> = {
  size: 24,
  encode(value, bytes, offset = 0) {
    putU64(bytes, offset + 0, value.bits);
    putU64(bytes, offset + 8, value.burst);
    putU64(bytes, offset + 16, value.queue);
  },
  decode(bytes, offset = 0) {
    return {
      bits: getU64(bytes, offset + 0),
      burst: getU64(bytes, offset + 8),
      queue: getU64(bytes, offset + 16),
    };
  },
};

/** `struct rate_clock`, 8 bytes */
export interface RateClock {
  readonly paidUntil: bigint;
}

export const rateClockCodec: Codec<RateClock> = {
  size: 8,
  encode(value, bytes, offset = 0) {
    putU64(bytes, offset + 0, value.paidUntil);
  },
  decode(bytes, offset = 0) {
    return {
      paidUntil: getU64(bytes, offset + 0),
    };
  },
};

/** `struct service`, 24 bytes */
export interface Service {
  readonly check: number;
  readonly number: number;
  readonly first: number;
  readonly slots: number;
  readonly affinity: number;
  readonly port: number;
  readonly flags: number;
}

export const serviceCodec: Codec<Service> = {
  size: 24,
  encode(value, bytes, offset = 0) {
    putU32(bytes, offset + 0, value.check);
    putU32(bytes, offset + 4, value.number);
    putU32(bytes, offset + 8, value.first);
    putU32(bytes, offset + 12, value.slots);
    putU32(bytes, offset + 16, value.affinity);
    putBe16(bytes, offset + 20, value.port);
    putU16(bytes, offset + 22, value.flags);
  },
  decode(bytes, offset = 0) {
    return {
      check: getU32(bytes, offset + 0),
      number: getU32(bytes, offset + 4),
      first: getU32(bytes, offset + 8),
      slots: getU32(bytes, offset + 12),
      affinity: getU32(bytes, offset + 16),
      port: getBe16(bytes, offset + 20),
      flags: getU16(bytes, offset + 22),
    };
  },
};

/** `struct service_block`, 256 bytes */
export interface ServiceBlock {
  readonly backend: readonly number[];
}

export const serviceBlockCodec: Codec<ServiceBlock> = {
  size: 256,
  encode(value, bytes, offset = 0) {
    if (value.backend.length !== 128) throw new RangeError(`${value.backend.length} elements where 128 belong`);
    value.backend.forEach((element, index) => putU16(bytes, offset + 0 + index * 2, element));
  },
  decode(bytes, offset = 0) {
    return {
      backend: Array.from({ length: 128 }, (_, index) => getU16(bytes, offset + 0 + index * 2)),
    };
  },
};

/** `struct service_key`, 24 bytes */
export interface ServiceKey {
  readonly addr: Uint8Array;
  readonly network: number;
  readonly port: number;
  readonly protocol: number;
}

export const serviceKeyCodec: Codec<ServiceKey> = {
  size: 24,
  encode(value, bytes, offset = 0) {
    putBytes(bytes, offset + 0, value.addr, 16);
    putU32(bytes, offset + 16, value.network);
    putBe16(bytes, offset + 20, value.port);
    putU8(bytes, offset + 22, value.protocol);
    bytes.fill(0, offset + 23, offset + 24);
  },
  decode(bytes, offset = 0) {
    return {
      addr: getBytes(bytes, offset + 0, 16),
      network: getU32(bytes, offset + 16),
      port: getBe16(bytes, offset + 20),
      protocol: getU8(bytes, offset + 22),
    };
  },
};

/** `struct service_member`, 8 bytes */
export interface ServiceMember {
  readonly service: number;
  readonly endpoint: number;
}

export const serviceMemberCodec: Codec<ServiceMember> = {
  size: 8,
  encode(value, bytes, offset = 0) {
    putU32(bytes, offset + 0, value.service);
    putU32(bytes, offset + 4, value.endpoint);
  },
  decode(bytes, offset = 0) {
    return {
      service: getU32(bytes, offset + 0),
      endpoint: getU32(bytes, offset + 4),
    };
  },
};

/** `struct sock_reverse`, 24 bytes */
export interface SockReverse {
  readonly addr: Uint8Array;
  readonly port: number;
}

export const sockReverseCodec: Codec<SockReverse> = {
  size: 24,
  encode(value, bytes, offset = 0) {
    putBytes(bytes, offset + 0, value.addr, 16);
    putBe16(bytes, offset + 16, value.port);
    bytes.fill(0, offset + 18, offset + 24);
  },
  decode(bytes, offset = 0) {
    return {
      addr: getBytes(bytes, offset + 0, 16),
      port: getBe16(bytes, offset + 16),
    };
  },
};

/** `struct sock_reverse_key`, 32 bytes */
export interface SockReverseKey {
  readonly cookie: bigint;
  readonly addr: Uint8Array;
  readonly port: number;
  readonly protocol: number;
}

export const sockReverseKeyCodec: Codec<SockReverseKey> = {
  size: 32,
  encode(value, bytes, offset = 0) {
    putU64(bytes, offset + 0, value.cookie);
    putBytes(bytes, offset + 8, value.addr, 16);
    putBe16(bytes, offset + 24, value.port);
    putU8(bytes, offset + 26, value.protocol);
    bytes.fill(0, offset + 27, offset + 32);
  },
  decode(bytes, offset = 0) {
    return {
      cookie: getU64(bytes, offset + 0),
      addr: getBytes(bytes, offset + 8, 16),
      port: getBe16(bytes, offset + 24),
      protocol: getU8(bytes, offset + 26),
    };
  },
};

/** `struct standing`, 8 bytes */
export interface Standing {
  readonly identity: number;
  readonly flags: number;
}

export const standingCodec: Codec<Standing> = {
  size: 8,
  encode(value, bytes, offset = 0) {
    putU32(bytes, offset + 0, value.identity);
    putU32(bytes, offset + 4, value.flags);
  },
  decode(bytes, offset = 0) {
    return {
      identity: getU32(bytes, offset + 0),
      flags: getU32(bytes, offset + 4),
    };
  },
};

/** `struct straight_flow`, 28 bytes */
export interface StraightFlow {
  readonly generation: number;
  readonly network: number;
  readonly node: number;
  readonly endpoint: Uint8Array;
  readonly host: Uint8Array;
  readonly check: number;
}

export const straightFlowCodec: Codec<StraightFlow> = {
  size: 28,
  encode(value, bytes, offset = 0) {
    putU32(bytes, offset + 0, value.generation);
    putU32(bytes, offset + 4, value.network);
    putU32(bytes, offset + 8, value.node);
    putBytes(bytes, offset + 12, value.endpoint, 6);
    putBytes(bytes, offset + 18, value.host, 6);
    putU32(bytes, offset + 24, value.check);
  },
  decode(bytes, offset = 0) {
    return {
      generation: getU32(bytes, offset + 0),
      network: getU32(bytes, offset + 4),
      node: getU32(bytes, offset + 8),
      endpoint: getBytes(bytes, offset + 12, 6),
      host: getBytes(bytes, offset + 18, 6),
      check: getU32(bytes, offset + 24),
    };
  },
};

/** `struct straight_key`, 16 bytes */
export interface StraightKey {
  readonly source: number;
  readonly destination: number;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly protocol: number;
}

export const straightKeyCodec: Codec<StraightKey> = {
  size: 16,
  encode(value, bytes, offset = 0) {
    putBe32(bytes, offset + 0, value.source);
    putBe32(bytes, offset + 4, value.destination);
    putBe16(bytes, offset + 8, value.sourcePort);
    putBe16(bytes, offset + 10, value.destinationPort);
    putU8(bytes, offset + 12, value.protocol);
    bytes.fill(0, offset + 13, offset + 16);
  },
  decode(bytes, offset = 0) {
    return {
      source: getBe32(bytes, offset + 0),
      destination: getBe32(bytes, offset + 4),
      sourcePort: getBe16(bytes, offset + 8),
      destinationPort: getBe16(bytes, offset + 10),
      protocol: getU8(bytes, offset + 12),
    };
  },
};

/** `struct subnet`, 8 bytes */
export interface Subnet {
  readonly network: number;
  readonly flags: number;
}

export const subnetCodec: Codec<Subnet> = {
  size: 8,
  encode(value, bytes, offset = 0) {
    putU32(bytes, offset + 0, value.network);
    putU32(bytes, offset + 4, value.flags);
  },
  decode(bytes, offset = 0) {
    return {
      network: getU32(bytes, offset + 0),
      flags: getU32(bytes, offset + 4),
    };
  },
};

/** `struct trace`, 136 bytes */
export interface Trace {
  readonly count: number;
  readonly steps: readonly TraceStep[];
}

export const traceCodec: Codec<Trace> = {
  size: 136,
  encode(value, bytes, offset = 0) {
    putU32(bytes, offset + 0, value.count);
    bytes.fill(0, offset + 4, offset + 8);
    if (value.steps.length !== 16) throw new RangeError(`${value.steps.length} elements where 16 belong`);
    value.steps.forEach((element, index) => traceStepCodec.encode(element, bytes, offset + 8 + index * 8));
  },
  decode(bytes, offset = 0) {
    return {
      count: getU32(bytes, offset + 0),
      steps: Array.from({ length: 16 }, (_, index) => traceStepCodec.decode(bytes, offset + 8 + index * 8)),
    };
  },
};

/** `struct trace_step`, 8 bytes */
export interface TraceStep {
  readonly step: number;
  readonly detail: number;
}

export const traceStepCodec: Codec<TraceStep> = {
  size: 8,
  encode(value, bytes, offset = 0) {
    putU32(bytes, offset + 0, value.step);
    putU32(bytes, offset + 4, value.detail);
  },
  decode(bytes, offset = 0) {
    return {
      step: getU32(bytes, offset + 0),
      detail: getU32(bytes, offset + 4),
    };
  },
};

/** `struct trusted_key`, 8 bytes */
export interface TrustedKey {
  readonly network: number;
  readonly ifindex: number;
}

export const trustedKeyCodec: Codec<TrustedKey> = {
  size: 8,
  encode(value, bytes, offset = 0) {
    putU32(bytes, offset + 0, value.network);
    putU32(bytes, offset + 4, value.ifindex);
  },
  decode(bytes, offset = 0) {
    return {
      network: getU32(bytes, offset + 0),
      ifindex: getU32(bytes, offset + 4),
    };
  },
};

/** `struct uplink`, 40 bytes */
export interface Uplink {
  readonly flags: number;
  readonly mtu: number;
  readonly masquerade4: Uint8Array;
  readonly masquerade6: Uint8Array;
}

export const uplinkCodec: Codec<Uplink> = {
  size: 40,
  encode(value, bytes, offset = 0) {
    putU32(bytes, offset + 0, value.flags);
    putU32(bytes, offset + 4, value.mtu);
    putBytes(bytes, offset + 8, value.masquerade4, 16);
    putBytes(bytes, offset + 24, value.masquerade6, 16);
  },
  decode(bytes, offset = 0) {
    return {
      flags: getU32(bytes, offset + 0),
      mtu: getU32(bytes, offset + 4),
      masquerade4: getBytes(bytes, offset + 8, 16),
      masquerade6: getBytes(bytes, offset + 24, 16),
    };
  },
};

/** Every map of bpf/maps.h. */
export const mapDefinitions = {
  accelerated: {
    name: 'accelerated',
    type: 'array',
    key: u32Codec,
    value: u32Codec,
    maxEntries: 16384,
    flags: 0,
    writer: 'control',
  } satisfies MapDefinition<number, number, 'array'>,
  addressBlocks: {
    name: 'address_blocks',
    type: 'lpm_trie',
    key: blockKeyCodec,
    value: blockIdentityCodec,
    maxEntries: 65536,
    flags: 1,
    writer: 'control',
  } satisfies MapDefinition<BlockKey, BlockIdentity, 'lpm_trie'>,
  affinity: {
    name: 'affinity',
    type: 'lru_hash',
    key: affinityKeyCodec,
    value: affinityCodec,
    maxEntries: 65536,
    flags: 0,
    writer: 'datapath',
  } satisfies MapDefinition<AffinityKey, Affinity, 'lru_hash'>,
  boundPorts: {
    name: 'bound_ports',
    type: 'hash',
    key: boundPortKeyCodec,
    value: boundPortCodec,
    maxEntries: 262144,
    flags: 1,
    writer: 'control',
  } satisfies MapDefinition<BoundPortKey, BoundPort, 'hash'>,
  config: {
    name: 'config',
    type: 'array',
    key: u32Codec,
    value: configCodec,
    maxEntries: 1,
    flags: 0,
    writer: 'control',
  } satisfies MapDefinition<number, Config, 'array'>,
  conntrack: {
    name: 'conntrack',
    type: 'lru_hash',
    key: conntrackKeyCodec,
    value: conntrackCodec,
    maxEntries: 262144,
    flags: 0,
    writer: 'datapath',
  } satisfies MapDefinition<ConntrackKey, Conntrack, 'lru_hash'>,
  counters: {
    name: 'counters',
    type: 'percpu_array',
    key: u32Codec,
    value: u64Codec,
    maxEntries: 12,
    flags: 0,
    writer: 'datapath',
  } satisfies MapDefinition<number, bigint, 'percpu_array'>,
  denyList: {
    name: 'deny_list',
    type: 'lpm_trie',
    key: prefixKeyCodec,
    value: denyCodec,
    maxEntries: 131072,
    flags: 1,
    writer: 'control',
  } satisfies MapDefinition<PrefixKey, Deny, 'lpm_trie'>,
  denyUnlisted: {
    name: 'deny_unlisted',
    type: 'array',
    key: u32Codec,
    value: denyBlockCodec,
    maxEntries: 8192,
    flags: 0,
    writer: 'control',
  } satisfies MapDefinition<number, DenyBlock, 'array'>,
  drops: {
    name: 'drops',
    type: 'percpu_array',
    key: u32Codec,
    value: dropCountCodec,
    maxEntries: 51,
    flags: 0,
    writer: 'datapath',
  } satisfies MapDefinition<number, DropCount, 'percpu_array'>,
  endpointAddrs: {
    name: 'endpoint_addrs',
    type: 'array',
    key: u32Codec,
    value: endpointAddrsCodec,
    maxEntries: 16384,
    flags: 0,
    writer: 'control',
  } satisfies MapDefinition<number, EndpointAddrs, 'array'>,
  endpoints: {
    name: 'endpoints',
    type: 'hash',
    key: endpointKeyCodec,
    value: endpointCodec,
    maxEntries: 524288,
    flags: 1,
    writer: 'control',
  } satisfies MapDefinition<EndpointKey, Endpoint, 'hash'>,
  flowEvents: {
    name: 'flow_events',
    type: 'ringbuf',
    key: voidCodec,
    value: voidCodec,
    maxEntries: 4194304,
    flags: 0,
    writer: 'datapath',
  } satisfies MapDefinition<undefined, undefined, 'ringbuf'>,
  fragments: {
    name: 'fragments',
    type: 'lru_hash',
    key: fragmentKeyCodec,
    value: fragmentCodec,
    maxEntries: 8192,
    flags: 0,
    writer: 'datapath',
  } satisfies MapDefinition<FragmentKey, Fragment, 'lru_hash'>,
  hostAddrs: {
    name: 'host_addrs',
    type: 'hash',
    key: bytesCodec(16),
    value: hostAddrCodec,
    maxEntries: 8192,
    flags: 1,
    writer: 'control',
  } satisfies MapDefinition<Uint8Array, HostAddr, 'hash'>,
  hostCgroups: {
    name: 'host_cgroups',
    type: 'hash',
    key: u64Codec,
    value: hostCgroupCodec,
    maxEntries: 16384,
    flags: 1,
    writer: 'control',
  } satisfies MapDefinition<bigint, HostCgroup, 'hash'>,
  identities: {
    name: 'identities',
    type: 'array',
    key: u32Codec,
    value: identitySlotCodec,
    maxEntries: 262144,
    flags: 0,
    writer: 'control',
  } satisfies MapDefinition<number, IdentitySlot, 'array'>,
  interfaceSlots: {
    name: 'interface_slots',
    type: 'array',
    key: u32Codec,
    value: interfaceCodec,
    maxEntries: 32768,
    flags: 0,
    writer: 'control',
  } satisfies MapDefinition<number, Interface, 'array'>,
  interfaces: {
    name: 'interfaces',
    type: 'hash',
    key: u32Codec,
    value: interfaceCodec,
    maxEntries: 16384,
    flags: 1,
    writer: 'control',
  } satisfies MapDefinition<number, Interface, 'hash'>,
  joined: {
    name: 'joined',
    type: 'sockhash',
    key: u64Codec,
    value: u64Codec,
    maxEntries: 65536,
    flags: 0,
    writer: 'datapath',
  } satisfies MapDefinition<bigint, bigint, 'sockhash'>,
  lanDevices: {
    name: 'lan_devices',
    type: 'hash',
    key: u32Codec,
    value: u32Codec,
    maxEntries: 16384,
    flags: 1,
    writer: 'control',
  } satisfies MapDefinition<number, number, 'hash'>,
  lanParents: {
    name: 'lan_parents',
    type: 'hash',
    key: u32Codec,
    value: lanParentCodec,
    maxEntries: 256,
    flags: 0,
    writer: 'control',
  } satisfies MapDefinition<number, LanParent, 'hash'>,
  learned: {
    name: 'learned',
    type: 'hash',
    key: learnedKeyCodec,
    value: learnedCodec,
    maxEntries: 65536,
    flags: 1,
    writer: 'control',
  } satisfies MapDefinition<LearnedKey, Learned, 'hash'>,
  learnedInUse: {
    name: 'learned_in_use',
    type: 'lru_hash',
    key: learnedKeyCodec,
    value: u64Codec,
    maxEntries: 65536,
    flags: 0,
    writer: 'datapath',
  } satisfies MapDefinition<LearnedKey, bigint, 'lru_hash'>,
  meetings: {
    name: 'meetings',
    type: 'lru_hash',
    key: meetingKeyCodec,
    value: meetingCodec,
    maxEntries: 65536,
    flags: 0,
    writer: 'datapath',
  } satisfies MapDefinition<MeetingKey, Meeting, 'lru_hash'>,
  members: {
    name: 'members',
    type: 'hash',
    key: memberKeyCodec,
    value: u32Codec,
    maxEntries: 16384,
    flags: 1,
    writer: 'control',
  } satisfies MapDefinition<MemberKey, number, 'hash'>,
  networks: {
    name: 'networks',
    type: 'array',
    key: u32Codec,
    value: networkCodec,
    maxEntries: 4096,
    flags: 0,
    writer: 'control',
  } satisfies MapDefinition<number, Network, 'array'>,
  nodeAddrs: {
    name: 'node_addrs',
    type: 'hash',
    key: bytesCodec(16),
    value: u32Codec,
    maxEntries: 16384,
    flags: 1,
    writer: 'control',
  } satisfies MapDefinition<Uint8Array, number, 'hash'>,
  nodeNumbers: {
    name: 'node_numbers',
    type: 'hash',
    key: bytesCodec(16),
    value: u32Codec,
    maxEntries: 4096,
    flags: 1,
    writer: 'control',
  } satisfies MapDefinition<Uint8Array, number, 'hash'>,
  nodes: {
    name: 'nodes',
    type: 'array',
    key: u32Codec,
    value: nodeCodec,
    maxEntries: 1024,
    flags: 0,
    writer: 'control',
  } satisfies MapDefinition<number, Node, 'array'>,
  policy: {
    name: 'policy',
    type: 'hash',
    key: policyKeyCodec,
    value: policyValueCodec,
    maxEntries: 1048576,
    flags: 1,
    writer: 'control',
  } satisfies MapDefinition<PolicyKey, PolicyValue, 'hash'>,
  policyPorts: {
    name: 'policy_ports',
    type: 'lpm_trie',
    key: policyPortKeyCodec,
    value: u32Codec,
    maxEntries: 524288,
    flags: 1,
    writer: 'control',
  } satisfies MapDefinition<PolicyPortKey, number, 'lpm_trie'>,
  published: {
    name: 'published',
    type: 'hash',
    key: publishKeyCodec,
    value: publishCodec,
    maxEntries: 131072,
    flags: 1,
    writer: 'control',
  } satisfies MapDefinition<PublishKey, Publish, 'hash'>,
  publishedLo: {
    name: 'published_lo',
    type: 'hash',
    key: publishKeyCodec,
    value: publishCodec,
    maxEntries: 131072,
    flags: 1,
    writer: 'control',
  } satisfies MapDefinition<PublishKey, Publish, 'hash'>,
  quotaCounts: {
    name: 'quota_counts',
    type: 'array',
    key: u32Codec,
    value: quotaCountCodec,
    maxEntries: 17408,
    flags: 0,
    writer: 'datapath',
  } satisfies MapDefinition<number, QuotaCount, 'array'>,
  quotas: {
    name: 'quotas',
    type: 'array',
    key: u32Codec,
    value: quotaCodec,
    maxEntries: 17408,
    flags: 0,
    writer: 'datapath',
  } satisfies MapDefinition<number, Quota, 'array'>,
  rateClocks: {
    name: 'rate_clocks',
    type: 'array',
    key: u32Codec,
    value: rateClockCodec,
    maxEntries: 32768,
    flags: 0,
    writer: 'datapath',
  } satisfies MapDefinition<number, RateClock, 'array'>,
  rates: {
    name: 'rates',
    type: 'array',
    key: u32Codec,
    value: rateCodec,
    maxEntries: 32768,
    flags: 0,
    writer: 'control',
  } satisfies MapDefinition<number, Rate, 'array'>,
  serviceMembers: {
    name: 'service_members',
    type: 'hash',
    key: serviceMemberCodec,
    value: u32Codec,
    maxEntries: 65536,
    flags: 1,
    writer: 'control',
  } satisfies MapDefinition<ServiceMember, number, 'hash'>,
  serviceSlots: {
    name: 'service_slots',
    type: 'array',
    key: u32Codec,
    value: serviceBlockCodec,
    maxEntries: 16384,
    flags: 0,
    writer: 'control',
  } satisfies MapDefinition<number, ServiceBlock, 'array'>,
  services: {
    name: 'services',
    type: 'hash',
    key: serviceKeyCodec,
    value: serviceCodec,
    maxEntries: 16384,
    flags: 1,
    writer: 'control',
  } satisfies MapDefinition<ServiceKey, Service, 'hash'>,
  sockReverse: {
    name: 'sock_reverse',
    type: 'lru_hash',
    key: sockReverseKeyCodec,
    value: sockReverseCodec,
    maxEntries: 65536,
    flags: 0,
    writer: 'datapath',
  } satisfies MapDefinition<SockReverseKey, SockReverse, 'lru_hash'>,
  straightFlows: {
    name: 'straight_flows',
    type: 'lru_hash',
    key: straightKeyCodec,
    value: straightFlowCodec,
    maxEntries: 32768,
    flags: 0,
    writer: 'datapath',
  } satisfies MapDefinition<StraightKey, StraightFlow, 'lru_hash'>,
  subnets: {
    name: 'subnets',
    type: 'lpm_trie',
    key: prefixKeyCodec,
    value: subnetCodec,
    maxEntries: 8192,
    flags: 1,
    writer: 'control',
  } satisfies MapDefinition<PrefixKey, Subnet, 'lpm_trie'>,
  traceSteps: {
    name: 'trace_steps',
    type: 'array',
    key: u32Codec,
    value: traceCodec,
    maxEntries: 1,
    flags: 0,
    writer: 'datapath',
  } satisfies MapDefinition<number, Trace, 'array'>,
  trusted: {
    name: 'trusted',
    type: 'hash',
    key: trustedKeyCodec,
    value: u32Codec,
    maxEntries: 16384,
    flags: 1,
    writer: 'control',
  } satisfies MapDefinition<TrustedKey, number, 'hash'>,
  uplinks: {
    name: 'uplinks',
    type: 'hash',
    key: u32Codec,
    value: uplinkCodec,
    maxEntries: 256,
    flags: 0,
    writer: 'control',
  } satisfies MapDefinition<number, Uplink, 'hash'>,
} as const;
