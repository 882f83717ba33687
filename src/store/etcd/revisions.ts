import type { ClusterRecords } from '../../model/cluster.ts';
import { splitKey } from './keys.ts';

/** A key in two. Of one that is no record's `kind` is empty. */
export interface SplitKey {
  readonly kind: keyof ClusterRecords | '';
  readonly key: string;
}

/** The last change of each key that is there. By kinds, so that records' keys are the same texts as their view's. */
export class Revisions {
  readonly #kinds = new Map<string, Map<string, number>>();

  get({ kind, key }: SplitKey): number | undefined {
    return this.#kinds.get(kind)?.get(key);
  }

  set({ kind, key }: SplitKey, revision: number): void {
    const revisions = this.#kinds.get(kind);
    if (revisions) revisions.set(key, revision);
    else this.#kinds.set(kind, new Map([[key, revision]]));
  }

  delete({ kind, key }: SplitKey): void {
    this.#kinds.get(kind)?.delete(key);
  }

  /** They mean nothing from now on: any is later. */
  restart(): void {
    for (const revisions of this.#kinds.values()) for (const key of revisions.keys()) revisions.set(key, 0);
  }

  *keys(): Generator<string> {
    for (const [kind, revisions] of this.#kinds) {
      for (const key of revisions.keys()) yield kind === '' ? key : `${kind}/${key}`;
    }
  }
}

export function splitOf(key: string): SplitKey {
  return splitKey(key) ?? { kind: '', key };
}
