import type { Prefix } from '../model/address.ts';

/** What REFs stand for on the wire: a packet's end matches when its address or its identity does. */
export interface Peers {
  readonly addresses: readonly Uint8Array[];
  readonly prefixes: readonly Prefix[];
  /** Policy identities, as that of `world`. */
  readonly identities: readonly number[];
}

export const nobody: Peers = { addresses: [], prefixes: [], identities: [] };

/** All that several sets hold. */
export function joinPeers(sets: readonly Peers[]): Peers {
  return {
    addresses: sets.flatMap((set) => set.addresses),
    prefixes: sets.flatMap((set) => set.prefixes),
    identities: sets.flatMap((set) => set.identities),
  };
}

/** What filters ask about the names in them; each call may throw a VetchError. */
export interface RefNames {
  /** Everything that REFs stand for now. @throws {VetchError} NOT_FOUND, INVALID */
  peers(refs: readonly string[]): Peers;
  /** Numbers of networks named. @throws {VetchError} NOT_FOUND, INVALID */
  networks(refs: readonly string[]): readonly number[];
}
