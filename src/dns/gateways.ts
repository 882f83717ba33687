import type { ResolverView } from '../api/schemas/resolver.ts';
import type { Names } from './names.ts';
import type { Resolver } from './resolver.ts';
import { seldom } from './seldom.ts';
import { serveTcp } from './tcp-server.ts';
import { type Server, serveUdp } from './udp-server.ts';

export interface GatewaysOptions {
  readonly resolver: Resolver;
  /** Default: 53. */
  readonly port?: number;
  readonly log: (level: 'info' | 'warn', message: string) => void;
  /** Milliseconds until an address that could not be had is tried again. Default: 1000. */
  readonly retryMs?: number;
}

interface Gateway {
  readonly address: string;
  readonly networkId: string;
  readonly network: string;
  servers: Server[];
  error: string | null;
  /** errno's name that the log has been told. */
  told: string | undefined;
  tries: number;
  timer: NodeJS.Timeout | undefined;
  closed: boolean;
}

const reasons: Readonly<Record<string, (port: number) => string>> = {
  EADDRINUSE: (port) => `port ${port} is taken by another process`,
  EADDRNOTAVAIL: () => 'this host does not have the address',
  EPERM: (port) => `port ${port} is kept for a published port`,
  EACCES: (port) => `port ${port} may not be bound without CAP_NET_BIND_SERVICE`,
};

/** So long an address may take to come: the daemon tells of a network while it makes it, and IPv6 checks it first. */
const quietTries = 5;

/** Listens on the gateways of all networks, for as long as the networks are there. One that cannot be had hinders no other. */
export class Gateways {
  readonly #options: GatewaysOptions;
  readonly #gateways = new Map<string, Gateway>();
  readonly #tellMishap: (message: string) => void;

  constructor(options: GatewaysOptions) {
    this.#options = options;
    this.#tellMishap = seldom((message) => options.log('warn', message));
  }

  get view(): ResolverView['gateways'] {
    return Array.from(this.#gateways.values(), ({ network, address, error }) => ({ network, address, error }));
  }

  /** Makes what is listened on equal to the gateways that the names have. */
  follow(names: Names): void {
    const wanted = new Map(
      names.networks.flatMap(({ id, name, gateways }) => gateways.map((address) => [address, { id, name }] as const)),
    );
    for (const gateway of this.#gateways.values()) {
      const { id, name } = wanted.get(gateway.address) ?? {};
      if (gateway.networkId !== id || gateway.network !== name) void this.#close(gateway);
    }
    for (const [address, { id, name }] of wanted) {
      if (this.#gateways.has(address)) continue;
      const fresh = { servers: [], error: 'not yet', told: undefined, tries: 0, timer: undefined, closed: false };
      const gateway: Gateway = { address, networkId: id, network: name, ...fresh };
      this.#gateways.set(address, gateway);
      void this.#open(gateway);
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#gateways.values()].map((gateway) => this.#close(gateway)));
  }

  async #open(gateway: Gateway): Promise<void> {
    const { resolver, port = 53, retryMs = 1000 } = this.#options;
    const { address, networkId } = gateway;
    const opened: Server[] = [];
    try {
      const failed = (error: unknown) => this.#mishap(gateway, error);
      const serving = { resolver, network: networkId, address, port, failed };
      opened.push(await serveUdp(serving));
      opened.push(await serveTcp(serving));
      gateway.servers = opened;
      gateway.error = null;
    } catch (error) {
      await Promise.all(opened.map((server) => server.close()));
      this.#failed(gateway, error as NodeJS.ErrnoException);
      if (!gateway.closed) gateway.timer = setTimeout(() => void this.#open(gateway), retryMs);
      return;
    }
    if (gateway.closed) return void Promise.all(opened.map((server) => server.close()));
    this.#options.log('info', `answers on ${address} for network ${gateway.network}`);
  }

  /** One query came to nothing by a fault of ours. */
  #mishap({ address, network }: Gateway, error: unknown): void {
    this.#options.resolver.counts.failed++;
    const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#tellMishap(`a query at ${address} of network ${network} was not answered: ${what}`);
  }

  #failed(gateway: Gateway, { code, message }: NodeJS.ErrnoException): void {
    const { address, network } = gateway;
    const { port = 53, log } = this.#options;
    const why = reasons[code ?? '']?.(port) ?? message;
    gateway.error = why;
    gateway.tries++;
    const isLate = code !== 'EADDRNOTAVAIL' || gateway.tries > quietTries;
    if (gateway.closed || !isLate || gateway.told === code) return;
    gateway.told = code;
    log('warn', `cannot answer on ${address}, names of network ${network} are not resolved there: ${why}; tried again`);
  }

  async #close(gateway: Gateway): Promise<void> {
    gateway.closed = true;
    clearTimeout(gateway.timer);
    if (this.#gateways.get(gateway.address) === gateway) this.#gateways.delete(gateway.address);
    await Promise.all(gateway.servers.splice(0).map((server) => server.close()));
  }
}
