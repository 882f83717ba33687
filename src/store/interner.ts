/** Gives one and the same string for equal ones, so that what many records say lies in memory once. */
export class Interner {
  readonly #known = new Map<string, string>();
  readonly #most: number;

  /** @param most that it remembers; what comes when it is full begins anew */
  constructor(most: number) {
    this.#most = most;
  }

  one(text: string): string {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    if (this.#known.size >= this.#most) this.#known.clear();
    this.#known.set(text, text);
    return text;
  }
}
