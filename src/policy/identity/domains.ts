/** The patterns in use. */
export class DomainTable {
  readonly #users = new Map<string, number>();

  /** One more use. True when it is the first. */
  add(pattern: string): boolean {
    const users = this.#users.get(pattern) ?? 0;
    this.#users.set(pattern, users + 1);
    return users === 0;
  }

  /** One use fewer. True when it was the last. */
  remove(pattern: string): boolean {
    const users = this.#users.get(pattern) ?? 0;
    if (users > 1) this.#users.set(pattern, users - 1);
    else this.#users.delete(pattern);
    return users === 1;
  }

  /** Those that are for one of the names, in one order. */
  matching(names: Iterable<string>): readonly string[] {
    const found = new Set<string>();
    for (const name of names) for (const pattern of patternsFor(name)) if (this.#users.has(pattern)) found.add(pattern);
    return [...found].sort();
  }
}

/** All patterns that are for a name. */
function* patternsFor(name: string): Generator<string> {
  yield name;
  for (let dot = name.indexOf('.'); dot !== -1; dot = name.indexOf('.', dot + 1)) yield `*${name.slice(dot)}`;
}
