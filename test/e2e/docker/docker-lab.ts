import { Engine, type EngineOptions } from '../../lab/engine.ts';
import type { Host } from '../../lab/host.ts';
import { type Client, Lab, type LabOptions } from '../../lab/lab.ts';
import type { Machine } from '../../lab/machine.ts';
import { ask, type Reply, type Transport } from '../../lab/talk.ts';

/**
 * The driver under test. `VETCH_E2E_DRIVER=bridge` shows what Docker's own makes of the same scenarios: a test that
 * fails there, too, may expect what no user of Docker does.
 */
export const driver = process.env.VETCH_E2E_DRIVER ?? 'vetch';

export const families = ['address4', 'address6'] as const;
export const transports = ['tcp', 'udp'] as const;

/** A lab of one host with our daemon and a real engine, and a client `outside` on the same wire. */
export class DockerLab implements AsyncDisposable {
  readonly lab: Lab;
  readonly host: Host;
  readonly outside: Client;
  readonly engine: Engine;

  private constructor(lab: Lab, engine: Engine) {
    this.lab = lab;
    this.host = lab.host();
    this.outside = lab.client();
    this.engine = engine;
  }

  static async create(options: EngineOptions & Pick<LabOptions, 'remotes'> = {}): Promise<DockerLab> {
    const { remotes, ...engineOptions } = options;
    const lab = await Lab.create({ start: false, ...(remotes ? { remotes } : {}) });
    try {
      return new DockerLab(lab, await Engine.start(lab.host(), engineOptions));
    } catch (error) {
      await lab[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** `docker network create` with our driver, on 10.N.0.0/16 and fd00:N::/64. */
  network(name: string, number: number, ...flags: string[]): Promise<string> {
    const subnets = ['--ipv6', '--subnet', `10.${number}.0.0/16`, '--subnet', `fd00:${number}::/64`];
    return this.engine.docker('network', 'create', '--driver', driver, ...subnets, ...flags, name);
  }

  /** Starts our daemon again, after `host.stopDaemon`. */
  async startVetch(): Promise<void> {
    await this.host.start(...this.engine.vetchFlags);
  }

  /** What we hold for containers, by names and numbers that stay the same while nothing leaks. */
  async held(): Promise<{ endpoints: string[]; ports: number; veths: number }> {
    const endpoints = await this.host.vetch<{ addresses: string[] }[]>('endpoint', 'ls');
    const ports = await this.host.vetch<unknown[]>('port', 'ls');
    const links = await this.host.must('ip', '-o', 'link');
    return {
      endpoints: endpoints.flatMap(({ addresses }) => addresses).sort(),
      ports: ports.length,
      veths: links.match(/^\d+: vt[0-9a-f]{11}/gm)?.length ?? 0,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.lab[Symbol.asyncDispose]();
  }
}

/** Asks where no answer is expected, and does not wait long for it. */
export function askInVain(machine: Machine, transport: Transport, address: string, port: number): Promise<Reply> {
  return ask(machine, transport, address, port, '--timeout', '1');
}
