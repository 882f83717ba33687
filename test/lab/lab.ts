import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fabric } from './fabric.ts';
import { Host } from './host.ts';
import { createLabCgroup, createLabDirectory, removeCgroup, removeLeftovers } from './leftovers.ts';
import { Machine, startHolder } from './machine.ts';
import type { Background } from './process.ts';

export interface LabOptions {
  /** Default: one, `h1`. */
  readonly hosts?: readonly string[];
  /** Machines on the same wire as the hosts. Default: one, `outside`. */
  readonly clients?: readonly string[];
  /** Machines behind the hosts' default gateway. Default: none. */
  readonly remotes?: readonly string[];
  /** Starts each host's daemon. Default: true. */
  readonly start?: boolean;
}

/** A machine with addresses that hosts know nothing about. */
export class Client extends Machine {
  readonly address4: string;
  readonly address6: string;

  constructor(name: string, place: Machine['place'], address4: string, address6: string) {
    super(name, place);
    this.address4 = address4;
    this.address6 = address6;
  }
}

/**
 * Hosts and clients in namespaces, joined by a bridge that lies in a namespace too. Nothing touches the devices of
 * the machine, no packet leaves it, and all of it ends with this process however it ends.
 *
 *     await using lab = await Lab.create();
 *     const host = lab.host('h1');
 */
export class Lab implements AsyncDisposable {
  readonly router: Machine;
  readonly #cgroup: string;
  readonly #directory: string;
  readonly #holders: Background[];
  readonly #hosts: ReadonlyMap<string, Host>;
  readonly #clients: ReadonlyMap<string, Client>;

  private constructor(
    cgroup: string,
    directory: string,
    holders: Background[],
    router: Machine,
    hosts: ReadonlyMap<string, Host>,
    clients: ReadonlyMap<string, Client>,
  ) {
    this.#cgroup = cgroup;
    this.#directory = directory;
    this.#holders = holders;
    this.router = router;
    this.#hosts = hosts;
    this.#clients = clients;
  }

  static async create(options: LabOptions = {}): Promise<Lab> {
    await removeLeftovers();
    const cgroup = createLabCgroup();
    const directory = createLabDirectory();
    const holders: Background[] = [];
    const place = async (name: string) => {
      const own = join(cgroup, name);
      const holder = await startHolder(name, own);
      holders.push(holder);
      return { holder: holder.pid, cgroup: own };
    };
    try {
      const router = new Machine('router', await place('router'));
      await fabric.setUpRouter(router);
      const hosts = new Map<string, Host>();
      for (const [index, name] of (options.hosts ?? ['h1']).entries()) {
        const addresses = fabric.hostAddresses(index);
        const host = new Host(name, await place(name), { directory: join(directory, name), ...addresses });
        await fabric.connect(router, host, 'fabric', addresses);
        hosts.set(name, host);
      }
      const clients = new Map<string, Client>();
      const add = async (
        name: string,
        bridge: 'fabric' | 'world',
        addresses: ReturnType<typeof fabric.hostAddresses>,
      ) => {
        const client = new Client(name, await place(name), addresses.address4, addresses.address6);
        await fabric.connect(router, client, bridge, addresses);
        clients.set(name, client);
      };
      for (const [index, name] of (options.clients ?? ['outside']).entries()) {
        await add(name, 'fabric', fabric.clientAddresses(index));
      }
      for (const [index, name] of (options.remotes ?? []).entries())
        await add(name, 'world', fabric.remoteAddresses(index));
      const lab = new Lab(cgroup, directory, holders, router, hosts, clients);
      if (options.start !== false) await Promise.all([...hosts.values()].map((host) => host.start()));
      return lab;
    } catch (error) {
      await Promise.all(holders.map((holder) => holder.stop()));
      await removeCgroup(cgroup);
      rmSync(directory, { recursive: true, force: true });
      throw error;
    }
  }

  host(name = 'h1'): Host {
    const host = this.#hosts.get(name);
    if (!host) throw new Error(`the lab has no host ${name}`);
    return host;
  }

  client(name = 'outside'): Client {
    const client = this.#clients.get(name);
    if (!client) throw new Error(`the lab has no client ${name}`);
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      [...this.#hosts.values(), ...this.#clients.values(), this.router].map((machine) => machine.stop()),
    );
    await Promise.all(this.#holders.map((holder) => holder.stop()));
    await removeCgroup(this.#cgroup);
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
