import type { Watch } from '../loader/ffi/poll.ts';
import { watchReadable } from '../loader/ffi/poll.ts';
import { type NetlinkEvent, NetlinkMonitor } from '../netlink/monitor.ts';
import { hostDevice } from '../reconcile/desired/devices.ts';
import { isOurs } from '../reconcile/desired/uplinks.ts';
import type { Context } from './context.ts';
import { publishNode } from './own-node.ts';
import { releaseGarbage } from './release-memory.ts';

/** Milliseconds between passes that nothing has asked for. */
const interval = 30_000;

/** Changes come in swarms: milliseconds to wait for the next one, and at most. */
const settle = 100;
const patience = 1_000;

/** Has the host looked over when it changes, and now and then. */
export class Maintenance implements AsyncDisposable {
  readonly #context: Context;
  readonly #monitor: NetlinkMonitor;
  readonly #watch: Watch;
  #timer: NodeJS.Timeout | undefined;
  /** When the first change came that no pass has answered. */
  #waitingSince: number | undefined;
  #running: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(context: Context) {
    this.#context = context;
    this.#monitor = NetlinkMonitor.open(undefined, ['link', 'address', 'route', 'trafficControl']);
    this.#watch = watchReadable(this.#monitor.fd, () => this.#read());
    this.#schedule(interval);
  }

  /** Ends with the pass under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#watch.close();
    this.#monitor.close();
    await this.#running;
  }

  #read(): void {
    if (!this.#monitor.read().some((event) => this.#matters(event))) return;
    const now = performance.now();
    this.#waitingSince ??= now;
    this.#schedule(Math.max(0, Math.min(settle, this.#waitingSince + patience - now)));
  }

  /** What we did ourselves is no news: our own devices matter when they go, or go down, and we had not asked for it. */
  #matters(event: NetlinkEvent): boolean {
    const { host } = this.#context;
    switch (event.kind) {
      case 'link':
        if (!isOurs(event.link.name)) return true;
        return event.removed ? host.knows(event.link.index) : !event.link.up && host.isDown(event.link.index);
      case 'address':
        return event.address.ifindex !== host.hostIfindex || event.removed;
      case 'route':
        return event.route.ifindex !== host.hostIfindex || event.removed;
      case 'qdisc':
        return event.removed && host.knows(event.qdisc.ifindex);
      case 'filter':
        return event.removed;
      case 'lost':
        return true;
      default:
        return false;
    }
  }

  #schedule(delay: number): void {
    clearTimeout(this.#timer);
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#running = this.#pass();
    }, delay);
  }

  async #pass(): Promise<void> {
    const { host, lock, log, networks, state } = this.#context;
    this.#waitingSince = undefined;
    const before = host.drift.total;
    try {
      await lock.run(async () => {
        await host.reconcile(state.index);
        await networks.retry();
      });
      publishNode(this.#context);
      this.#context.rotation.wake();
      await host.closeDevices();
      const repairs = host.drift.total - before;
      if (repairs > 0) log.warn({ repairs, sinceStart: host.drift.byKind }, 'repaired what somebody had changed');
    } catch (err) {
      log.error({ err }, `the pass over ${hostDevice.name} and the maps failed`);
    }
    releaseGarbage();
    if (this.#waitingSince === undefined) this.#schedule(interval);
  }
}
