import type { Host } from '../test/lab/host.ts';
import { Lab } from '../test/lab/lab.ts';
import type { Machine } from '../test/lab/machine.ts';
import { type Arena, cable } from './arena.ts';
import { type Path, ports } from './tools/path.ts';

/** Published ports are the servers' own and this. */
const publishOffset = 1000;
const hostAddress = '192.0.2.1';

/** A host with our daemon, two containers on one of its networks, and a machine outside that is cabled to it. */
export class VetchHost implements AsyncDisposable {
  readonly host: Host;
  readonly containerToContainer: Path;
  readonly publishedFromOutside: Path;
  readonly publishedOnLocalhost: Path;
  /** From a process of the host to the container's own address. */
  readonly hostToContainer: Path;
  /** Processes on the host before and after the ports were published. */
  readonly processes: readonly [before: number, after: number];
  readonly #lab: Lab;

  private constructor(
    lab: Lab,
    ends: { server: Machine; client: Machine; visitor: Machine },
    processes: [number, number],
  ) {
    const { server, client, visitor } = ends;
    this.#lab = lab;
    this.host = lab.host();
    this.processes = processes;
    const portOffset = publishOffset;
    this.containerToContainer = { name: 'Vetch', client, server, address: '10.88.0.2' };
    this.publishedFromOutside = { name: 'Vetch', client: visitor, server, address: hostAddress, portOffset };
    this.publishedOnLocalhost = { name: 'Vetch', client: this.host, server, address: '127.0.0.1', portOffset };
    this.hostToContainer = { name: 'direct', client: this.host, server, address: '10.88.0.2' };
  }

  /** @param published the ports of the server at which it is reached from outside, by {@link publishOffset}; default: every tool's */
  static async create(arena: Arena, published: readonly number[] = Object.values(ports)): Promise<VetchHost> {
    const lab = await Lab.create({ start: false, clients: [] });
    try {
      const host = lab.host();
      const visitor = await arena.machine('visitor');
      // Beside the lab's bridge, which would be in the way of what is compared with a bare cable
      await cable(
        { machine: host, device: 'eth1', address: `${hostAddress}/25` },
        { machine: visitor, device: 'eth0', address: '192.0.2.2/25' },
      );
      await host.start('--uplink', 'eth0,eth1');
      await host.vetch('network', 'create', 'bench', '--subnet', '10.88.0.0/16', '--ipv6');
      const [server] = await host.attach('bench', 'server');
      const [client] = await host.attach('bench', 'client');
      const before = await processesOf(host);
      for (const port of published) {
        await host.vetch('port', 'publish', 'server', `${port + publishOffset}:${port}`);
      }
      return new VetchHost(lab, { server, client, visitor }, [before, await processesOf(host)]);
    } catch (error) {
      await lab[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** What was dropped so far, by reason: a run that lost packets says so. */
  async drops(): Promise<Readonly<Record<string, number>>> {
    return (await this.host.status()).drops;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#lab[Symbol.asyncDispose]();
  }
}

async function processesOf(host: Host): Promise<number> {
  // The command that counts is among them, each time
  const listed = await host.must('cat', `${host.place.cgroup}/cgroup.procs`);
  return listed.trim().split('\n').length;
}
