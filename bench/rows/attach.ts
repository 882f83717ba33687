import { performance } from 'node:perf_hooks';
import type { Host } from '../../test/lab/host.ts';
import { Lab } from '../../test/lab/lab.ts';
import { median, percentile, range, significant } from '../measure/statistics.ts';
import { atMost, type Figure, type Row } from '../row.ts';
import { Api } from '../tools/api.ts';
import { createCrowdNetwork, createNetns, crowd, crowdNetwork } from '../tools/crowd.ts';

/** Attaches, and detaches, that are measured; each in a namespace of its own. */
const measured = 200;

export const attach: Row = {
  number: 12,
  name: 'attach an endpoint',
  async run() {
    await using lab = await Lab.create({ clients: [] });
    const host = lab.host();
    using api = new Api(host);
    await createCrowdNetwork(api);
    await crowd(host, api, 0, 1000);
    const few = await measure(host, api, 1000, 15);
    await crowd(host, api, 1000, 10_000);
    return [few, await measure(host, api, 10_000, 10)];
  },
};

async function measure(host: Host, api: Api, present: number, limit: number): Promise<Figure> {
  const names = await createNetns(host, `one${present}x`, measured);
  const attaches = await timed(names, (name) =>
    api.call('POST', '/v1/endpoints', { network: crowdNetwork, netns: `/run/netns/${name}`, name }),
  );
  const detaches = await timed(names, (name) => api.call('DELETE', `/v1/endpoints/${name}`));
  const [p95, detach, detachP95] = [percentile(attaches, 0.95), median(detaches), percentile(detaches, 0.95)].map(
    (value) => significant(value, 3),
  );
  return {
    name: `attach an endpoint with ${present.toLocaleString('en')} present`,
    unit: 'ms',
    vetch: significant(median(attaches), 3),
    spread: range(attaches).map((value) => significant(value, 3)),
    peers: {},
    goal: atMost(limit, ' ms'),
    note:
      `${measured} attaches over the API one after the other, IPv4 and IPv6, each in a namespace of its own; ` +
      `p95 ${p95} ms; detach ${detach} ms, p95 ${detachP95} ms`,
  };
}

/** Milliseconds of each call, one after the other. */
async function timed(names: readonly string[], call: (name: string) => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  for (const name of names) {
    const start = performance.now();
    await call(name);
    times.push(performance.now() - start);
  }
  return times;
}
