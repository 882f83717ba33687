import { settleText } from '../settle-text.ts';

/** The last change of each key that is there. By parts, so that records' keys are the same texts as their view's. */
export class Revisions {
  /** By what comes before the first slash, with it, and by what comes after. */
  readonly #parts = new Map<string, Map<string, number>>();

  get(key: string): number | undefined {
    const at = key.indexOf('/') + 1;
    return this.#parts.get(key.slice(0, at))?.get(key.slice(at));
  }

  set(key: string, revision: number): void {
    const at = key.indexOf('/') + 1;
    const rest = key.slice(at);
    const before = this.#parts.get(key.slice(0, at));
    settleText(rest);
    if (before) before.set(rest, revision);
    else this.#parts.set(key.slice(0, at), new Map([[rest, revision]]));
  }

  delete(key: string): void {
    const at = key.indexOf('/') + 1;
    this.#parts.get(key.slice(0, at))?.delete(key.slice(at));
  }

  *keys(): Generator<string> {
    for (const [part, revisions] of this.#parts) for (const rest of revisions.keys()) yield part + rest;
  }
}
