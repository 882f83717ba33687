import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NamespaceType, unshare } from '../../../src/loader/ffi/libc.ts';
import { PinTree } from '../../../src/loader/pin.ts';
import type { Program } from '../../../src/loader/program.ts';
import { type Maps, openMaps } from '../../../src/maps/open.ts';
import { Netlink } from '../../../src/netlink/netlink.ts';
import { currentNetns } from '../../../src/netlink/netns.ts';
import { Host } from '../../../src/reconcile/host.ts';
import { loadPrograms } from '../../../src/reconcile/programs.ts';
import { createLabCgroup, removeCgroup } from '../../lab/leftovers.ts';

/** This process as a host, in network and mount namespaces of its own: one a process, it cannot be left again. */
export class OwnHost implements AsyncDisposable {
  readonly maps: Maps;
  readonly netlink: Netlink;
  readonly failures: string[] = [];
  readonly #cgroup: string;
  readonly #directory: string;
  readonly tree: PinTree;
  readonly #programs: ReadonlyMap<string, Program>;

  private constructor(cgroup: string, directory: string, tree: PinTree, programs: ReadonlyMap<string, Program>) {
    this.#cgroup = cgroup;
    this.#directory = directory;
    this.tree = tree;
    this.#programs = programs;
    this.maps = openMaps(tree.maps);
    this.netlink = Netlink.open();
  }

  /** With a device `eth0` that has these addresses. */
  static async create(...addresses: readonly string[]): Promise<OwnHost> {
    unshare(NamespaceType.MOUNT | NamespaceType.NETWORK);
    execFileSync('mount', ['--make-rprivate', '/']);
    const directory = mkdtempSync(join(tmpdir(), 'vetch-host-'));
    execFileSync('mount', ['-t', 'bpf', 'bpf', directory]);
    writeFileSync('/proc/sys/net/ipv6/conf/default/accept_dad', '0');
    ip('link set lo up', 'link add eth0 type veth peer name eth0p', 'link set eth0 up', 'link set eth0p up');
    ip(...addresses.map((address) => `address add ${address} dev eth0`));
    const tree = new PinTree(directory);
    const objects = new URL('../../../bpf/build/', import.meta.url).pathname;
    const { programs } = await loadPrograms({ directory: objects, tree, mapSizes: {}, records: {} });
    return new OwnHost(createLabCgroup(), directory, tree, programs);
  }

  /** As a daemon does that starts. */
  async open(): Promise<Host> {
    using netns = currentNetns();
    return await Host.open({
      ...{ maps: this.maps, netlink: this.netlink, tree: this.tree, programs: this.#programs, cgroup: this.#cgroup },
      ...{ netnsCookie: netns.cookie, uplink: ['eth0'], node: 'here' },
      sandboxOf: async () => undefined,
      failed: (what, error) => this.failures.push(`${what}: ${error instanceof Error ? error.message : error}`),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { path } of this.tree.links()) rmSync(path);
    this.netlink.close();
    this.maps.close();
    for (const program of this.#programs.values()) program.close();
    execFileSync('umount', [this.#directory]);
    rmSync(this.#directory, { recursive: true });
    await removeCgroup(this.#cgroup);
  }
}

/** Commands of iproute2, in this process's namespace. */
export function ip(...lines: string[]): void {
  execFileSync('ip', ['-batch', '-'], { input: lines.join('\n'), stdio: ['pipe', 'ignore', 'pipe'] });
}
