import { isIP } from 'node:net';
import { type Answer, decode } from 'dns-packet';
import type { LearnAnswerRequest } from '../api/schemas/names.ts';
import { canonicalDomain } from '../model/domain-name.ts';
import type { Query } from './query.ts';
import { rcode, rcodeOf } from './reply.ts';

/** Asks the daemon to open an answer's addresses; throws an Error whose code is UNAVAILABLE while it is away. */
export type TellDaemon = (request: LearnAnswerRequest) => Promise<unknown>;

/** Milliseconds that an answer is held back for a daemon that is away, and between two tries. */
const patience = 3000;
const pause = 100;

/** What is answered, by which it may be reached: its own records, and those that its canonical names lead to. */
export function addressesOf(
  { name, type }: Pick<Query, 'name' | 'type'>,
  reply: Buffer,
): LearnAnswerRequest['addresses'] {
  if (type !== 'A' && type !== 'AAAA') return [];
  // One that was cut, too: not everybody asks again by TCP (musl before 1.2.4).
  if (rcodeOf(reply) !== rcode.noError) return [];
  let answers: readonly { readonly owner: string; readonly answer: Answer }[];
  try {
    answers = (decode(reply).answers ?? []).map((answer) => ({ owner: canonicalDomain(answer.name), answer }));
  } catch {
    return [];
  }
  const found = new Map<string, number>();
  const seen = new Set<string>();
  const queue: [name: string, ttl: number][] = [[canonicalDomain(name), Number.POSITIVE_INFINITY]];
  for (const [wanted, ttl] of queue) {
    if (seen.has(wanted)) continue;
    seen.add(wanted);
    for (const { owner, answer } of answers) {
      if (owner !== wanted) continue;
      // The chain holds for as long as its shortest link.
      if (answer.type === 'CNAME') queue.push([canonicalDomain(answer.data), Math.min(ttl, answer.ttl ?? 0)]);
      else if (answer.type === type && isIP(answer.data) > 0) found.set(answer.data, Math.min(ttl, answer.ttl ?? 0));
    }
  }
  return [...found].map(([address, ttl]) => ({ address, ttl }));
}

/** A refusal stays one, however often it is asked. */
function isAway(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'UNAVAILABLE';
}

/** A daemon that is there and does not answer is waited for no longer than one that is away. */
async function inTime(told: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('the daemon does not answer')), ms);
  });
  await Promise.race([told, late]).finally(() => clearTimeout(timer));
}

/**
 * Has the daemon open what an answer allows before the answer is given. A daemon that is away is waited for; then the answer is
 * given all the same: what was open stays open, and nothing new is.
 */
export class Learner {
  readonly #tell: TellDaemon;
  readonly #patience: number;
  /** Answers that were given before their addresses were opened. */
  missed = 0;

  constructor(tell: TellDaemon, patienceMs = patience) {
    this.#tell = tell;
    this.#patience = patienceMs;
  }

  async learn(network: string, source: string, query: Query, reply: Buffer): Promise<void> {
    const addresses = addressesOf(query, reply);
    if (addresses.length === 0) return;
    const request = { network, source, name: query.name, addresses };
    const until = performance.now() + this.#patience;
    for (;;) {
      try {
        await inTime(this.#tell(request), until - performance.now());
        return;
      } catch (error) {
        if (!isAway(error) || performance.now() >= until) break;
      }
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
    this.missed++;
  }
}
