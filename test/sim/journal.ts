import { configCodec } from '../../src/maps/generated/abi.ts';
import { keyText } from '../../src/reconcile/entry.ts';
import type { MemoryHost } from './memory-host.ts';

/** Maps whose entries are noted. */
const noted = ['endpoints', 'subnets'] as const;

/** Stands for: other policy counts from here on. */
export const policyTurned = 'policy';

/** Milliseconds of a clock that all processes share. */
export function now(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** What an entry is called: it is noted when it is written, and when it is deleted. */
export function entryName(map: (typeof noted)[number], key: Uint8Array): string {
  return `${map} ${keyText(key)}`;
}

/** When what happened last on each of some hosts. */
export class Journal {
  /** By name, and by the host's index. */
  readonly #stamps = new Map<string, number[]>();
  readonly #watches = new Map<string, () => void>();
  readonly #hosts = new Set<number>();
  isOn = false;

  /** @param index of the host */
  add(index: number): void {
    this.#hosts.add(index);
  }

  clear(): void {
    this.#stamps.clear();
  }

  note(host: number, name: string): void {
    if (!this.isOn) return;
    const stamps = this.#stamps.get(name) ?? [];
    this.#stamps.set(name, stamps);
    stamps[host] = now();
    this.#watches.get(name)?.();
  }

  /** When it happened on each host, each time not before `since`. @throws Error which hosts lack it */
  async arrivals(name: string, since: number, milliseconds: number): Promise<number[]> {
    const missing = () => [...this.#hosts].filter((host) => !((this.#stamps.get(name)?.[host] ?? 0) >= since));
    const late = now() + milliseconds;
    while (missing().length > 0) {
      if (now() > late) throw new Error(`${Buffer.from(name, 'latin1').toString('hex')} is not on ${missing()}`);
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, 1_000);
      this.#watches.set(name, resolve);
      await promise;
      clearTimeout(timer);
    }
    const stamps = this.#stamps.get(name) ?? [];
    return [...this.#hosts].map((host) => stamps[host] ?? 0);
  }
}

/** Notes what is written into a host's maps. */
export function noteMaps(journal: Journal, index: number, { maps }: MemoryHost): void {
  journal.add(index);
  for (const map of noted) maps[map].raw.written = (key) => journal.note(index, entryName(map, key));
  let parity = -1;
  maps.config.raw.written = (_, value) => {
    const next = value ? configCodec.decode(value).generation & 1 : 0;
    if (next !== parity) journal.note(index, policyTurned);
    parity = next;
  };
}
