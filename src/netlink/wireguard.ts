import { inetAddress } from '../loader/ffi/sockaddr.ts';
import { formatAddress } from '../model/address.ts';
import { defined } from './defined.ts';
import { genericHeaderSize, genericMessage } from './generic.ts';
import { addressOf } from './ip.ts';
import type { Request } from './message.ts';
import type { MessageWriter } from './message-writer.ts';
import type { Attributes, Payload } from './payload.ts';

/** `WG_CMD_*` and `WG*_A_*` of linux/wireguard.h. */
const Command = { GET_DEVICE: 0, SET_DEVICE: 1 } as const;
const Device = { IFINDEX: 1, PRIVATE_KEY: 3, PUBLIC_KEY: 4, LISTEN_PORT: 6, PEERS: 8 } as const;
const Peer = {
  PUBLIC_KEY: 1,
  FLAGS: 3,
  ENDPOINT: 4,
  KEEPALIVE: 5,
  LAST_HANDSHAKE: 6,
  RX_BYTES: 7,
  TX_BYTES: 8,
  ALLOWED_IPS: 9,
} as const;
const AllowedIp = { FAMILY: 1, ADDRESS: 2, MASK: 3 } as const;
const PeerFlag = { REMOVE: 1, REPLACE_ALLOWED_IPS: 2 } as const;

const inet6 = 10;
/** Peers of one message: an attribute has at most 64 KiB, and a peer with one address takes 136 bytes. */
const peersOfMessage = 200;

/** Whom a device talks to. Keys are base64, as everywhere that people see them. */
export interface WireguardPeer {
  readonly publicKey: string;
  readonly endpoint: { readonly address: Uint8Array; readonly port: number };
  /** The one IPv6 address that it may send from, and that leads to it: 16 bytes. */
  readonly allowed: Uint8Array;
  /** Seconds between signs of life. */
  readonly keepalive: number;
}

/** What to change of a device; what is absent stays. */
export interface WireguardChange {
  /** Base64. */
  readonly privateKey?: string;
  /** UDP port. A device that is up takes it at once, one that is down when it comes up. */
  readonly port?: number;
  readonly peers?: readonly (WireguardPeer | { readonly publicKey: string; readonly remove: true })[];
}

export interface ObservedPeer {
  readonly publicKey: string;
  /** Where it was heard last, or was said to be; `ADDRESS PORT`. */
  readonly endpoint?: string;
  readonly keepalive: number;
  /** Canonical, with prefix lengths. */
  readonly allowed: readonly string[];
  /** Milliseconds since 1970; 0: there was none. */
  readonly lastHandshake: number;
  readonly rxBytes: number;
  readonly txBytes: number;
}

export interface WireguardDevice {
  /** Absent: it has none. */
  readonly privateKey?: string;
  readonly publicKey?: string;
  readonly port: number;
  readonly peers: ReadonlyMap<string, ObservedPeer>;
}

/** What changes a device: more than one message where it has many peers, the first of which has all but the rest of them. */
export function setWireguard(family: number, ifindex: number, change: WireguardChange): Request[] {
  const { privateKey, port, peers = [] } = change;
  const requests: Request[] = [];
  for (let at = 0; at === 0 || at < peers.length; at += peersOfMessage) {
    const writer = genericMessage(Command.SET_DEVICE).attributeU32(Device.IFINDEX, ifindex);
    if (at === 0 && port !== undefined) writer.attributeU16(Device.LISTEN_PORT, port);
    if (at === 0 && privateKey !== undefined) writer.attribute(Device.PRIVATE_KEY, Buffer.from(privateKey, 'base64'));
    const some = peers.slice(at, at + peersOfMessage);
    if (some.length > 0) {
      writer.nested(Device.PEERS, (list) => {
        for (const peer of some) list.nested(0, (one) => writePeer(one, peer));
      });
    }
    const object = `WireGuard device ${ifindex}`;
    requests.push({ type: family, flags: 0, payload: writer.finish(), operation: 'configure', object });
  }
  return requests;
}

function writePeer(writer: MessageWriter, peer: NonNullable<WireguardChange['peers']>[number]): void {
  writer.attribute(Peer.PUBLIC_KEY, Buffer.from(peer.publicKey, 'base64'));
  if ('remove' in peer) {
    writer.attributeU32(Peer.FLAGS, PeerFlag.REMOVE);
    return;
  }
  writer.attributeU32(Peer.FLAGS, PeerFlag.REPLACE_ALLOWED_IPS);
  writer.attribute(Peer.ENDPOINT, inetAddress(peer.endpoint.address, peer.endpoint.port));
  writer.attributeU16(Peer.KEEPALIVE, peer.keepalive);
  writer.nested(Peer.ALLOWED_IPS, (list) => {
    list.nested(0, (one) => {
      one.attributeU16(AllowedIp.FAMILY, inet6).attribute(AllowedIp.ADDRESS, peer.allowed);
      one.attributeU8(AllowedIp.MASK, 128);
    });
  });
}

/** Asks for a device, as a dump: one of many peers comes in parts. */
export function getWireguard(family: number, ifindex: number): Request {
  const payload = genericMessage(Command.GET_DEVICE).attributeU32(Device.IFINDEX, ifindex).finish();
  return { type: family, flags: 0, payload, operation: 'read', object: `WireGuard device ${ifindex}` };
}

/** One part of the answer. */
export function decodeWireguard(payload: Payload): WireguardDevice {
  const attributes = payload.attributes(genericHeaderSize);
  const peers = new Map<string, ObservedPeer>();
  for (const [, peer] of attributes.nested(Device.PEERS) ?? []) {
    const decoded = decodePeer(peer.attributes());
    peers.set(decoded.publicKey, decoded);
  }
  return defined({
    privateKey: base64(attributes.bytes(Device.PRIVATE_KEY)),
    publicKey: base64(attributes.bytes(Device.PUBLIC_KEY)),
    port: attributes.get(Device.LISTEN_PORT)?.u16() ?? 0,
    peers,
  });
}

/** A peer that is cut in two comes again with what was left of its addresses, and nothing else. */
export function joinWireguard(parts: readonly WireguardDevice[]): WireguardDevice | undefined {
  const [first, ...rest] = parts;
  if (!first) return undefined;
  const peers = new Map(first.peers);
  for (const [key, peer] of rest.flatMap((part) => [...part.peers])) {
    const before = peers.get(key);
    peers.set(key, before ? { ...before, allowed: [...before.allowed, ...peer.allowed] } : peer);
  }
  return { ...first, peers };
}

function decodePeer(peer: Attributes): ObservedPeer {
  const allowed: string[] = [];
  for (const [, one] of peer.nested(Peer.ALLOWED_IPS) ?? []) {
    const attributes = one.attributes();
    const address = attributes.get(AllowedIp.ADDRESS);
    if (address) allowed.push(`${formatAddress(addressOf(address))}/${attributes.u8(AllowedIp.MASK)}`);
  }
  const handshake = peer.get(Peer.LAST_HANDSHAKE);
  return defined({
    publicKey: base64(peer.bytes(Peer.PUBLIC_KEY)) ?? '',
    endpoint: endpointOf(peer.get(Peer.ENDPOINT)),
    keepalive: peer.get(Peer.KEEPALIVE)?.u16() ?? 0,
    allowed,
    lastHandshake: handshake ? handshake.u64(0) * 1000 + Math.floor(handshake.u64(8) / 1e6) : 0,
    rxBytes: peer.get(Peer.RX_BYTES)?.u64() ?? 0,
    txBytes: peer.get(Peer.TX_BYTES)?.u64() ?? 0,
  });
}

/** `struct sockaddr_in` or `sockaddr_in6`. */
function endpointOf(sockaddr: Payload | undefined): string | undefined {
  if (!sockaddr) return undefined;
  const bytes = sockaddr.bytes();
  const is6 = sockaddr.u16() === inet6;
  const address = is6
    ? bytes.subarray(8, 24)
    : Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...bytes.subarray(4, 8));
  return endpointText(address, sockaddr.be16(2));
}

/** @param address 16 bytes, v4-mapped */
export function endpointText(address: Uint8Array, port: number): string {
  return `${formatAddress(address)} ${port}`;
}

function base64(bytes: Uint8Array | undefined): string | undefined {
  return bytes && Buffer.from(bytes).toString('base64');
}
