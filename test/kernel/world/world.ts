import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AddressFamily, ifNameToIndex, netnsCookie, SocketType, socket } from '../../../src/loader/ffi/libc.ts';
import { BpfObject } from '../../../src/loader/object.ts';
import type { Program } from '../../../src/loader/program.ts';
import { type Config, DropReason as reasons } from '../../../src/maps/generated/abi.ts';
import { HashMap } from '../../../src/maps/hash-map.ts';
import { type Maps, openMaps } from '../../../src/maps/open.ts';
import { enterWorld } from './devices.ts';
import { fill } from './fill.ts';
import { endpoints, remotes } from './plan.ts';

/** The programs that take packets, and the object that each is in. */
export const hooks = {
  from_endpoint: 'endpoint',
  from_host: 'host',
  from_lan: 'lan',
  from_overlay: 'overlay',
  from_uplink: 'uplink',
  from_uplink_l3: 'uplink',
  xdp_uplink: 'xdp',
  cgroup_egress: 'cgroup',
  cgroup_ingress: 'cgroup',
} as const;

/** Index in `quotas` of what flows to an endpoint on another host are charged to (REMOTE_SHARES of bpf/abi/config.h). */
export const remoteShare = (number: number) => 16_384 + (number % 1024);

export type HookName = keyof typeof hooks;
export type ReasonName = keyof typeof reasons;

/** What a program said of a packet. */
export interface Outcome {
  readonly verdict: 'redirect' | 'drop' | 'pass' | 'tx';
  /** As often as each was counted during the run. */
  readonly reasons: Partial<Record<ReasonName, number>>;
  /** The packet as the program left it. */
  readonly packet: Uint8Array;
  readonly durationNs: number;
}

export interface RunOptions {
  /** The device it is seen on. */
  readonly device: string;
  /** Where the host received it before it sent it on; TC only. Default: nowhere, a process of the host sent it. */
  readonly receivedOn?: string;
  readonly repeat?: number;
}

const tcVerdicts: Readonly<Record<number, Outcome['verdict']>> = {
  0: 'pass',
  2: 'drop',
  7: 'redirect',
  4294967295: 'pass',
};
const cgroupVerdicts: Readonly<Record<number, Outcome['verdict']>> = { 0: 'drop', 1: 'pass' };
const xdpVerdicts: Readonly<Record<number, Outcome['verdict']>> = { 1: 'drop', 2: 'pass', 3: 'tx', 4: 'redirect' };

/**
 * All programs loaded over one set of maps that is filled with the plan, in namespaces of this process's own. One a
 * process: it cannot be left again.
 */
export class World implements Disposable {
  readonly maps: Maps;
  readonly #objects: readonly BpfObject[];
  readonly #programs: ReadonlyMap<HookName, Program>;
  readonly #indexes = new Map<string, number>();

  private constructor(maps: Maps, objects: readonly BpfObject[], programs: ReadonlyMap<HookName, Program>) {
    this.maps = maps;
    this.#objects = objects;
    this.#programs = programs;
  }

  /** @param maxEntries as of LoadOptions; default: small maps, which are quickly emptied between cases. */
  static create(maxEntries: Readonly<Record<string, number>> = smallMaps): World {
    enterWorld();
    const bpffs = mkdtempSync(join(tmpdir(), 'vetch-world-'));
    execFileSync('mount', ['-t', 'bpf', 'bpf', bpffs]);
    const pinMaps = join(bpffs, 'maps');
    mkdirSync(pinMaps);
    const objects = new Map([...new Set(Object.values(hooks))].map((name) => [name, load(name, pinMaps, maxEntries)]));
    const programs = new Map<HookName, Program>();
    for (const [hook, name] of Object.entries(hooks) as [HookName, (typeof hooks)[HookName]][]) {
      const object = objects.get(name);
      if (object) programs.set(hook, object.program(hook));
    }
    const result = new World(openMaps(pinMaps), [...objects.values()], programs);
    result.fill();
    return result;
  }

  /** Writes the plan again, over whatever a test has changed. */
  fill(): void {
    const probe = socket(AddressFamily.INET, SocketType.DGRAM, 0);
    try {
      fill(this.maps, { of: (device) => this.index(device) }, netnsCookie(probe));
    } finally {
      closeSync(probe);
    }
  }

  /** Removes whatever a test wrote into the maps of the control plane, and fills them as planned. */
  restore(): void {
    for (const map of Object.values(this.maps)) {
      if (typeof map !== 'function' && map instanceof HashMap && map.definition.writer === 'control') {
        map.deleteManyRaw([...map.rawEntries()].map(([key]) => key));
      }
    }
    this.fill();
  }

  /** Forgets every flow, fragment and quota. */
  forget(): void {
    for (const map of [this.maps.conntrack, this.maps.fragments, this.maps.straightFlows]) {
      map.deleteManyRaw([...map.rawEntries()].map(([key]) => key));
    }
    const unused = { epoch: 0n, floodRefilled: 0n, floodTokens: 0, flows: 0, snatPorts: 0 };
    for (const { number } of Object.values(endpoints)) this.maps.quotas.set(number, unused);
    for (const { number } of Object.values(remotes)) this.maps.quotas.set(remoteShare(number), unused);
  }

  /** Begins an endpoint's quota window now: a later one starts anew, which only a clock could show. */
  beginQuotaWindow(endpoint: number): void {
    const epoch = process.hrtime.bigint();
    this.maps.quotas.set(endpoint, { epoch, floodRefilled: 0n, floodTokens: 0, flows: 0, snatPorts: 0 });
  }

  /** Runs iproute2 in the world's network namespace. */
  ip(command: string): void {
    execFileSync('ip', command.split(' '));
  }

  /** The configuration as it is now. */
  get config(): Config {
    const config = this.maps.config.get(0);
    if (!config) throw new Error('the array `config` has no entry');
    return config;
  }

  index(device: string): number {
    const known = this.#indexes.get(device) ?? ifNameToIndex(device);
    this.#indexes.set(device, known);
    return known;
  }

  program(hook: HookName): Program {
    const program = this.#programs.get(hook);
    if (!program) throw new Error(`${hook} is not loaded`);
    return program;
  }

  /** Runs a program over one packet. */
  run(hook: HookName, packet: Uint8Array, { device, receivedOn, repeat = 1 }: RunOptions): Outcome {
    const before = this.dropCounts();
    const xdp = hook === 'xdp_uplink';
    const context = xdp
      ? xdpContext(packet, this.index(device))
      : skbContext(this.index(device), receivedOn ? this.index(receivedOn) : 0);
    const result = this.program(hook).testRun({ data: packet, context, repeat });
    const cgroup = hook === 'cgroup_egress' || hook === 'cgroup_ingress';
    const verdicts = xdp ? xdpVerdicts : cgroup ? cgroupVerdicts : tcVerdicts;
    const verdict = verdicts[result.retval >>> 0];
    if (!verdict) throw new Error(`${hook} returned ${result.retval}`);
    return {
      verdict,
      reasons: newDrops(before, this.dropCounts()),
      packet: result.dataOut,
      durationNs: result.durationNs,
    };
  }

  /** Packets dropped so far, by reason. */
  dropCounts(): number[] {
    return countDrops(this.maps);
  }

  [Symbol.dispose](): void {
    this.maps.close();
    for (const object of this.#objects) object.close();
  }
}

export const smallMaps = {
  conntrack: 4096,
  fragments: 1024,
  straight_flows: 1024,
  endpoints: 4096,
  published: 1024,
  published_lo: 1024,
  bound_ports: 1024,
  policy: 1024,
  policy_ports: 1024,
  address_blocks: 1024,
  learned: 1024,
  learned_in_use: 1024,
};

function load(name: string, pinMaps: string, maxEntries: Readonly<Record<string, number>>): BpfObject {
  const path = fileURLToPath(new URL(`../../../bpf/build/${name}.bpf.o`, import.meta.url));
  return BpfObject.load(path, { pinMaps, maxEntries });
}

/** As `World.dropCounts`, of any maps. */
export function countDrops({ drops }: Pick<Maps, 'drops'>): number[] {
  return [...drops.entries()].map(([, cpus]) => cpus.reduce((sum, { packets }) => sum + Number(packets), 0));
}

/** What was dropped between two counts. */
export function newDrops(before: readonly number[], after: readonly number[]): Outcome['reasons'] {
  const names = Object.entries(reasons).filter(([name]) => name !== 'COUNT');
  const counts = names.map(([name, index]) => [name, (after[index] ?? 0) - (before[index] ?? 0)] as const);
  return Object.fromEntries(counts.filter(([, count]) => count !== 0));
}

/** The fields of `struct __sk_buff` that the kernel takes for a run; all others must be 0. */
export function skbContext(ifindex: number, ingressIfindex: number): Uint8Array {
  const context = new DataView(new ArrayBuffer(192));
  context.setUint32(36, ingressIfindex, true);
  context.setUint32(40, ifindex, true);
  return new Uint8Array(context.buffer);
}

/** `struct xdp_md`: data, data_end, data_meta, ingress_ifindex, rx_queue_index, egress_ifindex. */
function xdpContext(packet: Uint8Array, ifindex: number): Uint8Array {
  const context = new DataView(new ArrayBuffer(24));
  context.setUint32(4, packet.length, true);
  context.setUint32(12, ifindex, true);
  return new Uint8Array(context.buffer);
}
