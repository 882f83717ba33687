import { type Exchange, exchangeByTcp, exchangeByUdp } from './exchange.ts';
import { Limiter } from './limiter.ts';
import type { Query } from './query.ts';
import { isTruncated, rcode, rcodeOf } from './reply.ts';
import type { Upstream } from './resolv-conf.ts';

export type Transport = 'udp' | 'tcp';

export interface ForwarderOptions {
  /** Asked anew for each question. */
  readonly upstreams: () => readonly Upstream[];
  readonly byUdp?: Exchange;
  readonly byTcp?: Exchange;
  /** Milliseconds for one try; three are made, in less than the 5 s that glibc waits. Default: 1500. */
  readonly tryMs?: number;
  /** Questions on their way: in all, and of one address. Default: 1024 and 64. */
  readonly most?: { readonly total: number; readonly each: number };
}

/** An address' share is a sixteenth: 64 in 4.5 s, the longest that a question takes to be answered, while no server answers. */
const mostForwarded = { total: 1024, each: 64 };
const tries = 3;

/** `overload`: too many are on their way already; `failed`: nobody answered. */
export type Forwarded = { readonly reply: Buffer } | 'overload' | 'failed';

/** Hands questions on to the servers that the host itself asks, and answers back as they come. */
export class Forwarder {
  readonly #upstreams: () => readonly Upstream[];
  readonly #byUdp: Exchange;
  readonly #byTcp: Exchange;
  readonly #tryMs: number;
  readonly #limiter: Limiter;

  constructor(options: ForwarderOptions) {
    const { total, each } = options.most ?? mostForwarded;
    this.#upstreams = options.upstreams;
    this.#byUdp = options.byUdp ?? exchangeByUdp;
    this.#byTcp = options.byTcp ?? exchangeByTcp;
    this.#tryMs = options.tryMs ?? 1500;
    this.#limiter = new Limiter(total, each);
  }

  /** How many questions are on their way. */
  get running(): number {
    return this.#limiter.running;
  }

  /**
   * A cut answer goes back to who asked by UDP, who asks again by TCP; for who asked by TCP it is fetched by TCP.
   *
   * @param source the asker's address
   * @param before what is done before an answer is given: until then its question is on its way
   */
  async forward(
    query: Query,
    source: string,
    transport: Transport,
    before?: (reply: Buffer) => Promise<void>,
  ): Promise<Forwarded> {
    const leave = this.#limiter.enter(source);
    if (!leave) return 'overload';
    try {
      const forwarded = await this.#ask(query, transport);
      if (typeof forwarded !== 'string') await before?.(forwarded.reply);
      return forwarded;
    } finally {
      leave();
    }
  }

  /** One after the other, and again from the first. A server that cannot answer does not speak for the next. */
  async #ask(query: Query, transport: Transport): Promise<Forwarded> {
    const upstreams = this.#upstreams();
    const helpless = new Map<Upstream, Buffer>();
    for (let turn = 0; turn < tries; turn++) {
      const upstream = upstreams[turn % upstreams.length];
      if (!upstream || helpless.has(upstream)) break;
      const reply = await this.#exchange(query, upstream, transport).catch(() => undefined);
      if (!reply) continue;
      const isOwnWord = [rcode.noError, rcode.nameError, rcode.formatError].includes(rcodeOf(reply) as 0);
      if (isOwnWord) return { reply };
      helpless.set(upstream, reply);
    }
    const [reply] = helpless.values();
    return reply ? { reply } : 'failed';
  }

  async #exchange(query: Query, upstream: Upstream, transport: Transport): Promise<Buffer> {
    const reply = await this.#byUdp(query, upstream, this.#tryMs);
    return transport === 'tcp' && isTruncated(reply) ? this.#byTcp(query, upstream, this.#tryMs) : reply;
  }
}
