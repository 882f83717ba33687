import { remoteNumbers } from '../remotes/numbers.ts';
import type { PlacedRemote } from '../remotes/remote-table.ts';

/** Endpoints on other hosts that the compiler was told of. */
export class ToldRemotes {
  /** By number, less the first. */
  readonly #byNumber: (PlacedRemote | undefined)[] = [];
  readonly #numbers = new Map<string, number>();

  get(number: number): PlacedRemote | undefined {
    return this.#byNumber[number - remoteNumbers.first];
  }

  /** @param key `NODE/ID` */
  numberOf(key: string): number | undefined {
    return this.#numbers.get(key);
  }

  put(remote: PlacedRemote): void {
    this.drop(remote.number);
    this.#byNumber[remote.number - remoteNumbers.first] = remote;
    this.#numbers.set(remote.key, remote.number);
  }

  drop(number: number): void {
    const before = this.get(number);
    if (before) this.#byNumber[number - remoteNumbers.first] = undefined;
    if (before && this.#numbers.get(before.key) === number) this.#numbers.delete(before.key);
  }

  /** What it has not been told of these, and whom it knows though they are not among them: undefined. */
  untold(remotes: Iterable<PlacedRemote>): Map<number, PlacedRemote | undefined> {
    const untold = new Map<number, PlacedRemote | undefined>();
    const there: boolean[] = [];
    for (const remote of remotes) {
      there[remote.number - remoteNumbers.first] = true;
      const told = this.get(remote.number);
      if (told?.remote !== remote.remote || told.network !== remote.network) untold.set(remote.number, remote);
    }
    for (const told of this.#byNumber) {
      if (told && !there[told.number - remoteNumbers.first]) untold.set(told.number, undefined);
    }
    return untold;
  }
}
