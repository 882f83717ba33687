import { setTimeout as sleep } from 'node:timers/promises';
import type { Service } from '../../model/service.ts';
import { type Backend, backendsOf } from '../../service/backends.ts';
import type { Context } from '../context.ts';
import { checkBackend } from './check-backend.ts';
import { applyService } from './follow-selection.ts';
import { writeHealth } from './health-fact.ts';

/** Milliseconds from the begin of one round to that of the next. */
const interval = 1500;

/** And until whoever has just failed is asked again: one that died is known in less than 2 s. */
const again = 250;

/** Checks that are under way at the same time. */
const atOnce = 64;

interface Check {
  readonly service: Service;
  readonly backend: Backend;
  readonly port: number;
}

/** Asks the backends of services that want it, round by round; a change is in the tables before the round goes on. */
export class HealthChecks implements AsyncDisposable {
  readonly #context: Context;
  readonly #ended = new AbortController();
  readonly #running: Promise<void>;

  constructor(context: Context) {
    this.#context = context;
    this.#running = this.#run();
  }

  /** What is known stays as it is. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#ended;
    const { log } = this.#context;
    while (!signal.aborted) {
      const next = sleep(interval, undefined, { signal }).catch(() => undefined);
      try {
        await this.#round(signal);
      } catch (err) {
        log.error({ err }, 'a round of health checks failed');
      }
      await next;
    }
  }

  async #round(signal: AbortSignal): Promise<void> {
    const checks = this.#checks();
    const work = async () => {
      for (let check = checks.pop(); check && !signal.aborted; check = checks.pop()) {
        if (await this.#ask(check, signal)) continue;
        if (!this.#context.health.isHealthy(check.service.id, check.backend.endpoint.id)) continue;
        await sleep(again, undefined, { signal }).catch(() => undefined);
        await this.#ask(check, signal);
      }
    };
    await Promise.all(Array.from({ length: Math.min(atOnce, checks.length) }, work));
  }

  async #ask(check: Check, signal: AbortSignal): Promise<boolean> {
    const { service, backend, port } = check;
    const healthy = await checkBackend(service.health ?? {}, backend.address, port, signal);
    if (!signal.aborted) await this.#note(check, healthy);
    return healthy;
  }

  #checks(): Check[] {
    const { health, state } = this.#context;
    const checks: Check[] = [];
    for (const service of state.index.services.values()) {
      const port = service.ports.find(({ protocol }) => protocol === 'tcp')?.targetPort;
      if (!service.health || port === undefined) continue;
      for (const backend of backendsOf(service, state.selection.selected(service.id), health)) {
        checks.push({ service, backend, port });
      }
    }
    return checks;
  }

  async #note({ service, backend: { endpoint } }: Check, success: boolean): Promise<void> {
    const { health, lock, log, state, store } = this.#context;
    if (!health.note(service.id, endpoint.id, success)) return;
    log.warn({ service: service.name, endpoint: endpoint.name, healthy: success }, 'the health of a backend changed');
    await lock.run(async () => {
      const { services, endpoints } = state.index;
      health.keep((id, backend) => services.has(id) && endpoints.has(backend));
      if (services.has(service.id)) applyService(this.#context, service);
      await writeHealth(store, health.unhealthy);
    });
  }
}
