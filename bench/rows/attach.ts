import { performance } from 'node:perf_hooks';
import type { Host } from '../../test/lab/host.ts';
import { Lab } from '../../test/lab/lab.ts';
import { must } from '../../test/lab/process.ts';
import { median, percentile, range, significant } from '../measure/statistics.ts';
import { atMost, type Figure, type Row } from '../row.ts';
import { Api } from '../tools/api.ts';

/** Endpoints that are there before the clock starts. More take minutes, most of them the kernel's to end namespaces. */
const present = Number(process.env.BENCH_ENDPOINTS ?? 1000);
const measured = 200;
/** A namespace of the crowd holds so many endpoints; those that are measured have one each. */
const perNetns = 10;

export const attach: Row = {
  number: 12,
  name: 'attach an endpoint',
  async run() {
    await using lab = await Lab.create({ clients: [] });
    const host = lab.host();
    using api = new Api(host);
    await api.call('POST', '/v1/networks', { name: 'bench', subnets: ['10.88.0.0/16'], ipv6: true });
    await crowd(host, api);
    const names = await createNetns(host, 'one', measured);
    const times: number[] = [];
    for (const name of names) {
      const start = performance.now();
      await api.call('POST', '/v1/endpoints', { network: 'bench', netns: `/run/netns/${name}`, name });
      times.push(performance.now() - start);
    }
    const detaches: number[] = [];
    for (const name of names) {
      const start = performance.now();
      await api.call('DELETE', `/v1/endpoints/${name}`);
      detaches.push(performance.now() - start);
    }
    return [figure(times, detaches)];
  },
};

function figure(times: readonly number[], detaches: readonly number[]): Figure {
  const [p95, slowest] = [percentile(times, 0.95), Math.max(...times)].map((value) => significant(value, 3));
  return {
    name: `attach an endpoint with ${present.toLocaleString('en')} present`,
    unit: 'ms',
    vetch: significant(median(times), 3),
    spread: range(times).map((value) => significant(value, 3)),
    peers: {},
    goal: atMost(10, ' ms'),
    note: [
      `${times.length} attaches over the API one after the other, IPv4 and IPv6, each in a namespace of its own`,
      `p95 ${p95} ms, slowest ${slowest} ms; detach ${significant(median(detaches), 3)} ms`,
      ...(present < 10_000 ? ['the goal is for 10,000 present: BENCH_ENDPOINTS=10000 measures that'] : []),
    ].join('; '),
  };
}

async function crowd(host: Host, api: Api): Promise<void> {
  const names = await createNetns(host, 'crowd', Math.ceil(present / perNetns));
  for (const name of names) {
    const attaches = Array.from({ length: perNetns }, (_, i) =>
      api.call('POST', '/v1/endpoints', {
        network: 'bench',
        netns: `/run/netns/${name}`,
        name: `${name}-${i}`,
        ifname: `eth${i}`,
      }),
    );
    await Promise.all(attaches);
  }
}

/** Many namespaces in one process. */
async function createNetns(host: Host, prefix: string, count: number): Promise<string[]> {
  const names = Array.from({ length: count }, (_, i) => `${prefix}${i}`);
  const lines = names.map((name) => `netns add ${name}`).join('\n');
  await must(host.command(['ip', '-batch', '-']), { input: lines, timeoutSeconds: 120 });
  return names;
}
