import { performance } from 'node:perf_hooks';
import type { Host } from '../../test/lab/host.ts';
import { Lab } from '../../test/lab/lab.ts';
import { median, range, significant } from '../measure/statistics.ts';
import { atMost, type Figure, type Row } from '../row.ts';
import { Api } from '../tools/api.ts';
import { createCrowdNetwork, crowd } from '../tools/crowd.ts';

const endpoints = 10_000;
const starts = 7;

export const start: Row = {
  number: 14,
  name: 'start to everything programmed, 10,000 endpoints: empty kernel; kernel already right',
  async run() {
    await using lab = await Lab.create({ clients: [] });
    const host = lab.host();
    {
      using api = new Api(host);
      await createCrowdNetwork(api);
      await crowd(host, api, 0, endpoints);
    }
    return [
      await measure(host, 'empty kernel', 5000, () => host.must('rm', '-rf', `${host.bpffs}/v1`)),
      await measure(host, 'kernel already right', 1500, async () => {}),
    ];
  },
};

/** From the process's first moment until it says ready, which it does when every map, device and program is as it should be. */
async function measure(host: Host, name: string, limit: number, prepare: () => Promise<unknown>): Promise<Figure> {
  const times: number[] = [];
  for (let run = 0; run < starts; run++) {
    await host.stopDaemon();
    await prepare();
    const begun = performance.now();
    await host.start();
    times.push(performance.now() - begun);
  }
  return {
    name: `start to everything programmed, ${endpoints.toLocaleString('en')} endpoints, ${name}`,
    unit: 'ms',
    vetch: significant(median(times), 3),
    spread: range(times).map((value) => significant(value, 3)),
    peers: {},
    goal: atMost(limit, ' ms'),
    note: `${starts} starts, Node's own among them; devices there, no remote endpoints`,
  };
}
