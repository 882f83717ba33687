import { type ClientRequest, request } from 'node:http';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { FlowView } from '../../src/api/schemas/flow.ts';
import type { Host } from '../lab/host.ts';

/** Addresses and ports of a flow as its sender has them; those of an echo mean nothing. */
export interface Tuple {
  readonly protocol: string;
  readonly source: { readonly ip: string; readonly port: number | null };
  readonly destination: { readonly ip: string; readonly port: number | null };
}

function keyOf({ protocol, source, destination }: Tuple): string {
  if (protocol.startsWith('icmp')) return `icmp ${source.ip} ${destination.ip}`;
  return `${protocol} ${source.ip} ${source.port} ${destination.ip} ${destination.port}`;
}

/** Reasons by which a policy, or the border of a network, denies. */
const denials: readonly (string | null)[] = ['POLICY_DENIED', 'ISOLATED'];

/** What was seen of one flow. */
export interface Seen {
  readonly drop?: FlowView;
  /** It passed, and would not, were its policy enforced. */
  readonly audit?: FlowView;
  /** It was dropped for what is no permission. */
  readonly accident?: FlowView;
}

/** Follows the flow events of what did not pass, or would not, and keeps them by flow. */
export class EventWatch implements Disposable {
  readonly #request: ClientRequest;
  readonly #seen = new Map<string, Seen>();
  #failure: Error | undefined;
  #wake: () => void = () => {};

  private constructor(sent: ClientRequest) {
    this.#request = sent;
  }

  /** @param cause makes an event: the answer begins with the first one. */
  static async start(host: Host, cause: () => Promise<unknown>): Promise<EventWatch> {
    const socketPath = `/proc/${host.place.holder}/root${host.socket}`;
    const sent = request({ agent: false, socketPath, path: '/v1/flows?follow=true&not.verdict=FORWARDED' });
    const watch = new EventWatch(sent);
    const answered = new Promise<void>((resolve, reject) => {
      sent.on('error', (error) => {
        watch.#failure = error;
        reject(error);
      });
      sent.once('response', (response) => {
        if (response.statusCode !== 200) reject(new Error(`flows answered ${response.statusCode}`));
        response.on('error', (error) => {
          watch.#failure = error;
        });
        createInterface({ input: response })
          .on('line', (line) => watch.#take(line))
          .on('error', () => {}); // the response's own
        resolve();
      });
    });
    sent.end();
    for (let attempt = 0; attempt < 10; attempt++) {
      await cause();
      if (await Promise.race([answered.then(() => true), delay(500, false)])) return watch;
    }
    sent.destroy();
    throw new Error('no flow event was told');
  }

  /** Forgets what was seen. */
  clear(): void {
    this.#seen.clear();
  }

  get(flow: Tuple): Seen {
    return this.#seen.get(keyOf(flow)) ?? {};
  }

  /** Waits until of each flow such an event was seen, at most so long. @throws Error when the stream broke off */
  async until(flows: readonly Tuple[], kind: keyof Seen, milliseconds: number): Promise<void> {
    const late = Date.now() + milliseconds;
    while (flows.some((flow) => !this.get(flow)[kind]) && Date.now() < late) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 20);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    if (this.#failure) throw this.#failure;
  }

  [Symbol.dispose](): void {
    this.#request.destroy();
  }

  #take(line: string): void {
    const flow = JSON.parse(line) as FlowView;
    const key = keyOf(flow);
    const kind = flow.verdict === 'AUDIT' ? 'audit' : denials.includes(flow.reason) ? 'drop' : 'accident';
    this.#seen.set(key, { ...this.#seen.get(key), [kind]: flow });
    this.#wake();
  }
}
