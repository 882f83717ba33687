import type { HostOptions } from './simulated-host.ts';

/** A change that one host makes. */
export type Change =
  | { readonly kind: 'attach'; readonly network: string; readonly labels: Readonly<Record<string, string>> }
  | { readonly kind: 'detach'; readonly id: string }
  | { readonly kind: 'label'; readonly id: string; readonly set: Readonly<Record<string, string>> }
  | { readonly kind: 'apply'; readonly text: string }
  | { readonly kind: 'unapply'; readonly name: string; readonly namespace: string }
  | { readonly kind: 'network'; readonly name: string; readonly subnet: string }
  | { readonly kind: 'unnetwork'; readonly name: string };

/** A change that was made. */
export interface Made {
  /** Of the clock of `now`. */
  readonly began: number;
  readonly ended: number;
  /** What the journals note when it has arrived: see `Journal.arrivals`. */
  readonly name: string;
  /** The key of its record in etcd, below the prefix, which thin hosts note. */
  readonly record: string;
  /** Of the endpoint. */
  readonly id: string;
}

/** When, of the clock of `now`. */
export interface Arrivals {
  /** It was in the maps of each whole host. */
  readonly maps: readonly number[];
  /** Each thin host heard of it. */
  readonly heard: readonly number[];
}

export interface Usage {
  /** Bytes. */
  readonly memory: number;
  /** Of them, V8's heap. */
  readonly heap: number;
  /** Seconds. */
  readonly cpu: number;
  /** Lines that its hosts would have written into their logs since the last call. */
  readonly warnings: readonly string[];
}

/** What a process with hosts can be asked, and what it answers. */
export interface Requests {
  start: (
    host: Omit<HostOptions, 'warn'>,
    index: number,
  ) => Promise<{ readonly milliseconds: number; readonly known: number }>;
  startThin: (host: Omit<HostOptions, 'warn'>, index: number) => Promise<void>;
  /** Its thin hosts watch from now on: before, they would only hear what was told before anything is measured. */
  watchThin: () => Promise<void>;
  /** Each of its whole hosts attaches its endpoints from one up to another, one after the other. Gives how often one was refused, and asked for again. */
  fill: (from: number, to: number, networks: readonly string[]) => Promise<number>;
  fillThin: (host: number, count: number, networks: readonly string[]) => Promise<void>;
  /** Resolves when so many endpoints are in the maps of each of its whole hosts. */
  reach: (total: number, milliseconds: number) => Promise<void>;
  /** Whether changes are noted from now on. */
  note: (isOn: boolean) => Promise<void>;
  change: (host: number, change: Change) => Promise<Made>;
  arrivals: (made: Pick<Made, 'name' | 'record' | 'began'>, milliseconds: number) => Promise<Arrivals>;
  /** Of what the maps of each host say. */
  digests: () => Promise<string[]>;
  /** Milliseconds of each host's pass, and how many entries were not what they should be. */
  passes: (hosts: number) => Promise<{ readonly milliseconds: number; readonly repairs: number }[]>;
  /** @param collect garbage first: it takes as long as the heap is large */
  usage: (collect: boolean) => Promise<Usage>;
  stop: () => Promise<void>;
}

export type RequestName = keyof Requests;

export interface Request {
  readonly id: number;
  readonly name: RequestName;
  readonly parameters: readonly unknown[];
}

export interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

/** Those of a log's lines that are errors. A warning is of what is tried again: hosts that take addresses at one moment. */
export function errorsOf(lines: readonly string[]): string[] {
  return lines.filter((line) => line.includes('"level":50'));
}
