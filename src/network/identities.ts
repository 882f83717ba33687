import { VetchError } from '../api/error.ts';
import { IntervalSet } from './interval-set.ts';

type Labels = Readonly<Record<string, string>>;

/** `enum identity` (bpf/abi/types.h): below it they are reserved for the host, the world and other nodes. */
export const firstIdentity = 256;
const lastIdentity = 0xffff;

interface Entry {
  readonly identity: number;
  readonly labels: Labels;
  users: number;
}

/** One number for each distinct set of labels in use: replicas share theirs. Written by the control plane alone. */
export class IdentityTable {
  readonly #byLabels = new Map<string, Entry>();
  readonly #taken = new IntervalSet();

  /** The identity of these labels, the lowest free one for a new set. Does not take it. @throws VetchError MAP_FULL */
  identify(labels: Labels): number {
    const known = this.#byLabels.get(keyOf(labels));
    if (known !== undefined) return known.identity;
    const free = this.#taken.lowestFree(BigInt(firstIdentity), BigInt(lastIdentity));
    if (free !== undefined) return Number(free);
    throw new VetchError(
      'MAP_FULL',
      `this host has ${lastIdentity - firstIdentity + 1} identities, which is as many as it can have`,
      'give replicas the same labels: each distinct set of labels is one identity',
    );
  }

  /** One more endpoint has this identity: as planned, or as it was stored. */
  take(labels: Labels, identity: number): void {
    const entry = this.#byLabels.get(keyOf(labels));
    if (entry !== undefined) {
      entry.users++;
      return;
    }
    this.#byLabels.set(keyOf(labels), { identity, labels, users: 1 });
    this.#taken.add(BigInt(identity));
  }

  /** One endpoint fewer; the last one gives the number back. */
  release(labels: Labels): void {
    const entry = this.#byLabels.get(keyOf(labels));
    if (entry === undefined || --entry.users > 0) return;
    this.#byLabels.delete(keyOf(labels));
    this.#taken.remove(BigInt(entry.identity));
  }

  /** In the order of their numbers. */
  entries(): { readonly identity: number; readonly labels: Labels }[] {
    return [...this.#byLabels.values()]
      .map(({ identity, labels }) => ({ identity, labels }))
      .sort((a, b) => a.identity - b.identity);
  }
}

function keyOf(labels: Labels): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}
