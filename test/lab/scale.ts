import { readdirSync, readFileSync } from 'node:fs';
import type { Api } from './api.ts';
import type { Host } from './host.ts';
import { must } from './process.ts';
import type { AttachedEndpoint } from './vetch.ts';

/** Milliseconds of many runs of the same. */
export interface Spread {
  readonly median: number;
  readonly p99: number;
  readonly max: number;
}

export function spreadOf(times: readonly number[]): Spread {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
  return { median: at(0.5), p99: at(0.99), max: at(1) };
}

export function timesText(times: readonly number[]): string {
  const { median, p99, max } = spreadOf(times);
  return `median ${median.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, at most ${max.toFixed(1)} ms of ${times.length}`;
}

/** Makes network namespaces on a host, in one process: nothing is in them but a loopback. @returns their paths */
export async function makeSandboxes(host: Host, prefix: string, count: number): Promise<string[]> {
  const names = Array.from({ length: count }, (_, i) => `${prefix}${i}`);
  const input = names.map((name) => `netns add ${name}`).join('\n');
  await must(host.command(['ip', '-batch', '-']), { input, timeoutSeconds: 60 });
  return names.map((name) => `/run/netns/${name}`);
}

/** One namespace after the other is attached, and named as it; each request is timed as its client sees it. */
export async function attachAll(
  api: Api,
  network: string,
  sandboxes: readonly string[],
  request: Readonly<Record<string, unknown>> = {},
): Promise<{ readonly endpoints: AttachedEndpoint[]; readonly times: number[] }> {
  const endpoints: AttachedEndpoint[] = [];
  const times: number[] = [];
  for (const netns of sandboxes) {
    const name = netns.slice(netns.lastIndexOf('/') + 1);
    const begun = performance.now();
    endpoints.push(await api.call<AttachedEndpoint>('POST', '/endpoints', { network, netns, name, ...request }));
    times.push(performance.now() - begun);
  }
  return { endpoints, times };
}

/** Attaches and detaches one endpoint `rounds` times while the others are there. */
export async function cycle(
  api: Api,
  network: string,
  netns: string,
  rounds: number,
): Promise<{ readonly attach: number[]; readonly detach: number[]; readonly addresses: ReadonlySet<string> }> {
  const attach: number[] = [];
  const detach: number[] = [];
  const addresses = new Set<string>();
  for (let round = 0; round < rounds; round++) {
    const begun = performance.now();
    const { id, addresses: given } = await api.call<AttachedEndpoint>('POST', '/endpoints', { network, netns });
    const attached = performance.now();
    await api.call('DELETE', `/endpoints/${id}`);
    attach.push(attached - begun);
    detach.push(performance.now() - attached);
    addresses.add(given.join(' '));
  }
  return { attach, detach, addresses };
}

/** Milliseconds of one request that publishes `count` ports. */
export async function publishMany(api: Api, endpoint: string, first: number, count: number): Promise<number> {
  const range = `${first}-${first + count - 1}`;
  const begun = performance.now();
  await api.call('POST', `/endpoints/${endpoint}/ports`, { spec: `${range}:${range}` });
  return performance.now() - begun;
}

/** What a start of the daemon took, in seconds. */
export interface Start {
  /** From the start of the process until it says that it is ready. */
  readonly wall: number;
  /** By its own clock, without the start of the runtime. */
  readonly own: number;
}

export async function timeStart(host: Host): Promise<Start> {
  const begun = performance.now();
  await host.start();
  const wall = (performance.now() - begun) / 1000;
  const [, milliseconds = 'NaN'] = host.daemon.output.match(/"milliseconds":(\d+)/) ?? [];
  return { wall, own: Number(milliseconds) / 1000 };
}

/** The host ends of endpoints' veths, sorted. */
export async function endpointDevices(host: Host): Promise<string[]> {
  const links = JSON.parse(await host.must('ip', '-j', 'link')) as { ifname: string }[];
  return links
    .map(({ ifname }) => ifname)
    .filter((name) => /^vt[0-9a-f]{11}$/.test(name))
    .sort();
}

/** What a process holds. */
export interface Held {
  readonly descriptors: number;
  readonly threads: number;
  /** Bytes of memory that are in use (resident). */
  readonly memory: number;
}

export function heldBy(pid: number): Held {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const field = (name: string) => Number(new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(status)?.[1]);
  return {
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    threads: field('Threads'),
    memory: field('VmRSS') * 1024,
  };
}
