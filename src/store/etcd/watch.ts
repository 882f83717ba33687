import type { EtcdClient } from './client.ts';
import { AwayError } from './failure.ts';
import { endOf, methods, type WatchResponse } from './protocol.ts';
import type { KeyEvent } from './replica.ts';

/** What was to be watched from is compacted away: only a fresh snapshot shows what has happened since. */
export class PlaceLost extends Error {
  override readonly name = 'PlaceLost';
}

export interface WatchOptions {
  readonly prefix: string;
  /** First revision that is not known. */
  readonly from: number;
  /** The watch stands. */
  readonly onStart: () => void;
  /** All changes up to `position`; what one transaction changed is never divided. */
  readonly onChanges: (events: readonly KeyEvent[], position: number) => void;
  readonly signal: AbortSignal;
}

/**
 * Watches all keys below a prefix until that ends, for whatever reason.
 *
 * @throws PlaceLost; VetchError UNAVAILABLE, CallFailure: the watch is broken, and what follows is seen by another one
 */
export async function watch(client: EtcdClient, options: WatchOptions): Promise<never> {
  const { stream, member } = await client.stream(methods.watch);
  let heard = performance.now();
  const { ping, silence } = client.times;
  let timer: NodeJS.Timeout | undefined;
  const reader = new ResponseReader(options);
  try {
    return await new Promise<never>((_, reject) => {
      if (options.signal.aborted) reject(new AwayError('closed'));
      options.signal.addEventListener('abort', () => reject(new AwayError('closed')), { once: true });
      stream.on('error', reject);
      stream.on('end', () => reject(new AwayError(`${client.endpoint} ended the watch`)));
      stream.on('data', (response: WatchResponse) => {
        heard = performance.now();
        try {
          reader.read(response);
        } catch (error) {
          reject(error);
        }
      });
      timer = setInterval(() => {
        if (performance.now() - heard > silence) reject(new AwayError(`${client.endpoint} is silent`));
        else stream.write({ progressRequest: {} });
      }, ping);
      const key = Buffer.from(`${options.prefix}/`);
      const rangeEnd = endOf(`${options.prefix}/`);
      stream.write({
        createRequest: { key, rangeEnd, startRevision: options.from, progressNotify: true, fragment: true },
      });
    });
  } catch (error) {
    if (!(error instanceof PlaceLost) && !options.signal.aborted) client.leave(member);
    throw error;
  } finally {
    clearInterval(timer);
    stream.cancel();
  }
}

class ResponseReader {
  readonly #options: WatchOptions;
  readonly #prefixLength: number;
  /** Of a revision whose last fragment has not come. */
  #fragments: KeyEvent[] = [];
  #watchId: string | undefined;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#prefixLength = options.prefix.length + 1;
  }

  read(response: WatchResponse): void {
    if (response.canceled) throw this.#end(response);
    if (response.created) {
      this.#watchId = response.watchId;
      this.#options.onStart();
      return;
    }
    // The answer to a question of ours is no position: etcd before 3.4.25 and 3.5.8 gives it ahead of events (#15220).
    if (response.watchId !== this.#watchId) return;
    for (const { type, kv } of response.events) {
      const key = kv.key.toString().slice(this.#prefixLength);
      const revision = Number(kv.modRevision);
      this.#fragments.push(type === 'PUT' ? { key, revision, text: kv.value.toString() } : { key, revision });
    }
    if (response.fragment) return;
    const events = this.#fragments;
    this.#fragments = [];
    // With events the header may be ahead of them: a watch that catches up gets them in portions.
    this.#options.onChanges(events, events.at(-1)?.revision ?? Number(response.header.revision));
  }

  #end({ compactRevision, cancelReason }: WatchResponse): Error {
    if (Number(compactRevision) > 0) return new PlaceLost(`compacted up to ${compactRevision}`);
    return new AwayError(`etcd ended the watch: ${cancelReason}`);
  }
}
