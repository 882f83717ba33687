/**
 * What has to be taken back if the rest of an operation fails: newest first.
 *
 * Use it with `await using`: unless {@link UndoStack.commit} was called, leaving the scope undoes everything.
 */
export class UndoStack implements AsyncDisposable {
  readonly #undos: { readonly what: string; readonly undo: () => void | Promise<void> }[] = [];
  readonly #report: (what: string, error: unknown) => void;

  /** @param report told of each undo that failed itself; the others are still tried */
  constructor(report: (what: string, error: unknown) => void) {
    this.#report = report;
  }

  /** @param what for the report: `remove the veth vt0123` */
  push(what: string, undo: () => void | Promise<void>): void {
    this.#undos.push({ what, undo });
  }

  /** All went well: nothing is undone any more. */
  commit(): void {
    this.#undos.length = 0;
  }

  /** Takes everything over into a stack of the caller's; this one has nothing to undo any more. */
  move(): UndoStack {
    const moved = new UndoStack(this.#report);
    moved.#undos.push(...this.#undos.splice(0));
    return moved;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (let next = this.#undos.pop(); next; next = this.#undos.pop()) {
      try {
        await next.undo();
      } catch (error) {
        this.#report(next.what, error);
      }
    }
  }
}
