import type { DockerBooks } from './books.ts';
import type { EngineView } from './read-engine.ts';

/** Milliseconds: what is younger than this may not be in the engine's books yet. */
const youth = 5_000;
/** A network that no engine has ever confirmed: its engine died while it made it. */
const unconfirmedYouth = 60_000;

/**
 * Finds what we hold for Docker and the engine has not: left by a death of either side. It goes when two looks in a row
 * have missed it. What belongs to another engine than the one that answers stays.
 */
export class Orphans {
  readonly #books: DockerBooks;
  #suspects = new Set<string>();

  constructor(books: DockerBooks) {
    this.#books = books;
  }

  get suspected(): boolean {
    return this.#suspects.size > 0;
  }

  /** What was missed before counts no more. */
  forget(): void {
    this.#suspects.clear();
  }

  /** @param asked when the look began. @returns how many objects were released */
  async release({ engine, endpoints }: EngineView, asked: number): Promise<number> {
    const missed = new Set<string>();
    let released = 0;
    for (const network of this.#books.networks()) {
      const known = endpoints.get(network.id);
      if (!known) {
        if (!(await this.#isOrphan(network.id, engine, asked - Date.parse(network.created)))) continue;
        missed.add(network.id);
        if (!this.#suspects.has(network.id)) continue;
        await this.#books.removeNetwork(network.id);
        released++;
        continue;
      }
      for (const endpoint of this.#books.endpointsOf(network.id)) {
        if (known.has(endpoint.id) || asked - Date.parse(endpoint.created) < youth) continue;
        missed.add(endpoint.id);
        if (!this.#suspects.has(endpoint.id)) continue;
        await this.#books.removeEndpoint(endpoint.id);
        released++;
      }
    }
    this.#suspects = missed;
    return released + (await this.#books.releaseUnused());
  }

  async #isOrphan(network: string, engine: string, age: number): Promise<boolean> {
    const owner = await this.#books.engineOf(network);
    if (owner !== undefined) return owner === engine && age > youth;
    return this.#books.endpointsOf(network).length === 0 && age > unconfirmedYouth;
  }
}
