/** A prefix as bytes: of a v4-mapped address the length is 96 longer than written. */
export interface PrefixBytes {
  readonly address: Uint8Array;
  /** 0 to 128. */
  readonly prefixLength: number;
}

/** What REFs stand for on the wire: a packet's end matches when its address or its identity does. */
export interface Peers {
  readonly addresses: readonly Uint8Array[];
  readonly prefixes: readonly PrefixBytes[];
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
