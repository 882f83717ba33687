import { fileURLToPath } from 'node:url';
import { BpfObject } from '../../src/loader/object.ts';
import type { Program } from '../../src/loader/program.ts';
import { RawMap } from '../../src/maps/raw-map.ts';
import type { HookName, World } from '../../test/kernel/world/world.ts';

export interface VariedRun {
  readonly device: string;
  /** The program that takes the packets. Default: `from_endpoint`. */
  readonly hook?: HookName;
  readonly flows: number;
  /** Flows to one port of the server. Default: 64,000. */
  readonly clients?: number;
  readonly repeat: number;
  /** The packets are the servers'. */
  readonly reply?: boolean;
  /** Goes on with the flow after the last run's, not with the first. */
  readonly goOn?: boolean;
}

const headers = 54;
const first = new Uint8Array(4);
const redirected = 7;
const passed = 2;

type Kind = 'tc' | 'xdp';

/** TC_ACT_OK, XDP_PASS */
const answers = { tc: 0, xdp: passed } as const;

/** `struct __sk_buff` with an ifindex. */
function skbContext(ifindex: number): Uint8Array {
  const context = new DataView(new ArrayBuffer(192));
  context.setUint32(40, ifindex, true);
  return new Uint8Array(context.buffer);
}

/** `struct xdp_md` with the packet's end and an ifindex. */
function xdpContext(packet: Uint8Array, ifindex: number): Uint8Array {
  const context = new DataView(new ArrayBuffer(24));
  context.setUint32(4, packet.length, true);
  context.setUint32(12, ifindex, true);
  return new Uint8Array(context.buffer);
}

/** Test runs in which every packet is of another flow, by the programs of fixtures/vary.bpf.c. */
export class Varied implements Disposable {
  readonly #world: World;
  readonly #object: BpfObject;
  readonly #shape: RawMap;

  constructor(world: World) {
    this.#world = world;
    this.#object = BpfObject.load(fileURLToPath(new URL('../fixtures/vary.bpf.o', import.meta.url)));
    this.#shape = new RawMap(this.#object.mapFd('shape'));
  }

  /** Nanoseconds that a program takes for a packet. Every packet has to be redirected. */
  tc(packet: Uint8Array, run: VariedRun): number {
    return this.#cost('tc', this.#world.program(run.hook ?? 'from_endpoint'), packet, run, redirected);
  }

  /** Nanoseconds that `xdp_uplink` takes for a packet that it lets pass. */
  xdp(packet: Uint8Array, run: VariedRun): number {
    return this.#cost('xdp', this.#world.program('xdp_uplink'), packet, run, passed);
  }

  /** Nanoseconds of one operation on a map. */
  alone(operation: 'lookup' | 'insert' | 'prefix', packet: Uint8Array, run: VariedRun): number {
    const kind = operation === 'prefix' ? 'xdp' : 'tc';
    return this.#cost(kind, this.#object.program(`${operation}_alone`), packet, run, answers[kind]);
  }

  /** Writes the prefixes that `alone('prefix')` looks among. */
  setPrefixes(entries: Iterable<readonly [key: Uint8Array, value: Uint8Array]>): void {
    new RawMap(this.#object.mapFd('prefixes_alone')).updateMany(entries);
  }

  #cost(kind: Kind, target: Program, packet: Uint8Array, run: VariedRun, expected: number): number {
    const context =
      kind === 'tc' ? skbContext(this.#world.index(run.device)) : xdpContext(packet, this.#world.index(run.device));
    const all = this.#time(kind, target, packet, context, run, expected);
    const nothing = this.#object.program(`nothing_${kind}`);
    return all - this.#time(kind, nothing, packet, context, { ...run, goOn: false }, answers[kind]);
  }

  readonly #next = new Map<string, number>();

  #time(
    kind: Kind,
    target: Program,
    packet: Uint8Array,
    context: Uint8Array,
    { flows, repeat, reply = false, goOn = false, clients = 64_000 }: VariedRun,
    expected: number,
  ): number {
    const shape = new Uint8Array(this.#shape.valueSize);
    shape.set(
      new Uint8Array(
        Uint32Array.of(goOn ? (this.#next.get(target.name) ?? 0) : 0, flows, reply ? 1 : 0, clients).buffer,
      ),
    );
    shape.set(packet.subarray(0, headers), 16);
    this.#shape.update(first, shape, 'any');
    const targets = new RawMap(this.#object.mapFd(`${kind}_target`));
    targets.update(first, new Uint8Array(Uint32Array.of(target.fd).buffer), 'any');
    const before = this.#dropped();
    const program = this.#object.program(kind === 'tc' ? 'vary_ports' : 'vary_source');
    const { retval, durationNs } = program.testRun({ data: packet, context, repeat });
    const dropped = this.#dropped() - before;
    if (retval !== expected || dropped > 0) {
      throw new Error(
        `${target.name} answered ${retval} to the last packet, and dropped ${dropped}: ${this.#reasons()}`,
      );
    }
    this.#shape.lookup(first, shape);
    this.#next.set(target.name, new DataView(shape.buffer).getUint32(0, true));
    return durationNs;
  }

  #dropped(): number {
    return this.#world.dropCounts().reduce((sum, count) => sum + count, 0);
  }

  #reasons(): string {
    return this.#world
      .dropCounts()
      .flatMap((count, reason) => (count > 0 ? [`reason ${reason}: ${count}`] : []))
      .join(', ');
  }

  [Symbol.dispose](): void {
    this.#object.close();
  }
}
