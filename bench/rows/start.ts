import { performance } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
import { EtcdServers } from '../../test/lab/etcd-servers.ts';
import type { Host } from '../../test/lab/host.ts';
import { Lab } from '../../test/lab/lab.ts';
import { must } from '../../test/lab/process.ts';
import { median, range, significant } from '../measure/statistics.ts';
import { atMost, type Figure, noGoal, type Row } from '../row.ts';
import { Api } from '../tools/api.ts';
import { createCrowdNetwork, crowd } from '../tools/crowd.ts';

const endpoints = 10_000;
const remotes = { endpoints: 100_000, hosts: 100, networks: 4 } as const;
const starts = 5;

const remoteEndpoints = new URL('../programs/remote-endpoints.ts', import.meta.url).pathname;

export const start: Row = {
  number: 14,
  name: 'start to everything programmed, 10,000 endpoints and 100,000 remote ones: empty kernel; kernel already right',
  async run() {
    await using lab = await Lab.create({ clients: ['etcd'] });
    const [host, machine] = [lab.host(), lab.client('etcd')];
    {
      using api = new Api(host);
      await createCrowdNetwork(api);
      await crowd(host, api, 0, endpoints);
    }
    const alone = await started({ host, flags: [], there: { endpoints: 0, note: 'no remote endpoints' } });

    await using etcd = await EtcdServers.start({ count: 1, machine });
    const [store = ''] = etcd.endpoints;
    const flags = ['--store', `etcd://${store}`];
    await host.stopDaemon();
    await host.start(...flags);
    const networks = Array.from({ length: remotes.networks }, (_, index) => `wide${index}`);
    for (const [index, name] of networks.entries()) {
      await host.vetch('network', 'create', name, '--driver', 'overlay', '--subnet', `10.${128 + index}.0.0/16`);
    }
    const writing = [process.execPath, remoteEndpoints, store, `${remotes.hosts}`, `${remotes.endpoints}`, ...networks];
    await must(machine.command(writing), { timeoutSeconds: 300 });
    await known(host, endpoints + remotes.endpoints);
    const note = `those of ${remotes.hosts} other hosts in ${remotes.networks} networks, from an etcd on this machine`;
    return [...(await started({ host, flags, there: { endpoints: remotes.endpoints, note } })), ...alone];
  },
};

interface Started {
  readonly host: Host;
  readonly flags: readonly string[];
  /** On other hosts. */
  readonly there: { readonly endpoints: number; readonly note: string };
}

/** With nothing in the kernel, and with everything. Only with remote endpoints do the goals hold. */
async function started({ host, flags, there }: Started): Promise<Figure[]> {
  const what = there.endpoints > 0 ? ` and ${there.endpoints.toLocaleString('en')} remote ones` : '';
  const figures: Figure[] = [];
  for (const [kernel, limit] of [
    ['empty kernel', 5000],
    ['kernel already right', 1500],
  ] as const) {
    const times: number[] = [];
    for (let run = 0; run < starts; run++) {
      await host.stopDaemon();
      if (kernel === 'empty kernel') await host.must('rm', '-rf', `${host.bpffs}/v1`);
      const begun = performance.now();
      await host.start(...flags);
      times.push(performance.now() - begun);
      await known(host, endpoints + there.endpoints, 0);
    }
    figures.push({
      name: `start to everything programmed, ${endpoints.toLocaleString('en')} endpoints${what}, ${kernel}`,
      unit: 'ms',
      vetch: significant(median(times), 3),
      spread: range(times).map((value) => significant(value, 3)),
      peers: {},
      goal: there.endpoints > 0 ? atMost(limit, ' ms') : noGoal,
      note: `${starts} starts, from the process's first moment until it says ready, Node's own among them; devices there, ${there.note}`,
    });
  }
  return figures;
}

/**
 * Waits until the kernel has so many endpoints.
 *
 * @param seconds 0: they have to be there, for the daemon has said that everything is
 */
async function known(host: Host, count: number, seconds = 60): Promise<void> {
  const late = Date.now() + seconds * 1000;
  for (;;) {
    const { maps } = await host.vetch<{ maps: { name: string; entries: number }[] }>('status');
    const entries = maps.find(({ name }) => name === 'endpoints')?.entries ?? 0;
    if (entries >= count) return;
    if (Date.now() >= late) throw new Error(`the kernel has ${entries} entries of ${count} endpoints`);
    await setTimeout(200);
  }
}
