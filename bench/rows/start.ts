import { performance } from 'node:perf_hooks';
import { EtcdServers } from '../../test/lab/etcd-servers.ts';
import type { Host } from '../../test/lab/host.ts';
import { Lab } from '../../test/lab/lab.ts';
import { median, range, significant } from '../measure/statistics.ts';
import { atMost, type Figure, noGoal, type Row } from '../row.ts';
import { Api } from '../tools/api.ts';
import { createCrowdNetwork, crowd } from '../tools/crowd.ts';
import { joinRemotes, known, ofRemotes, remotes } from '../tools/remotes.ts';

const endpoints = 10_000;
const starts = 5;

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
    const flags = await joinRemotes(host, machine, etcd, endpoints);
    const there = { endpoints: remotes.endpoints, note: ofRemotes };
    return [...(await started({ host, flags, there })), ...alone];
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
