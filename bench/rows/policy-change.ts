import { performance } from 'node:perf_hooks';
import { Lab } from '../../test/lab/lab.ts';
import { run } from '../../test/lab/process.ts';
import { median, percentile, range, significant } from '../measure/statistics.ts';
import { atMost, type Figure, type Row } from '../row.ts';
import { Api } from '../tools/api.ts';
import { documents } from '../tools/documents.ts';
import { latencyCpu, pinned } from '../tools/pinned.ts';

const programOf = (name: string) => new URL(`../programs/${name}.ts`, import.meta.url).pathname;
const network = 'bench';
export const policyChange: Row = {
  number: 10,
  name: '10,000 policy entries into the kernel; 10,000 policies from cold; change to enforced on 1,000 endpoints, p99',
  run: async () => [await loaded(), await cold(), await enforced()],
};

async function measured<T>(name: string): Promise<T> {
  const program = programOf(name);
  const { stdout, stderr, status } = await run(pinned(latencyCpu, process.execPath, program), { timeoutSeconds: 170 });
  if (status !== 0) throw new Error(`${program}: ${stderr}`);
  return JSON.parse(stdout) as T;
}

async function loaded(): Promise<Figure> {
  const { load, replace } = await measured<Record<'load' | 'replace', number[]>>('policy-load');
  return {
    name: '10,000 policy entries into the kernel, until they count',
    unit: 'ms',
    vetch: significant(median(load), 3),
    spread: range(load).map((value) => significant(value, 3)),
    peers: {},
    goal: atMost(25, ' ms'),
    note: `9,000 pairs and 1,000 ports, ${load.length} times, the first ${significant(load[0] ?? 0, 3)} ms; replacing all of them ${significant(median(replace), 3)} ms`,
  };
}

/** Each time a process of its own: nothing is known, and no code has run yet. */
async function cold(): Promise<Figure> {
  const runs: Record<'compile' | 'load' | 'pairs' | 'ports', number>[] = [];
  for (let index = 0; index < 5; index++) runs.push(await measured('policy-cold'));
  const together = runs.map(({ compile, load }) => compile + load);
  const [first] = runs;
  return {
    name: '10,000 policies over 1,000 identities, compiled and loaded into the kernel from cold',
    unit: 'ms',
    vetch: significant(median(together), 3),
    spread: range(together).map((value) => significant(value, 3)),
    peers: {},
    goal: atMost(2000, ' ms'),
    note: `${runs.length} processes, one time each: ${first?.pairs} pairs and ${first?.ports} entries of ports; compiled in ${significant(median(runs.map(({ compile }) => compile)), 3)} ms, loaded in ${significant(median(runs.map(({ load }) => load)), 3)} ms`,
  };
}

/** From the request until every endpoint is judged by it: the answer comes when the one store is made. */
async function enforced(): Promise<Figure> {
  await using lab = await Lab.create({ clients: [] });
  const host = lab.host();
  using api = new Api(host);
  await api.call('POST', '/v1/networks', { name: network, subnets: ['10.88.0.0/16'], ipv6: true });
  await host.container('crowd');
  for (let index = 0; index < 1000; index++) {
    await api.call('POST', '/v1/endpoints', {
      network,
      netns: '/run/netns/crowd',
      name: `e${index}`,
      ifname: `eth${index}`,
      labels: { group: `g${index}`, side: index % 2 === 0 ? 'even' : 'odd' },
    });
  }
  await api.call('POST', '/v1/policies', { text: documents(network, 2_500, 1000) });
  const times: number[] = [];
  for (let change = 0; change < 200; change++) {
    const text = JSON.stringify({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'all', namespace: network },
      spec: { podSelector: {}, ingress: [{ ports: [{ port: 8000 + (change % 2) }] }] },
    });
    const start = performance.now();
    await api.call('POST', '/v1/policies', { text });
    times.push(performance.now() - start);
  }
  return {
    name: 'one document that governs 1,000 endpoints of as many identities: from the request until it is enforced on all, p99',
    unit: 'ms',
    vetch: significant(percentile(times, 0.99), 3),
    spread: range(times).map((value) => significant(value, 3)),
    peers: {},
    goal: atMost(50, ' ms'),
    note: `${times.length} changes over the API, one after the other, beside 2,500 other documents; median ${significant(median(times), 3)} ms`,
  };
}
