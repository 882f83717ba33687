import type { PlacedRemote } from '../remotes/remote-table.ts';

/** Endpoints on other hosts that the compiler was told of. */
export class ToldRemotes {
  readonly #byNumber = new Map<number, PlacedRemote>();
  readonly #numbers = new Map<string, number>();

  get(number: number): PlacedRemote | undefined {
    return this.#byNumber.get(number);
  }

  /** @param key `NODE/ID` */
  numberOf(key: string): number | undefined {
    return this.#numbers.get(key);
  }

  put(remote: PlacedRemote): void {
    this.drop(remote.number);
    this.#byNumber.set(remote.number, remote);
    this.#numbers.set(remote.key, remote.number);
  }

  drop(number: number): void {
    const before = this.#byNumber.get(number);
    this.#byNumber.delete(number);
    if (before && this.#numbers.get(before.key) === number) this.#numbers.delete(before.key);
  }

  /** What it has not been told of these, and whom it knows though they are not among them: undefined. */
  untold(remotes: Iterable<PlacedRemote>): Map<number, PlacedRemote | undefined> {
    const untold = new Map<number, PlacedRemote | undefined>();
    const there = new Set<number>();
    for (const remote of remotes) {
      there.add(remote.number);
      const told = this.#byNumber.get(remote.number);
      if (told?.remote !== remote.remote || told.network !== remote.network) untold.set(remote.number, remote);
    }
    for (const number of this.#byNumber.keys()) if (!there.has(number)) untold.set(number, undefined);
    return untold;
  }
}
