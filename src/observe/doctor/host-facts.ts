import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { DeviceManager, DoctorFacts } from './facts.ts';

/** Settings that `doctor` looks at; `%` stands for the host device. */
const sysctlNames = [
  'net/ipv4/ip_local_port_range',
  'net/ipv4/conf/all/rp_filter',
  'net/ipv4/conf/all/route_localnet',
  'net/ipv4/conf/%/forwarding',
  'net/ipv4/conf/%/route_localnet',
  'net/ipv4/conf/%/rp_filter',
  'net/ipv6/conf/%/accept_ra',
  'net/ipv6/conf/%/disable_ipv6',
];

/** What files of this host say, in the namespaces of this process. */
export function hostFacts(
  hostDevice: string,
): Pick<DoctorFacts, 'hasBtf' | 'jit' | 'cgroup' | 'sysctls' | 'managers' | 'clock'> {
  const jit = read('/proc/sys/net/core/bpf_jit_enable');
  return {
    hasBtf: existsSync('/sys/kernel/btf/vmlinux'),
    jit: jit === undefined ? undefined : Number(jit),
    cgroup: cgroup2Mount(read('/proc/self/mounts') ?? ''),
    sysctls: sysctls(hostDevice),
    managers: managers(),
    clock: {
      now: new Date(),
      source: read('/sys/devices/system/clocksource/clocksource0/current_clocksource'),
    },
  };
}

/** Where cgroup2 is mounted first, of the text of /proc/self/mounts. */
export function cgroup2Mount(mounts: string): string | undefined {
  return cgroup2Mounts(mounts)[0];
}

/** Everywhere; another mount may hide one of them. */
export function cgroup2Mounts(mounts: string): string[] {
  return mounts.split('\n').flatMap((line) => {
    const [, path, type] = line.split(' ');
    if (type !== 'cgroup2' || path === undefined) return [];
    return path.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8)));
  });
}

function sysctls(hostDevice: string): Record<string, string> {
  return Object.fromEntries(
    sysctlNames.flatMap((name) => {
      const path = name.replace('%', hostDevice);
      const value = read(`/proc/sys/${path}`);
      return value === undefined ? [] : [[path, value]];
    }),
  );
}

function managers(): DeviceManager[] {
  return [
    {
      name: 'systemd-networkd',
      running: existsSync('/run/systemd/netif/state'),
      ...handsOff('/etc/systemd/network', '/usr/lib/systemd/network', '10-vetch.network'),
    },
    {
      name: 'NetworkManager',
      running: existsSync('/run/NetworkManager/devices'),
      ...handsOff('/etc/NetworkManager/conf.d', '/usr/lib/NetworkManager/conf.d', '10-vetch.conf'),
    },
  ];
}

/** Any file that bears our name: it is the administrator's to change. */
function handsOff(own: string, packaged: string, file: string): { handsOff: boolean; file: string } {
  for (const directory of [own, packaged]) {
    const found = list(directory).find((name) => name.includes('vetch'));
    if (found) return { handsOff: true, file: `${directory}/${found}` };
  }
  return { handsOff: false, file: `${own}/${file}` };
}

function list(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}
