import type { DoctorCheck } from '../../api/schemas/status.ts';
import type { DoctorFacts } from './facts.ts';

interface SysctlRule {
  /** `%` stands for the host device. */
  readonly name: string;
  readonly wanted: (value: number) => boolean;
  readonly right: string;
  readonly trouble: string;
}

const rules: readonly SysctlRule[] = [
  {
    name: 'net/ipv4/conf/%/forwarding',
    wanted: (value) => value === 1,
    right: '1',
    trouble: 'containers of networks that go by the stack reach nothing',
  },
  {
    name: 'net/ipv4/conf/all/route_localnet',
    wanted: (value) => value === 0,
    right: '0',
    trouble: 'the host answers for 127.0.0.0/8 to other machines',
  },
  {
    name: 'net/ipv4/conf/%/route_localnet',
    wanted: (value) => value === 0,
    right: '0',
    trouble: 'containers reach 127.0.0.0/8 of the host',
  },
  {
    name: 'net/ipv6/conf/%/disable_ipv6',
    wanted: (value) => value === 0,
    right: '0',
    trouble: 'containers with IPv6 do not reach this host',
  },
  {
    name: 'net/ipv6/conf/%/accept_ra',
    wanted: (value) => value === 0,
    right: '0',
    trouble: 'a router advertisement there would set routes of the host',
  },
];

/** One check for each setting that is there. */
export function sysctlChecks({ sysctls, hostDevice }: DoctorFacts): DoctorCheck[] {
  const checks = rules.flatMap(({ name, wanted, right, trouble }): DoctorCheck[] => {
    const path = name.replace('%', hostDevice);
    const value = sysctls[path];
    if (value === undefined) return [];
    const ok = wanted(Number(value));
    // sysctl takes the slashes of /proc/sys too, and needs them for a device with a dot in its name.
    return [
      {
        check: `sysctl ${path}`,
        ok,
        detail: ok ? value : `is ${value}: ${trouble}`,
        remedy: ok ? null : `sysctl -w ${path}=${right}`,
      },
    ];
  });
  return [...checks, ...rpFilterCheck(sysctls, hostDevice)];
}

/** The kernel uses the stricter of both. Strict is fine: what is for the host comes up the device that has the routes. */
function rpFilterCheck(sysctls: DoctorFacts['sysctls'], hostDevice: string): DoctorCheck[] {
  const all = sysctls['net/ipv4/conf/all/rp_filter'];
  const own = sysctls[`net/ipv4/conf/${hostDevice}/rp_filter`];
  if (all === undefined || own === undefined) return [];
  const names = ['off', 'strict', 'loose'];
  const value = Math.max(Number(all), Number(own));
  return [{ check: 'rp_filter', ok: true, detail: `${names[value] ?? value} on ${hostDevice}`, remedy: null }];
}
