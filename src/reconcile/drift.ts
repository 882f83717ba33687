/** What somebody else undid and a pass repaired. */
export const driftKinds = ['map', 'device', 'filter', 'attachment', 'address', 'route', 'sysctl'] as const;

export type DriftKind = (typeof driftKinds)[number];

/** Repairs since the start, by what was repaired. The first pass counts nothing: it builds. */
export class Drift {
  readonly #counts = new Map<DriftKind, number>();

  add(kind: DriftKind, repairs = 1): void {
    if (repairs > 0) this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + repairs);
  }

  get total(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }

  get byKind(): Readonly<Partial<Record<DriftKind, number>>> {
    return Object.fromEntries(this.#counts);
  }
}
