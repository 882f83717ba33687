import type { Logger } from 'pino';
import { VetchError } from '../../api/error.ts';
import type { LearnAnswerRequest, LearnedView, OpenedView } from '../../api/schemas/names.ts';
import { canonicalAddress, formatAddress, parsePrefix } from '../../model/address.ts';
import { canonicalDomain, matchesDomain } from '../../model/domain-name.ts';
import type { CollectProgram } from '../../observe/conntrack/collector.ts';
import type { ConntrackCollect } from '../../observe/conntrack/kernel-program.ts';
import type { LearnedAnswer, LearnedNames, LearnedRecord } from '../../policy/learned-names.ts';
import { learnedKey } from '../../policy/tables.ts';
import type { HostPolicy } from '../../reconcile/policy/host-policy.ts';
import type { Mutex } from '../mutex.ts';
import type { State } from '../state.ts';
import type { LearnedFile, LearnedLine } from './learned-file.ts';
import { mayOpen } from './may-open.ts';

export interface DomainNamesOptions {
  readonly policy: HostPolicy;
  readonly state: State;
  readonly lock: Mutex;
  readonly log: Logger;
  readonly file: LearnedFile;
}

const warningPause = 10_000;

/** Milliseconds between looks for answers that hold no more. */
const interval = 1000;

/** Milliseconds since the boot: also while no daemon runs. */
export function bootClock(): number {
  return Number(process.hrtime.bigint() / 1_000_000n);
}

/** Of a file's lines, those of endpoints that are still there. */
export function recordsOf(lines: readonly LearnedLine[], { index }: State): LearnedRecord[] {
  return lines.flatMap(({ endpoint, address, names, expired }) => {
    const number = index.endpoints.get(endpoint)?.number;
    return number === undefined ? [] : [{ endpoint: number, address, names: new Map(Object.entries(names)), expired }];
  });
}

/**
 * The addresses that containers were told for domain names which policy lets them reach: opened before the answer is given, closed
 * to new flows when it holds no more, forgotten when the last flow is over.
 */
export class DomainNames implements AsyncDisposable {
  readonly #options: DomainNamesOptions;
  readonly #timer: NodeJS.Timeout;
  /** Ids of endpoints that have been answered since this daemon began. */
  readonly #answered = new Set<string>();
  readonly #forget: () => void;
  #warned = Number.NEGATIVE_INFINITY;
  #running: Promise<void> = Promise.resolve();

  constructor(options: DomainNamesOptions) {
    this.#options = options;
    const { index } = options.state;
    this.#forget = index.onChange((id) => void (index.endpoints.has(id) || this.#answered.delete(id)));
    this.#timer = setInterval(() => this.#expire(), interval).unref();
  }

  get #learned(): LearnedNames {
    return this.#options.policy.learned;
  }

  /** Opens the addresses of an answer that an endpoint is about to be given. @throws VetchError NOT_FOUND, MAP_FULL */
  learn({ network, source, name, addresses }: LearnAnswerRequest): Promise<OpenedView> {
    const { lock, policy, state } = this.#options;
    const asked = canonicalDomain(name);
    return lock.run(async () => {
      const endpoint = state.index.endpointsAt(canonicalAddress(source)).find((one) => one.network === network);
      if (!endpoint) {
        throw new VetchError('NOT_FOUND', `no endpoint of network ${network} has ${source}`, 'it is gone by now');
      }
      if (!policy.domainsOf(endpoint.number).some((pattern) => matchesDomain(pattern, asked))) {
        return { opened: [], refused: [] };
      }
      const around = {
        isHost: (address: string) => policy.isHost(address),
        subnets: [...state.index.networks.values()].flatMap(({ subnets }) =>
          subnets.map(({ cidr }) => parsePrefix(cidr)),
        ),
      };
      const answered = addresses.map(({ address, ttl }) => ({ address: canonicalAddress(address), ttl }));
      const open = answered.filter(({ address }) => mayOpen(address, around));
      const answer: LearnedAnswer = { endpoint: endpoint.number, name: asked, addresses: open };
      this.#answered.add(endpoint.id);
      const { missing, forgotten } = await policy.learn(answer, bootClock());
      this.#keep([...open.map(({ address }) => learnedKey(endpoint.number, address)), ...forgotten]);
      const isOpen = (address: string) =>
        open.some((one) => one.address === address) && !missing.includes(learnedKey(endpoint.number, address));
      const opened = answered.map(({ address }) => address).filter(isOpen);
      const refused = answered.map(({ address }) => address).filter((address) => !isOpen(address));
      if (refused.length > 0) this.#warn({ endpoint: endpoint.name, name: asked, refused });
      return { opened, refused };
    });
  }

  /** Whether an endpoint's answers are heard of, by its id. */
  hasLearned(endpoint: string): boolean {
    return this.#answered.has(endpoint);
  }

  /** A container asks as often as it likes: one in ten seconds is told. */
  #warn(refusal: { readonly endpoint: string; readonly name: string; readonly refused: readonly string[] }): void {
    const now = bootClock();
    if (now - this.#warned < warningPause) return;
    this.#warned = now;
    this.#options.log.warn(refusal, 'not opened by an answer');
  }

  /** What endpoints have learned, by endpoint and address. */
  list(): LearnedView[] {
    const { state } = this.#options;
    const now = bootClock();
    return Array.from(this.#learned.records(), ({ endpoint: number, address, names, expired }): LearnedView => {
      const endpoint = state.index.endpointNumbered(number);
      const left = Math.max(...names.values()) - now;
      return {
        endpoint: endpoint?.name ?? '',
        network: (endpoint && state.networkOf(endpoint).name) ?? '',
        address,
        names: [...names.keys()].sort(),
        ttl: expired === undefined ? Math.max(0, Math.ceil(left / 1000)) : null,
      };
    }).sort((a, b) => (`${a.network}/${a.endpoint} ${a.address}` < `${b.network}/${b.endpoint} ${b.address}` ? -1 : 1));
  }

  /** The collector's program, which also finds out what of the expired is in use. */
  collecting(program: Pick<ConntrackCollect, 'expire' | 'expireAndFindUse' | 'flush'>): CollectProgram {
    return {
      expire: async () => {
        if (!this.#learned.hasExpired) return program.expire();
        // What is being marked is marked by then: the program tells of no other.
        const began = await this.#options.lock.run(async () => bootClock());
        const { inUse, ...collected } = await program.expireAndFindUse();
        const keys = new Set(inUse.map(({ endpoint, addr }) => learnedKey(endpoint, formatAddress(addr))));
        await this.#change(() => this.#options.policy.releaseLearned(keys, began));
        return collected;
      },
      flush: (filter, names) => program.flush(filter, names),
    };
  }

  /** Ends with the look under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    this.#forget();
    await this.#running;
  }

  #expire(): void {
    if (this.#learned.size === 0) return;
    const { log, policy } = this.#options;
    this.#running = this.#running
      .then(() => this.#change(() => policy.expireLearned(bootClock())))
      .catch((err: unknown) => log.error({ err }, 'cannot close the addresses of answers that hold no more'));
  }

  async #change(change: () => Promise<string[]>): Promise<void> {
    await this.#options.lock.run(async () => this.#keep(await change()));
  }

  /** A daemon that starts anew knows it, too. */
  #keep(keys: readonly string[]): void {
    const { file, log } = this.#options;
    if (keys.length === 0) return;
    try {
      const lines = keys.flatMap((key) => this.#line(key, this.#learned.get(key)));
      file.add(lines, this.#learned.size, () => this.#lines());
    } catch (err) {
      log.error({ err }, 'cannot keep what endpoints have learned: a daemon that starts anew will not know it');
    }
  }

  #lines(): LearnedLine[] {
    return [...this.#learned.records()].flatMap((record) =>
      this.#line(learnedKey(record.endpoint, record.address), record),
    );
  }

  /** None of an endpoint that is gone. */
  #line(key: string, record: LearnedRecord | undefined): LearnedLine[] {
    const [number, address = ''] = key.split(' ');
    const endpoint = this.#options.state.index.endpointNumbered(Number(number));
    if (!endpoint) return [];
    const names = Object.fromEntries(record?.names ?? []);
    return [{ endpoint: endpoint.id, address, names, ...(record?.expired && { expired: record.expired }) }];
  }
}
