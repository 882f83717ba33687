/** Things that are found by any of their anchors. */
export class Anchored<Item> {
  readonly #byAnchor = new Map<string, Set<Item>>();

  add(item: Item, anchors: Iterable<string>): void {
    for (const anchor of anchors) {
      const items = this.#byAnchor.get(anchor);
      if (items === undefined) this.#byAnchor.set(anchor, new Set([item]));
      else items.add(item);
    }
  }

  remove(item: Item, anchors: Iterable<string>): void {
    for (const anchor of anchors) {
      const items = this.#byAnchor.get(anchor);
      if (items?.delete(item) && items.size === 0) this.#byAnchor.delete(anchor);
    }
  }

  get(anchor: string): ReadonlySet<Item> {
    return this.#byAnchor.get(anchor) ?? none;
  }

  /** Those of any of the anchors, each once. */
  *find(anchors: Iterable<string>): Generator<Item> {
    const seen = new Set<Item>();
    for (const anchor of anchors) {
      for (const item of this.#byAnchor.get(anchor) ?? none) {
        if (seen.has(item)) continue;
        seen.add(item);
        yield item;
      }
    }
  }
}

const none: ReadonlySet<never> = new Set();
