import { EtcdServers } from './etcd-servers.ts';
import type { Host } from './host.ts';
import { Lab } from './lab.ts';
import type { Machine } from './machine.ts';
import { slowness } from './process.ts';

/** For what takes a lease of 15 s, and more. */
export const patient = { timeout: 30_000, interval: 100 };

/** Three hosts and members of etcd, on one wire. */
export class ClusterLab implements AsyncDisposable {
  readonly lab: Lab;
  readonly servers: EtcdServers;
  /** Flags of a daemon that joins. */
  readonly store: readonly string[];

  private constructor(lab: Lab, servers: EtcdServers) {
    this.lab = lab;
    this.servers = servers;
    this.store = ['--store', `etcd://${servers.endpoints.join(',')}`, '--store-prefix', '/vetch/lab'];
  }

  /**
   * @param started the hosts whose daemons are started; default: all
   * @param remotes machines behind the hosts' default gateway; default: none
   * @param members of etcd
   */
  static async create(
    started: readonly string[] = ['h1', 'h2', 'h3'],
    { remotes = [], members = 3 }: { readonly remotes?: readonly string[]; readonly members?: number } = {},
  ): Promise<ClusterLab> {
    const lab = await Lab.create({ hosts: ['h1', 'h2', 'h3'], clients: ['etcd', 'outside'], remotes, start: false });
    try {
      const servers = await EtcdServers.start({ count: members, machine: lab.client('etcd') });
      const cluster = new ClusterLab(lab, servers);
      // Emulated, the programs of all at once would take longer than each may.
      if (slowness > 1) for (const name of started) await cluster.start(name);
      else await Promise.all(started.map((name) => cluster.start(name)));
      return cluster;
    } catch (error) {
      await lab[Symbol.asyncDispose]();
      throw error;
    }
  }

  get hosts(): readonly [Host, Host, Host] {
    return [this.lab.host('h1'), this.lab.host('h2'), this.lab.host('h3')];
  }

  start(name: string): Promise<void> {
    return this.lab.host(name).start(...this.store);
  }

  /** Stops all members of etcd as if their machines hung. */
  pauseEtcd(): void {
    for (let i = 0; i < this.servers.count; i++) this.servers.pause(i);
  }

  resumeEtcd(): void {
    for (let i = 0; i < this.servers.count; i++) this.servers.resume(i);
  }

  /** Takes a machine's cable out of the wire, or puts it back. */
  async cable(machine: Machine, plugged: boolean): Promise<void> {
    const [own] = JSON.parse(await machine.must('ip', '-j', 'link', 'show', 'eth0')) as { link_index: number }[];
    const links = JSON.parse(await this.lab.router.must('ip', '-j', 'link')) as { ifindex: number; ifname: string }[];
    const port = links.find(({ ifindex }) => ifindex === own?.link_index)?.ifname;
    await this.lab.router.ip(`link set ${port} ${plugged ? 'master fabric' : 'nomaster'}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.servers[Symbol.asyncDispose]();
    await this.lab[Symbol.asyncDispose]();
  }
}
