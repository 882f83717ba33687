import { Anchored } from './anchored.ts';
import { anchorsOf, type Term, type TermSpec, termKey } from './term.ts';

/** The terms in use, found by what a profile has. */
export class TermTable {
  readonly #byKey = new Map<string, Term>();
  readonly #anchored = new Anchored<Term>();
  readonly #users = new Map<Term, number>();
  /** Terms that have not been matched with the profiles yet. */
  readonly fresh = new Set<Term>();

  /** One more use of a term. */
  take(spec: TermSpec): Term {
    const key = termKey(spec);
    const known = this.#byKey.get(key);
    if (known !== undefined) {
      this.#users.set(known, (this.#users.get(known) ?? 0) + 1);
      return known;
    }
    const term: Term = { key, spec, members: new Set(), subjectOf: new Set(), peerOf: new Set() };
    this.#byKey.set(key, term);
    this.#users.set(term, 1);
    this.#anchored.add(term, anchorsOf(spec));
    this.fresh.add(term);
    return term;
  }

  /** One use fewer; nobody matches a term without any. */
  release(term: Term): void {
    const users = (this.#users.get(term) ?? 0) - 1;
    if (users > 0) {
      this.#users.set(term, users);
      return;
    }
    this.#users.delete(term);
    this.#byKey.delete(term.key);
    this.fresh.delete(term);
    this.#anchored.remove(term, anchorsOf(term.spec));
    for (const profile of term.members) profile.terms.delete(term);
    term.members.clear();
  }

  /** Terms that a profile with these anchors may match. */
  candidates(anchors: readonly string[]): Iterable<Term> {
    return this.#anchored.find(anchors);
  }
}
