import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
import { EtcdServers } from '../../test/lab/etcd-servers.ts';
import type { Host } from '../../test/lab/host.ts';
import { Lab } from '../../test/lab/lab.ts';
import { median, percentile, range, significant } from '../measure/statistics.ts';
import { type Figure, noGoal, type Row } from '../row.ts';
import { Api } from '../tools/api.ts';
import { createCrowdNetwork, createNetns, crowd, crowdNetwork } from '../tools/crowd.ts';
import { documents } from '../tools/documents.ts';
import { joinRemotes, known, ofRemotes, remotes } from '../tools/remotes.ts';
import { residentMegabytes } from './memory.ts';

const [endpoints, ports, policies, groups] = [10_000, 50_000, 10_000, 1_000];
/** Of one endpoint; a call publishes them, and holds each meanwhile. */
const portsEach = 1_000;
/** Of one call: etcd's transactions take no more. */
const documentsEach = 100;
const firstPort = 5_000;
const changes = 50;
const starts = 3;
/** Seconds. */
const [settling, idle] = [40, 60];

const count = (number: number) => number.toLocaleString('en');

/** All of it at once, on one host. What each is alone is in other rows. */
export const scale: Row = {
  number: 18,
  name: `a host with ${count(endpoints)} endpoints, ${count(remotes.endpoints)} remote ones, ${count(ports)} published ports, ${count(policies)} policies`,
  async run() {
    await using lab = await Lab.create({ clients: ['etcd'] });
    const [host, machine] = [lab.host(), lab.client('etcd')];
    // What it connects from is not to be a port that is published.
    await host.must('sysctl', '-qw', 'net.ipv4.ip_local_port_range=60000 65000');
    {
      using api = new Api(host);
      await createCrowdNetwork(api);
      await crowd(host, api, 0, endpoints, groups);
    }
    await using etcd = await EtcdServers.start({ count: 1, machine });
    const flags = await joinRemotes(host, machine, etcd, endpoints);
    {
      using api = new Api(host);
      await publish(api);
      const all = documents(crowdNetwork, policies, groups).split('\n---\n');
      for (let at = 0; at < policies; at += documentsEach) {
        await api.call('POST', '/v1/policies', { text: all.slice(at, at + documentsEach).join('\n---\n') });
      }
    }
    const figures = [await started(host, flags, 'empty kernel'), await started(host, flags, 'kernel already right')];
    using api = new Api(host);
    figures.push(await attached(host, api), await labelled(api));
    await setTimeout(settling * 1000);
    figures.push(await resting(host.daemon.pid));
    return figures;
  },
};

async function publish(api: Api): Promise<void> {
  for (let at = 0; at < ports; at += portsEach) {
    const spec = `${firstPort + at}-${firstPort + at + portsEach - 1}:1-${portsEach}`;
    await api.call('POST', `/v1/endpoints/crowd0x${at / portsEach}-0/ports`, { spec });
  }
}

async function started(host: Host, flags: readonly string[], kernel: string): Promise<Figure> {
  const times: number[] = [];
  for (let run = 0; run < starts; run++) {
    await host.stopDaemon();
    if (kernel === 'empty kernel') await host.must('rm', '-rf', `${host.bpffs}/v1`);
    const begun = performance.now();
    await host.start(...flags);
    times.push(performance.now() - begun);
    await known(host, endpoints + remotes.endpoints, 0);
  }
  return figure(`start, ${kernel}`, 'ms', times, `${starts} starts, until it says ready; ${ofRemotes}`);
}

async function attached(host: Host, api: Api): Promise<Figure> {
  const names = await createNetns(host, 'scale', changes);
  const times = await timed(names, (name, at) =>
    api.call('POST', '/v1/endpoints', {
      ...{ network: crowdNetwork, netns: `/run/netns/${name}`, name },
      labels: { group: `g${at}` },
    }),
  );
  return figure('attach one more endpoint', 'ms', times, note(times));
}

/** From the request until it is enforced: the answer comes then. */
async function labelled(api: Api): Promise<Figure> {
  const names = Array.from({ length: changes }, (_, at) => `crowd0x${at}-1`);
  const times = await timed(names, (name, at) =>
    api.call('PATCH', `/v1/endpoints/${name}/labels`, { set: { group: `g${(at * 7 + 3) % groups}` }, remove: [] }),
  );
  return figure('one label of an endpoint, until it is enforced', 'ms', times, note(times));
}

async function resting(pid: number): Promise<Figure> {
  const before = cpuMilliseconds(pid);
  const megabytes: number[] = [];
  for (let second = 0; second < idle; second++) {
    await setTimeout(1000);
    megabytes.push(residentMegabytes(pid));
  }
  const percent = (cpuMilliseconds(pid) - before) / (idle * 10);
  const text = `VmRSS each second for ${idle} s, from ${settling} s after the last change on, two passes among them; the daemon took ${significant(percent, 2)} % of one CPU meanwhile`;
  return figure('memory while nothing changes', 'MB', megabytes, text);
}

/** User's and system's. */
function cpuMilliseconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

const note = (times: readonly number[]) =>
  `${times.length} times over the API, one after the other; p99 ${significant(percentile(times, 0.99), 3)} ms`;

function figure(what: string, unit: string, values: readonly number[], text: string): Figure {
  return {
    name: `at scale: ${what}`,
    ...{ unit, vetch: significant(median(values), 3) },
    spread: range(values).map((value) => significant(value, 3)),
    ...{ peers: {}, goal: noGoal, note: text },
  };
}

async function timed(
  names: readonly string[],
  call: (name: string, at: number) => Promise<unknown>,
): Promise<number[]> {
  const times: number[] = [];
  for (const [at, name] of names.entries()) {
    const begun = performance.now();
    await call(name, at);
    times.push(performance.now() - begun);
  }
  return times;
}
