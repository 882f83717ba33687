/** Gives one and the same thing for equal ones, so that what many records say lies in memory once. */
export class Interner<Thing> {
  readonly #known = new Map<string, Thing>();
  readonly #most: number;

  /** @param most that it remembers; what comes when it is full begins anew */
  constructor(most: number) {
    this.#most = most;
  }

  /** @param thing which nobody changes. @param text of it: equal things have equal ones */
  one(thing: Thing, text: string): Thing {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    if (this.#known.size >= this.#most) this.#known.clear();
    this.#known.set(text, thing);
    return thing;
  }
}
