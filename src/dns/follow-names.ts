import { setTimeout as delay } from 'node:timers/promises';
import { type NameEvent, nameEvent } from '../api/schemas/names.ts';
import { Names } from './names.ts';

export interface FollowOptions {
  /** What the daemon tells; ends or throws when it goes away. */
  readonly follow: () => AsyncIterable<unknown>;
  /** Everything has been told anew. */
  readonly replaced: (names: Names) => void;
  /** The names that were told have changed in place; `networks`: a network is new, changed or gone. */
  readonly changed: (networks: boolean) => void;
  /** The daemon has come or gone; `why` it is not there. */
  readonly connected: (follows: boolean, why: string) => void;
  readonly signal: AbortSignal;
  /** Milliseconds until the daemon is looked for again. Default: 500. */
  readonly retryMs?: number;
}

/** Learns the names from the daemon for as long as it runs. What was learnt stays while it does not. */
export async function followNames(options: FollowOptions): Promise<void> {
  const { signal, connected, retryMs = 500 } = options;
  while (!signal.aborted) {
    const why = await once(options).catch((error: unknown) => (error instanceof Error ? error.message : String(error)));
    if (signal.aborted) return;
    connected(false, why);
    await delay(retryMs, undefined, { signal }).catch(() => {});
  }
}

/** Gives why it ended. */
async function once({ follow, replaced, changed, connected, signal }: FollowOptions): Promise<string> {
  const names = new Names();
  let synced = false;
  for await (const line of follow()) {
    if (signal.aborted) return 'stopped';
    // A newer daemon may tell more than we understand
    const parsed = nameEvent.safeParse(line);
    if (!parsed.success) continue;
    const event: NameEvent = parsed.data;
    const touchesNetworks = event.event === 'network' || (event.event === 'removed' && names.hasNetwork(event.id));
    names.apply(event);
    if (synced) changed(touchesNetworks);
    else if (event.event === 'synced') {
      synced = true;
      replaced(names);
      connected(true, '');
    }
  }
  return 'the daemon ended the stream';
}
