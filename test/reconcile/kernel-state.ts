import { setTimeout as sleep } from 'node:timers/promises';
import type { Host } from '../lab/host.ts';
import { slowness } from '../lab/process.ts';

/** What the kernel holds of ours on a host, seen with other people's tools. */
export async function kernelState(host: Host) {
  const list = async (directory: string) =>
    (await host.exec('sh', '-c', `ls ${host.bpffs}/v1/${directory} 2>/dev/null`)).stdout.split('\n').filter(Boolean);
  const programs: Record<string, number> = {};
  for (const name of await list('progs')) programs[name] = await idOf(host, 'prog', `progs/${name}`);
  const links: Record<string, number> = {};
  for (const hook of await list('links')) {
    for (const target of await list(`links/${hook}`)) {
      links[`${hook} ${target.split('%2f').at(-1)}`] = await idOf(host, 'link', `links/${hook}/${target}`);
    }
  }
  return { programs, links };
}

/** Entries of a map as bpftool prints them. */
export async function dump(host: Host, map: string): Promise<readonly { key: unknown; value: unknown }[]> {
  const text = await host.must('bpftool', '-j', 'map', 'dump', 'pinned', `${host.bpffs}/v1/maps/${map}`);
  const rows = JSON.parse(text) as { key: unknown; value: unknown; formatted?: { key: unknown; value: unknown } }[];
  return rows.map((row) => row.formatted ?? row);
}

/** All control-plane maps as one text; `config` without the permissions' generation. */
export async function controlMaps(host: Host): Promise<string> {
  const maps = ['networks', 'subnets', 'host_addrs', 'uplinks', 'interfaces', 'endpoints', 'members', 'bound_ports'];
  const rows: string[] = [];
  for (const map of [...maps, 'published', 'published_lo', 'address_blocks', 'policy', 'policy_ports', 'identities']) {
    for (const row of await dump(host, map)) {
      // An array has a slot for everybody who could be there.
      const text = JSON.stringify(row);
      if (map !== 'identities' || !/^"standing":\[(\{"identity":0,"flags":0\},?)+\]$/.test(valueText(row.value))) {
        rows.push(`${map} ${text}`);
      }
    }
  }
  return rows.sort().join('\n');
}

function valueText(value: unknown): string {
  return JSON.stringify(value).slice(1, -1);
}

/** Everything of the host's network that somebody could have left behind. */
export async function networkState(host: Host): Promise<string> {
  const sysctls = "find /proc/sys/net -type f -path '*conf*' 2>/dev/null | sort | xargs grep -H . 2>/dev/null";
  const parts = [
    await host.must('ip', '-o', 'link'),
    await host.must('ip', '-o', 'address'),
    await host.must('ip', 'route', 'show', 'table', 'all'),
    await host.must('ip', '-6', 'route', 'show', 'table', 'all'),
    await host.must('tc', 'qdisc', 'show'),
    (await host.exec('sh', '-c', sysctls)).stdout,
    (await host.exec('bpftool', 'cgroup', 'show', host.place.cgroup)).stdout,
  ];
  return parts.join('\n');
}

/** Makes a change that the daemon looks at, and waits until `expected` holds. */
export async function afterPass(host: Host, expected: () => Promise<boolean>): Promise<void> {
  const late = Date.now() + 10_000 * slowness;
  while (Date.now() < late) {
    await host.ip('route add blackhole 198.18.0.1', 'route delete blackhole 198.18.0.1');
    await sleep(300);
    if (await expected()) return;
  }
  throw new Error(`it is not repaired: ${host.daemon.output}`);
}

async function idOf(host: Host, kind: 'prog' | 'link', path: string): Promise<number> {
  const text = await host.must('bpftool', '-j', kind, 'show', 'pinned', `${host.bpffs}/v1/${path}`);
  return (JSON.parse(text) as { id: number }).id;
}

export async function ifindexOf(host: Host, device: string): Promise<number> {
  const [link] = JSON.parse(await host.must('ip', '-j', 'link', 'show', device)) as { ifindex: number }[];
  return link?.ifindex ?? 0;
}
