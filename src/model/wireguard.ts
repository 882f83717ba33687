import { createHash } from 'node:crypto';

/** The public half of a host's key, as it tells it to the others. */
export interface PublishedKey {
  /** X25519, base64. */
  readonly publicKey: string;
  /** UDP port at its tunnel's address where packets for this key come in. */
  readonly port: number;
}

/** A key of this host. */
export interface OwnKey extends PublishedKey {
  /** X25519, base64. It never leaves the host. */
  readonly privateKey: string;
  /** Which of the host's two devices it is of: each new key is of the other one. */
  readonly slot: 0 | 1;
}

/** A host has two keys while it changes them, and never more. */
const keysOfHost = 2;

/**
 * Of what a host tells, the newest last, that which is keys. The kernel refuses all of a message with one that is none, and
 * knows each by its bytes: what is written in another way than we do would look like another key at every look.
 */
export function usableKeys(keys: readonly PublishedKey[]): readonly PublishedKey[] {
  return keys.filter(({ publicKey }) => isKey(publicKey)).slice(-keysOfHost);
}

function isKey(text: string): boolean {
  const bytes = Buffer.from(text, 'base64');
  return bytes.length === 32 && bytes.toString('base64') === text;
}

/**
 * The address that packets of a key have inside of WireGuard, 16 bytes: no host has it, and both ends compute it. It says who
 * has sent a packet, since WireGuard lets through none that another key has encrypted.
 */
export function innerAddress(publicKey: string): Uint8Array {
  const digest = createHash('sha256').update(Buffer.from(publicKey, 'base64')).digest();
  return Uint8Array.from([0xfd, ...digest.subarray(0, 15)]);
}
