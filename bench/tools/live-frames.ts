import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { check } from '../../src/loader/check.ts';
import * as libbpf from '../../src/loader/ffi/libbpf.ts';
import { ifNameToIndex } from '../../src/loader/ffi/libc.ts';
import { addressOf } from '../../src/loader/ffi/memory.ts';
import { BpfObject } from '../../src/loader/object.ts';
import { RawMap } from '../../src/maps/raw-map.ts';
import { eth, ipv4, packet, payload, udp } from '../../test/kernel/packet/build.ts';

const BPF_F_TEST_XDP_LIVE_FRAMES = 2;
const [frameSize, headers, firstPort] = [60, 42, 20_000];
/** One call's: each begins and ends with some 25 ms, in which the kernel waits for others to be done with its dispatcher of programs. */
const frames = 1_000_000;

export interface Frame {
  readonly source: string;
  readonly destination: string;
  readonly from: string;
  readonly to: string;
  readonly port: number;
  readonly flows: number;
}

export interface Made {
  readonly frames: number;
  readonly seconds: number;
}

/** UDP packets in the least frames of Ethernet, as fast as one core makes them: each is of the next flow. */
export class LiveFrames implements Disposable {
  readonly #object = BpfObject.load(fileURLToPath(new URL('../fixtures/frames.bpf.o', import.meta.url)));
  readonly #frame: Uint8Array;

  constructor({ source, destination, from, to, port, flows }: Frame) {
    this.#frame = packet(
      eth({ source, destination }),
      ipv4({ source: from, destination: to }),
      udp({ source: firstPort, destination: port }),
      payload(frameSize - headers),
    );
    const shape = new DataView(new ArrayBuffer(8 + frameSize + 4));
    shape.setUint32(4, flows, true);
    new Uint8Array(shape.buffer).set(this.#frame, 8);
    shape.setUint32(8 + frameSize, firstPort, true);
    new RawMap(this.#object.mapFd('shape')).update(new Uint8Array(4), new Uint8Array(shape.buffer), 'any');
  }

  /** What drops frames where another machine would take them. */
  get sink() {
    return this.#object.program('sink_frames');
  }

  /**
   * For so many seconds.
   *
   * @param device receives them, in the calling thread's network namespace
   * @param then the program that they are given to; default: none, the device's own stack takes them
   */
  run(device: string, seconds: number, then?: { readonly fd: number }): Made {
    if (then) {
      const fd = new Uint8Array(Uint32Array.of(then.fd).buffer);
      new RawMap(this.#object.mapFd('then')).update(new Uint8Array(4), fd, 'any');
    }
    /** `struct xdp_md` with the device that receives them */
    const context = new DataView(new ArrayBuffer(24));
    context.setUint32(4, this.#frame.length, true);
    context.setUint32(12, ifNameToIndex(device), true);
    const contextBytes = new Uint8Array(context.buffer);
    const program = this.#object.program(then ? 'forward_frames' : 'receive_frames');
    const options: libbpf.TestRunOpts = {
      sz: libbpf.sizes.testRunOpts,
      data_in: addressOf(this.#frame),
      data_size_in: this.#frame.length,
      // Of live frames nothing comes back.
      data_out: 0n,
      data_size_out: 0,
      ctx_in: addressOf(contextBytes),
      ctx_size_in: contextBytes.length,
      ctx_out: 0n,
      ctx_size_out: 0,
      retval: 0,
      repeat: frames,
      duration: 0,
      flags: BPF_F_TEST_XDP_LIVE_FRAMES,
    };
    const start = performance.now();
    const end = start + seconds * 1000;
    let calls = 0;
    do {
      check(libbpf.testRun(program.fd, { ...options }), 'run over live frames', `program ${program.name}`);
      calls++;
    } while (performance.now() < end);
    return { frames: calls * frames, seconds: (performance.now() - start) / 1000 };
  }

  [Symbol.dispose](): void {
    this.#object.close();
  }
}
