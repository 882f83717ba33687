import type { MapFill } from '../maps/fill.ts';

/** First and last port. */
export type PortRange = readonly [first: number, last: number];

/** A kernel feature, as src/loader/features.ts probes it. */
export interface FeatureFact {
  readonly name: string;
  readonly ok: boolean;
  /** The kernel that has it, as `6.6`. */
  readonly since: string;
  readonly detail: string;
  /** What takes its place; absent: nothing does. */
  readonly fallback?: string;
}

/** A firewall's chain for packets to the host itself. */
export interface InputChain {
  /** As `iptables INPUT` or `nftables inet filter input`. */
  readonly name: string;
  readonly drops: boolean;
  /** Whether a rule of it names the host device. */
  readonly namesHostDevice: boolean;
}

/** A program on an uplink that is not ours. */
export interface ForeignProgram {
  readonly device: string;
  readonly hook: 'xdp' | 'tcx_ingress' | 'tcx_egress' | 'clsact';
  readonly name: string;
  readonly id: number;
}

/** A service that adopts devices it is not told to leave alone. */
export interface DeviceManager {
  readonly name: string;
  readonly running: boolean;
  /** A file that tells it to leave ours alone. */
  readonly handsOff: boolean;
  /** Where that file belongs. */
  readonly file: string;
}

/** What `doctor` judges, gathered beforehand. */
export interface DoctorFacts {
  readonly features: readonly FeatureFact[];
  readonly hasBtf: boolean;
  /** `net.core.bpf_jit_enable`; undefined: a kernel that always compiles. */
  readonly jit: number | undefined;
  readonly bpffs: { readonly path: string; readonly mounted: boolean };
  /** Where cgroup2 is mounted. */
  readonly cgroup: string | undefined;
  /** Name of the host device, as `vetch0`. */
  readonly hostDevice: string;
  /** By name as under /proc/sys, as `net/ipv4/conf/vetch0/forwarding`; what is not there is left out. */
  readonly sysctls: Readonly<Record<string, string>>;
  readonly snatPorts: PortRange;
  readonly inputChains: readonly InputChain[];
  readonly foreignPrograms: readonly ForeignProgram[];
  readonly managers: readonly DeviceManager[];
  readonly clock: { readonly now: Date; readonly source: string | undefined };
  readonly maps: readonly MapFill[];
  readonly pins: {
    readonly directory: string;
    /** Names of all layouts' directories there, as `v1`. */
    readonly layouts: readonly string[];
    readonly expected: string;
    /** Maps that have no pin. */
    readonly missing: readonly string[];
  };
}
