import { join } from 'node:path';
import { VetchError } from '../../api/error.ts';
import type { TraceHook, TraceStepView, TraceView } from '../../api/schemas/trace.ts';
import { KernelError } from '../../loader/kernel-error.ts';
import { BpfObject } from '../../loader/object.ts';
import type { Program } from '../../loader/program.ts';
import type { Trace } from '../../maps/generated/abi.ts';
import { skBuff, xdpMd } from './context.ts';
import type { TracePlan } from './plan.ts';
import { readSteps, type StepNames } from './steps.ts';

/** The objects that hold the programs. */
export const traceObjects: Readonly<Record<TraceHook, string>> = {
  from_endpoint: 'endpoint.bpf.o',
  from_host: 'host.bpf.o',
  from_lan: 'lan.bpf.o',
  from_parent: 'lan.bpf.o',
  from_uplink: 'uplink.bpf.o',
  xdp_uplink: 'xdp.bpf.o',
};

const xdpPass = 2;

/** The map `trace_steps`. */
export interface TraceSteps {
  get(index: number): Trace | undefined;
  set(index: number, value: Trace): void;
}

export interface TracerOptions {
  /** Where the compiled objects lie. */
  readonly objectDirectory: string;
  /** Where the live maps are pinned: a traced packet is judged by them. */
  readonly mapPins: string;
  /** Capacities of the live maps where they are not the default, by name. */
  readonly maxEntries?: Readonly<Record<string, number>>;
  readonly steps: TraceSteps;
  readonly names: StepNames;
}

/**
 * Runs packets through private copies of the programs, loaded with `tracing` on: they see the live maps, change none
 * but `trace_steps`, and send nothing. A copy is loaded when first needed and kept until `close`.
 */
export class Tracer implements Disposable {
  readonly #options: TracerOptions;
  readonly #copies = new Map<TraceHook, Promise<BpfObject>>();

  constructor(options: TracerOptions) {
    this.#options = options;
  }

  /**
   * Gives the packet to each hook in turn, for as long as it is let pass.
   *
   * @throws {VetchError} INVALID for a packet that the kernel does not take.
   * @throws {LoadError} when a private copy cannot be loaded.
   */
  async run({ hooks, ifindex, packet }: TracePlan): Promise<TraceView> {
    const views: TraceStepView[] = [];
    let data = packet;
    for (const hook of hooks) {
      const program = await this.#program(hook);
      const { retval, dataOut, steps } = this.#once(hook, program, data, ifindex);
      const outcome = readSteps(hook, steps, this.#options.names);
      views.push(...outcome.views);
      if (outcome.reason !== null) {
        return { verdict: 'DROPPED', reason: outcome.reason, steps: views, packetOut: null };
      }
      data = Uint8Array.from(dataOut);
      const goesOn = hook === 'xdp_uplink' ? retval === xdpPass : outcome.passed;
      if (!goesOn) break;
    }
    return { verdict: 'FORWARDED', reason: null, steps: views, packetOut: Buffer.from(data).toString('hex') };
  }

  /** The private copies go; the live programs and maps stay. */
  close(): void {
    for (const copy of this.#copies.values()) copy.then((object) => object.close()).catch(() => {});
    this.#copies.clear();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #program(hook: TraceHook): Promise<Program> {
    const { objectDirectory, mapPins, maxEntries } = this.#options;
    let copy = this.#copies.get(hook);
    if (!copy) {
      copy = BpfObject.loadAsync(join(objectDirectory, traceObjects[hook]), {
        rodata: { tracing: true },
        pinMaps: mapPins,
        programs: [hook],
        ...(maxEntries && { maxEntries }),
      });
      this.#copies.set(hook, copy);
      // What failed once is tried again next time.
      copy.catch(() => this.#copies.delete(hook));
    }
    return (await copy).program(hook);
  }

  /** In one synchronous stretch: all traces share the one entry of `trace_steps`. */
  #once(hook: TraceHook, program: Program, data: Uint8Array, ifindex: number) {
    const { steps } = this.#options;
    const before = steps.get(0);
    if (before) steps.set(0, { count: 0, steps: before.steps.map(() => ({ step: 0, detail: 0 })) });
    const { retval, dataOut } = testRun(hook, program, data, ifindex);
    return { retval, dataOut, steps: steps.get(0) ?? { count: 0, steps: [] } };
  }
}

function testRun(hook: TraceHook, program: Program, data: Uint8Array, ifindex: number) {
  try {
    if (hook !== 'xdp_uplink') return program.testRun({ data, context: skBuff(ifindex) });
    try {
      return program.testRun({ data, context: xdpMd(data.length, ifindex) });
    } catch (error) {
      // A device without XDP queues of its own (a veth without NAPI, a tun) cannot stand for itself.
      if (!(error instanceof KernelError) || error.code !== 'EINVAL') throw error;
      return program.testRun({ data });
    }
  } catch (error) {
    if (!(error instanceof KernelError) || (error.code !== 'EINVAL' && error.code !== 'ENODEV')) throw error;
    throw new VetchError(
      'INVALID',
      `the kernel does not take a packet of ${data.length} bytes at ${hook}, on the device with index ${ifindex}`,
      'give a whole Ethernet frame, and a device that exists',
      { cause: error },
    );
  }
}
