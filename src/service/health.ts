/** Failures one after the other that make a backend unhealthy. One success makes it healthy. */
export const failuresToUnhealthy = 2;

/** What the checks of this host's backends have found. Who has not been checked is healthy. */
export class BackendHealth {
  /** Failures in a row, by service and endpoint. */
  readonly #failures = new Map<string, number>();

  /** @param unhealthy as `unhealthy` gave them */
  constructor(unhealthy: Iterable<string> = []) {
    for (const key of unhealthy) this.#failures.set(key, failuresToUnhealthy);
  }

  isHealthy(service: string, endpoint: string): boolean {
    return (this.#failures.get(keyOf(service, endpoint)) ?? 0) < failuresToUnhealthy;
  }

  /** @returns whether it is another now */
  note(service: string, endpoint: string, success: boolean): boolean {
    const before = this.isHealthy(service, endpoint);
    const key = keyOf(service, endpoint);
    if (success) this.#failures.delete(key);
    else this.#failures.set(key, Math.min(failuresToUnhealthy, (this.#failures.get(key) ?? 0) + 1));
    return this.isHealthy(service, endpoint) !== before;
  }

  /** Forgets whom `isBackend` does not know. */
  keep(isBackend: (service: string, endpoint: string) => boolean): void {
    for (const key of this.#failures.keys()) {
      const [service = '', endpoint = ''] = key.split(' ');
      if (!isBackend(service, endpoint)) this.#failures.delete(key);
    }
  }

  /** For the next daemon. */
  get unhealthy(): string[] {
    return [...this.#failures].filter(([, failures]) => failures >= failuresToUnhealthy).map(([key]) => key);
  }
}

function keyOf(service: string, endpoint: string): string {
  return `${service} ${endpoint}`;
}
