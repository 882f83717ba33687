/** Since when the store is away, and what follows from it. */
export class Outage {
  #since: number | undefined;
  #reason: string | undefined;

  /** @param reason absent: it is there */
  constructor(reason: string | undefined) {
    if (reason !== undefined) this.begin(reason);
  }

  get reason(): string | undefined {
    return this.#reason;
  }

  /** 0: it is there. */
  get milliseconds(): number {
    return this.#since === undefined ? 0 : performance.now() - this.#since;
  }

  /** The newest reason counts, and the first time. */
  begin(reason: string): void {
    this.#since ??= performance.now();
    this.#reason = reason;
  }

  end(): void {
    this.#since = undefined;
    this.#reason = undefined;
  }

  /** For `vetch status`. */
  lines(members: string): readonly string[] {
    if (this.#reason === undefined) return [];
    return [
      `the cluster's store (etcd at ${members}) is away for ${duration(this.milliseconds)}: ${this.#reason}: policies and ` +
        'namespaces cannot be changed, and nothing is heard of other hosts; what this host has goes on',
    ];
  }
}

function duration(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1_000);
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7_200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3_600)} h`;
}
