import { canonicalDomain, matchesDomain } from '../model/domain-name.ts';
import { decide } from './decide.ts';
import type { Forwarder, Transport } from './forwarder.ts';
import type { Learner } from './learner.ts';
import type { Names } from './names.ts';
import { parseQuery, type Query } from './query.ts';
import { answerReply, fitted, rcode, refusal } from './reply.ts';

const outcomes = [
  'answered',
  'nxdomain',
  'forwarded',
  'refused',
  'failed',
  'malformed',
  /** From an address that is not of the network: no answer. */
  'foreign',
  'overload',
] as const;

export type Outcome = (typeof outcomes)[number];

/** Answers queries, whichever way they came. */
export class Resolver {
  /** Replaced as a whole when the daemon tells everything anew. */
  names: Names;
  readonly counts = Object.fromEntries(outcomes.map((outcome) => [outcome, 0])) as Record<Outcome, number>;
  readonly #forwarder: Forwarder;
  readonly #learner: Learner;

  constructor(names: Names, forwarder: Forwarder, learner: Learner) {
    this.names = names;
    this.#forwarder = forwarder;
    this.#learner = learner;
  }

  /** Whether anything is said to `source` at a network's gateway. */
  admits(network: string, source: string): boolean {
    if (this.names.admits(network, source)) return true;
    this.counts.foreign++;
    return false;
  }

  /**
   * The reply to a packet from `source`, which was admitted, asked at the gateway of `network`; undefined for none.
   * Never throws.
   */
  async answer(packet: Buffer, network: string, source: string, transport: Transport): Promise<Buffer | undefined> {
    const parsed = parseQuery(packet);
    if (!parsed || 'error' in parsed) {
      this.counts.malformed++;
      return parsed?.error;
    }
    const { query } = parsed;
    try {
      return await this.#resolve(query, network, source, transport);
    } catch {
      // Whatever was wrong with one question, the next is answered
      return this.#done('failed', refusal(query, rcode.serverFailure));
    }
  }

  async #resolve(query: Query, network: string, source: string, transport: Transport): Promise<Buffer> {
    const view = this.names.view(network, source);
    if (!view) return refusal(query, rcode.refused);
    const decision = decide(query, view);
    if (decision.kind === 'answer') return this.#done('answered', answerReply(query, decision.records));
    if (decision.kind === 'nxdomain') return this.#done('nxdomain', refusal(query, rcode.nameError));
    if (decision.kind === 'refuse') return this.#done('refused', refusal(query, rcode.refused));
    const forwarded = await this.#forwarder.forward(query, source, transport, async (reply) => {
      const asked = canonicalDomain(query.name);
      const isOpened = this.names.domains(network, source).some((pattern) => matchesDomain(pattern, asked));
      if (isOpened) await this.#learner.learn(network, source, query, reply);
    });
    if (typeof forwarded === 'string') return this.#done(forwarded, refusal(query, rcode.serverFailure));
    return this.#done('forwarded', transport === 'udp' ? fitted(query, forwarded.reply) : forwarded.reply);
  }

  #done(outcome: Outcome, reply: Buffer): Buffer {
    this.counts[outcome]++;
    return reply;
  }
}
