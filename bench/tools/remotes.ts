import { setTimeout } from 'node:timers/promises';
import type { EtcdServers } from '../../test/lab/etcd-servers.ts';
import type { Host } from '../../test/lab/host.ts';
import type { Machine } from '../../test/lab/machine.ts';
import { must } from '../../test/lab/process.ts';

export const remotes = { endpoints: 100_000, hosts: 100, networks: 4 } as const;

export const ofRemotes = `those of ${remotes.hosts} other hosts in ${remotes.networks} networks, from an etcd on this machine`;

const program = new URL('../programs/remote-endpoints.ts', import.meta.url).pathname;

/**
 * Starts a host's daemon anew as one of a cluster, of which other hosts have the {@link remotes}.
 *
 * @param machine where the etcd is
 * @param own endpoints that the host has
 * @returns the daemon's flags
 */
export async function joinRemotes(host: Host, machine: Machine, etcd: EtcdServers, own: number): Promise<string[]> {
  const [store = ''] = etcd.endpoints;
  const flags = ['--store', `etcd://${store}`];
  await host.stopDaemon();
  await host.start(...flags);
  const networks = Array.from({ length: remotes.networks }, (_, index) => `wide${index}`);
  for (const [index, name] of networks.entries()) {
    await host.vetch('network', 'create', name, '--driver', 'overlay', '--subnet', `10.${128 + index}.0.0/16`);
  }
  const writing = [process.execPath, program, store, `${remotes.hosts}`, `${remotes.endpoints}`, ...networks];
  await must(machine.command(writing), { timeoutSeconds: 300 });
  await known(host, own + remotes.endpoints);
  return flags;
}

/**
 * Waits until the kernel has so many endpoints.
 *
 * @param seconds 0: they have to be there, for the daemon has said that everything is
 */
export async function known(host: Host, count: number, seconds = 60): Promise<void> {
  const late = Date.now() + seconds * 1000;
  for (;;) {
    const { maps } = await host.vetch<{ maps: { name: string; entries: number }[] }>('status');
    const entries = maps.find(({ name }) => name === 'endpoints')?.entries ?? 0;
    if (entries >= count) return;
    if (Date.now() >= late) throw new Error(`the kernel has ${entries} entries of ${count} endpoints`);
    await setTimeout(200);
  }
}
