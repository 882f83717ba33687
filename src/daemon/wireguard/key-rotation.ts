import { VetchError } from '../../api/error.ts';
import type { Node } from '../../model/cluster.ts';
import type { Context } from '../context.ts';
import { publishNode } from '../own-node.ts';
import type { OwnKeys } from './own-keys.ts';

/** Milliseconds between looks at who has agreed upon a session, while some host changes its key. */
const interval = 500;
/** Milliseconds that the old key stays after nobody sends by it any more: for what is on its way. */
const rest = 5_000;
/** Milliseconds after which a change of keys is told of, for it should have ended. */
const patience = 60_000;

type RotationContext = Pick<Context, 'cluster' | 'host' | 'lock' | 'log' | 'options' | 'state'>;

/**
 * Changes of keys, this host's and the others'. All that has to be remembered of one is on the disk, in the store and in the
 * kernel, so it goes on with the next daemon where this one ends.
 */
export class KeyRotation implements AsyncDisposable {
  readonly #context: RotationContext;
  readonly #keys: OwnKeys;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #closed = false;
  /** Since when nobody sends by the old key. */
  #moved: number | undefined;
  /** Since when this process knows of the change. */
  #began: number | undefined;

  constructor(context: RotationContext, keys: OwnKeys) {
    this.#context = context;
    this.#keys = keys;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  /**
   * Has this host use a new key: the others move to it one by one, and then the old one goes.
   *
   * @throws VetchError IN_USE: it changes its key already; UNSUPPORTED: it has none, or cannot have a second one
   */
  begin(): Promise<void> {
    const { host, lock, log, options, state } = this.#context;
    return lock.run(async () => {
      if (host.encryption.published().length === 0) {
        const [why = 'it is alone, or this kernel has no WireGuard'] = host.encryption.warnings;
        throw new VetchError('UNSUPPORTED', `host ${options.node} has no key: ${why}`, 'see `vetch node ls`');
      }
      if (this.#keys.all().length > 1) {
        const names = this.#waitingFor().join(', ') || 'what is on its way';
        const remedy = 'wait until `vetch node ls` shows it with one key';
        throw new VetchError('IN_USE', `host ${options.node} changes its key already, and waits for ${names}`, remedy);
      }
      this.#keys.begin();
      const networks = state.index.networks.values();
      try {
        host.encryption.followKeys([...networks]);
      } catch (error) {
        this.#keys.end('old');
        host.encryption.followKeys([...state.index.networks.values()]);
        throw error;
      }
      // Nobody uses a key where nothing is encrypted.
      if (!host.encryption.needed) this.#keys.end('new');
      log.info({ publicKey: this.#keys.all().at(-1)?.publicKey }, 'this host changes its key');
      publishNode(this.#context);
      this.wake();
    });
  }

  /** Some host may have begun to change its key. */
  wake(): void {
    const { encryption } = this.#context.host;
    const own = encryption.published().length > 0 && this.#keys.all().length > 1;
    if (this.#closed || this.#timer !== undefined || !(own || encryption.changing)) return;
    this.#timer = setTimeout(() => {
      this.#running = this.#step();
    }, interval);
  }

  /** For `vetch status`. */
  get warnings(): string[] {
    const { host } = this.#context;
    if (this.#began === undefined || performance.now() - this.#began < patience || !host.encryption.needed) return [];
    const names = this.#waitingFor();
    if (names.length === 0) return [];
    return [`this host's change of its key waits for ${names.join(', ')}: see \`vetch status\` there`];
  }

  async #step(): Promise<void> {
    const { host, lock, log } = this.#context;
    try {
      await lock.run(async () => {
        host.encryption.followSessions();
        if (this.#keys.all().length > 1) this.#follow();
        else this.#began = undefined;
        publishNode(this.#context);
      });
    } catch (err) {
      log.error({ err }, 'cannot follow a change of keys');
    }
    this.#timer = undefined;
    this.wake();
  }

  /** The old key goes some seconds after the last host has left it. */
  #follow(): void {
    const { host, log, state } = this.#context;
    const now = performance.now();
    this.#began ??= now;
    if (!this.#isOpen || this.#waitingFor().length > 0) {
      this.#moved = undefined;
      return;
    }
    this.#moved ??= now;
    if (now - this.#moved < rest) return;
    this.#keys.end('new');
    this.#moved = undefined;
    this.#began = undefined;
    host.encryption.followKeys([...state.index.networks.values()]);
    log.info({ publicKey: this.#keys.all().at(-1)?.publicKey }, 'this host has changed its key');
  }

  /** Whether others can send by the newest key. */
  get #isOpen(): boolean {
    const newest = this.#keys.all().at(-1)?.publicKey;
    return this.#context.host.encryption.published().some(({ publicKey }) => publicKey === newest);
  }

  /** Names of the hosts that may still send by the old key. */
  #waitingFor(): string[] {
    const newest = this.#keys.all().at(-1)?.publicKey ?? '';
    const waits = ({ wireguard = [], movedTo = [] }: Node) => wireguard.length > 0 && !movedTo.includes(newest);
    return [...this.#context.state.index.nodes.values()].filter(waits).map(({ name }) => name);
  }
}
