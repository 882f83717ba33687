import { performance } from 'node:perf_hooks';
import { Lab } from '../../test/lab/lab.ts';
import { median, range, significant } from '../measure/statistics.ts';
import { atMost, type Row } from '../row.ts';
import { Api } from '../tools/api.ts';

const runs = 31;
const spec = '20000-20199:8000-8199';

export const publishPorts: Row = {
  number: 16,
  name: 'publish 200 ports on one container',
  async run() {
    await using lab = await Lab.create({ clients: [] });
    const host = lab.host();
    using api = new Api(host);
    await api.call('POST', '/v1/networks', { name: 'bench', subnets: ['10.88.0.0/16'], ipv6: true });
    await host.attach('bench', 'server');
    const publishes: number[] = [];
    const removals: number[] = [];
    for (let run = 0; run < runs; run++) {
      const begun = performance.now();
      const published = await api.call<unknown[]>('POST', '/v1/endpoints/server/ports', { spec });
      publishes.push(performance.now() - begun);
      if (published.length < 200) throw new Error(`published ${published.length} ports of 200`);
      const publishedAt = performance.now();
      await api.call('DELETE', `/v1/endpoints/server/ports?spec=${encodeURIComponent(spec)}`);
      removals.push(performance.now() - publishedAt);
    }
    return [
      {
        name: 'publish 200 ports on one container',
        unit: 'ms',
        vetch: significant(median(publishes), 3),
        spread: range(publishes).map((value) => significant(value, 3)),
        peers: {},
        goal: atMost(50, ' ms'),
        note:
          `one range in one call over the API, ${runs} times, IPv4 and IPv6, the first ${significant(publishes[0] ?? 0, 3)} ms; ` +
          `taken back in ${significant(median(removals), 3)} ms; each port is tried on the host first`,
      },
    ];
  },
};
