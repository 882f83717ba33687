import { setTimeout as sleep } from 'node:timers/promises';
import type { DockerBooks } from './books.ts';
import type { EngineClient, EngineEvent } from './engine-client.ts';
import { Orphans } from './orphans.ts';
import { readEngine, takeStarted } from './read-engine.ts';

/** Milliseconds: what comes in swarms is answered once. */
const settle = 50;
/** Between two looks at the whole engine, which nothing has asked for. */
const interval = 60_000;
/** Between the two looks after which something that the engine does not have is released. */
const confirmation = 3_000;
const [firstRetry, lastRetry] = [500, 10_000];

export interface FollowerOptions {
  readonly client: EngineClient;
  readonly books: DockerBooks;
  readonly failed: (what: string, error: unknown) => void;
  readonly log: (what: string, facts: Readonly<Record<string, unknown>>) => void;
}

/**
 * Follows an engine for as long as there is one: names and labels of its networks and containers, live; and after each
 * time that it was away, what it has forgotten. Never asks while a call of the engine's waits for the answer: those that
 * change something do not know of this.
 */
export class EngineFollower implements AsyncDisposable {
  readonly #options: FollowerOptions;
  readonly #stop = new AbortController();
  readonly #orphans: Orphans;
  readonly #running: Promise<void>;
  #dirty = false;
  /** Milliseconds until the engine is asked again, once it has gone. */
  #retry = firstRetry;
  #wake: (() => void) | undefined;

  constructor(options: FollowerOptions) {
    this.#options = options;
    this.#orphans = new Orphans(options.books);
    this.#running = this.#follow();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#wake?.();
    await this.#running;
  }

  async #follow(): Promise<void> {
    const { signal } = this.#stop;
    let reported = false;
    while (!signal.aborted) {
      const connection = new AbortController();
      const end = () => connection.abort();
      signal.addEventListener('abort', end);
      const looking = this.#look(connection.signal);
      try {
        for await (const event of this.#options.client.events(connection.signal)) {
          reported = false;
          if (event.Type === 'container' && event.Action === 'start') this.#started(event.Actor.ID);
          if (concernsUs(event)) this.#touch();
        }
      } catch (error) {
        // An engine that is away, or not there at all, is no failure; it is said once.
        if (!signal.aborted && !reported) this.#options.log('the engine does not answer', { reason: String(error) });
        reported = true;
      }
      connection.abort();
      this.#wake?.();
      await looking;
      signal.removeEventListener('abort', end);
      await sleep(this.#retry, undefined, { signal }).catch(() => undefined);
      this.#retry = Math.min(lastRetry, this.#retry * 2);
    }
  }

  /** The next look makes good for what fails. */
  #started(id: string): void {
    const { client, books } = this.#options;
    takeStarted(client, books, id).catch((error) => {
      if (!this.#stop.signal.aborted) this.#options.failed('look at a container that was started', error);
    });
  }

  #touch(): void {
    this.#dirty = true;
    this.#wake?.();
  }

  /** Looks at the engine at once, whenever something has happened, twice after a while away, and now and then. */
  async #look(signal: AbortSignal): Promise<void> {
    this.#orphans.forget();
    let looks = 0;
    while (!signal.aborted) {
      this.#dirty = false;
      try {
        const asked = Date.now();
        const seen = await readEngine(this.#options.client, this.#options.books);
        if (signal.aborted) return;
        const released = await this.#orphans.release(seen, asked);
        if (released > 0) this.#options.log('released what the engine had forgotten', { objects: released });
        looks++;
        this.#retry = firstRetry;
      } catch (error) {
        if (looks > 0 && !signal.aborted) this.#options.failed('look at the engine', error);
      }
      if (signal.aborted) return;
      await this.#rest(looks < 2 || this.#orphans.suspected ? confirmation : interval, signal);
      await sleep(settle, undefined, { signal }).catch(() => undefined);
    }
  }

  async #rest(milliseconds: number, signal: AbortSignal): Promise<void> {
    if (this.#dirty || signal.aborted) return;
    const timer = new AbortController();
    await Promise.race([
      sleep(milliseconds, undefined, { signal: timer.signal }).catch(() => undefined),
      new Promise<void>((resolve) => {
        this.#wake = resolve;
      }),
    ]);
    this.#wake = undefined;
    timer.abort();
  }
}

const concerned = new Set(['create', 'destroy', 'connect', 'disconnect', 'rename', 'start', 'die']);

function concernsUs({ Type, Action }: EngineEvent): boolean {
  return (Type === 'network' || Type === 'container') && concerned.has(Action);
}
