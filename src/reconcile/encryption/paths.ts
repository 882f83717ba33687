import { innerAddress, type OwnKey, type PublishedKey } from '../../model/wireguard.ts';
import type { NodeCrypt } from '../remotes/remote-table.ts';

/** One of this host's keys and the device that has it. */
export interface KeyedDevice {
  readonly key: OwnKey;
  readonly ifindex: number;
}

/** How packets get to another host. */
export interface EncryptedPath {
  readonly from: KeyedDevice;
  readonly to: PublishedKey;
}

/** Whether the holders of two keys have agreed upon a session. */
export type Agreed = (device: KeyedDevice, other: PublishedKey) => boolean;

/**
 * The newest keys by which both ends have agreed upon a session; the oldest where they have not yet, so that nothing is sent by
 * a key that the other end may not know. Keys that are going stay of use until they have gone.
 *
 * @param devices of this host, the newest last; @param keys of the other one, likewise
 */
export function pathBetween(
  devices: readonly KeyedDevice[],
  keys: readonly PublishedKey[],
  agreed: Agreed,
): EncryptedPath | undefined {
  for (const to of keys.toReversed()) {
    for (const from of devices.toReversed()) if (agreed(from, to)) return { from, to };
  }
  const [from, to] = [devices[0], keys[0]];
  return from && to && { from, to };
}

/** @param keys of the other host: by any of them it may send */
export function nodeCrypt(path: EncryptedPath | undefined, keys: readonly PublishedKey[]): NodeCrypt {
  if (!path) return {};
  const other = keys.find(({ publicKey }) => publicKey !== path.to.publicKey);
  return {
    to: innerAddress(path.to.publicKey),
    from: innerAddress(path.from.key.publicKey),
    ifindex: path.from.ifindex,
    ...(other ? { also: innerAddress(other.publicKey) } : {}),
  };
}
