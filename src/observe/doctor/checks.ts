import type { DoctorCheck } from '../../api/schemas/status.ts';
import { isNearlyFull } from '../maps/fill.ts';
import type { DoctorFacts, PortRange } from './facts.ts';
import { sysctlChecks } from './sysctl-checks.ts';

/** Every check of `doctor`, in the order in which they are printed. */
export function doctorChecks(facts: DoctorFacts): DoctorCheck[] {
  return [
    ...facts.features.map(featureCheck),
    check(
      'btf',
      facts.hasBtf,
      '/sys/kernel/btf/vmlinux',
      'the kernel has no BTF',
      'boot a kernel with CONFIG_DEBUG_INFO_BTF',
    ),
    check(
      'bpf-jit',
      facts.jit !== 0,
      'programs are compiled',
      'programs are interpreted',
      'sysctl -w net.core.bpf_jit_enable=1',
    ),
    check(
      'bpffs',
      facts.bpffs.mounted,
      facts.bpffs.path,
      `${facts.bpffs.path} is not on a BPF file system`,
      'mount -t bpf bpf /sys/fs/bpf',
    ),
    check(
      'cgroup2',
      facts.cgroup !== undefined,
      facts.cgroup ?? '',
      'no cgroup2 is mounted: published ports are not reachable from this host by localhost',
      'mount -t cgroup2 none /sys/fs/cgroup/unified, and start the daemon with --cgroup',
    ),
    ...sysctlChecks(facts),
    snatPortsCheck(facts),
    ...firewallChecks(facts),
    ...programChecks(facts),
    ...facts.managers
      .filter(({ running }) => running)
      .map(({ name, handsOff, file }) =>
        check(
          name,
          handsOff,
          `leaves our devices alone (${file})`,
          `${name} runs and may adopt our devices`,
          `make install puts ${file} in place`,
        ),
      ),
    ...clockChecks(facts),
    mapsCheck(facts),
    ...pinChecks(facts),
  ];
}

/** `detail` is said when ok, `trouble` when not. */
export function check(name: string, ok: boolean, detail: string, trouble: string, remedy: string): DoctorCheck {
  return { check: name, ok, detail: ok ? detail : trouble, remedy: ok ? null : remedy };
}

function featureCheck(feature: DoctorFacts['features'][number]): DoctorCheck {
  const name = `kernel: ${feature.name}`;
  if (!feature.ok && feature.fallback) {
    return { check: name, ok: true, detail: `missing; ${feature.fallback} takes its place`, remedy: null };
  }
  return check(
    name,
    feature.ok,
    feature.detail || 'present',
    feature.detail || 'missing',
    `boot Linux ${feature.since} or newer`,
  );
}

function snatPortsCheck({ snatPorts, sysctls }: DoctorFacts): DoctorCheck {
  const local = portRange(sysctls['net/ipv4/ip_local_port_range']);
  const overlap = local && overlapOf(snatPorts, local);
  return check(
    'snat-ports',
    !overlap,
    `${snatPorts.join('-')}, apart from the host's ${local?.join('-') ?? 'own'}`,
    `masquerading uses ${snatPorts.join('-')}, and the host's own sockets ${local?.join('-')}`,
    `sysctl -w net.ipv4.ip_local_port_range="${local?.[0]} ${snatPorts[0] - 1}", then restart the daemon`,
  );
}

/** Of two numbers with blanks between them, as `ip_local_port_range` has. */
export function portRange(text: string | undefined): PortRange | undefined {
  const [first, last] = text?.trim().split(/\s+/).map(Number) ?? [];
  return first === undefined || last === undefined || Number.isNaN(first + last) ? undefined : [first, last];
}

function overlapOf(a: PortRange, b: PortRange): boolean {
  return a[0] <= b[1] && b[0] <= a[1];
}

function firewallChecks({ inputChains, hostDevice }: DoctorFacts): DoctorCheck[] {
  return inputChains
    .filter(({ drops }) => drops)
    .map(({ name, namesHostDevice }) =>
      check(
        `firewall: ${name}`,
        namesHostDevice,
        `drops by default, and has a rule for ${hostDevice}`,
        `drops by default: containers cannot reach services of this host`,
        name.startsWith('nftables')
          ? `nft insert rule ${name.slice('nftables '.length)} iifname ${hostDevice} accept, or narrower, if they should`
          : `${name.split(' ')[0]} -I INPUT -i ${hostDevice} -j ACCEPT, or narrower, if they should`,
      ),
    );
}

/** A program beside ours is not wrong, but whoever looks for a lost packet should know of it; XDP has one place only. */
function programChecks({ foreignPrograms }: DoctorFacts): DoctorCheck[] {
  return foreignPrograms.map(({ device, hook, name, id }) =>
    check(
      `programs: ${device} ${hook}`,
      hook !== 'xdp',
      `also runs ${name} (id ${id}), which is not ours`,
      `XDP program ${name} (id ${id}) holds the device's one place: the deny list cannot act on ${device}`,
      `bpftool prog show id ${id} tells whose it is; detach it, or leave ${device} out of --uplink`,
    ),
  );
}

function clockChecks({ clock }: DoctorFacts): DoctorCheck[] {
  const slow = ['hpet', 'acpi_pm', 'jiffies'];
  return [
    check(
      'clock',
      clock.now.getTime() > Date.UTC(2025, 0),
      clock.now.toISOString(),
      `it is ${clock.now.toISOString()}: times of flows are wrong`,
      'set the clock, or start a time service',
    ),
    check(
      'clocksource',
      clock.source === undefined || !slow.includes(clock.source),
      clock.source ?? 'unknown',
      `${clock.source} is slow to read, and every packet reads it`,
      'see available_clocksource in /sys/devices/system/clocksource/clocksource0 for tsc or kvm-clock',
    ),
  ];
}

function mapsCheck({ maps }: DoctorFacts): DoctorCheck {
  const full = maps.filter(isNearlyFull);
  return check(
    'maps',
    full.length === 0,
    'none is nearly full',
    full.map(({ name, entries, capacity }) => `${name} holds ${entries} of ${capacity} entries`).join(', '),
    `raise ${full.map(({ name }) => `map-sizes.${name}`).join(', ')} in the configuration`,
  );
}

function pinChecks({ pins }: DoctorFacts): DoctorCheck[] {
  const others = pins.layouts.filter((layout) => layout !== pins.expected);
  return [
    check(
      'pins',
      pins.layouts.includes(pins.expected) && pins.missing.length === 0,
      `${pins.directory}/${pins.expected}`,
      pins.missing.length > 0
        ? `no pin of ${pins.missing.join(', ')} in ${pins.directory}/${pins.expected}/maps`
        : `${pins.directory}/${pins.expected} is not there`,
      'restart the daemon',
    ),
    check(
      'pins of other versions',
      others.length === 0,
      'none',
      `${others.join(', ')} in ${pins.directory}: maps of another version of vetch`,
      'they go with vetch daemon --uninstall of that version',
    ),
  ];
}
