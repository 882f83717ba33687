import { closeSync } from 'node:fs';
import { openPin, pinObject } from './bpffs.ts';
import { check, infoOf } from './check.ts';
import { objectInfo } from './ffi/bpf.ts';
import * as libbpf from './ffi/libbpf.ts';
import { addressOf } from './ffi/memory.ts';

/** What the kernel says about a program. */
export interface ProgramInfo {
  readonly id: number;
  /** At most 15 characters: the kernel cuts longer ones. */
  readonly name: string;
  /** `enum bpf_prog_type` */
  readonly type: number;
  /** 16 hex digits: a hash of the instructions, equal for equal programs. */
  readonly tag: string;
  /** Since boot. */
  readonly loadedNs: bigint;
  /** Instructions that the verifier walked; 0 on kernels before 5.16. */
  readonly verifiedInstructions: number;
  readonly bytesTranslated: number;
  readonly bytesJited: number;
  /** Counted only while `kernel.bpf_stats_enabled` is set. */
  readonly runs: bigint;
  readonly runNs: bigint;
}

/** @throws {KernelError} EBADF when `fd` is no program. */
export function programInfo(fd: number): ProgramInfo {
  const info = infoOf(objectInfo('program', fd), 'describe a program', `descriptor ${fd}`);
  return {
    id: Number(info.id),
    name: String(info.name),
    type: Number(info.type),
    tag: Buffer.from(info.tag as Uint8Array).toString('hex'),
    loadedNs: BigInt(info.load_time as number),
    verifiedInstructions: Number(info.verified_insns),
    bytesTranslated: Number(info.xlated_prog_len),
    bytesJited: Number(info.jited_prog_len),
    runs: BigInt(info.run_cnt as number),
    runNs: BigInt(info.run_time_ns as number),
  };
}

export interface TestRun {
  /** The packet; of programs that take none (SEC("syscall")), left out. */
  readonly data?: Uint8Array;
  /** `struct __sk_buff`, `struct xdp_md` or what the program takes; what it says of the packet holds for the run. */
  readonly context?: Uint8Array;
  /** Default 1. The total must stay within 10 ms. */
  readonly repeat?: number;
  /** `BPF_F_TEST_*`; default 0. */
  readonly flags?: number;
}

export interface TestRunResult {
  readonly retval: number;
  readonly dataOut: Uint8Array;
  readonly contextOut: Uint8Array;
  /** Of one run, on average. */
  readonly durationNs: number;
}

/** `BPF_PROG_TYPE_SYSCALL`: takes a context and nothing else, and the kernel writes it back in place. */
const typeSyscall = 31;

/** What a program may add to a packet in front and behind: encapsulation, ICMP errors. */
const growth = 4096;

/** A loaded program. */
export class Program implements Disposable {
  readonly fd: number;
  /** In full: the kernel's own is cut at 15 characters. */
  readonly name: string;
  readonly id: number;
  readonly tag: string;
  readonly #type: number;
  #owned: boolean;

  private constructor(fd: number, name: string | undefined, owned: boolean) {
    const info = programInfo(fd);
    this.fd = fd;
    this.name = name ?? info.name;
    this.id = info.id;
    this.tag = info.tag;
    this.#type = info.type;
    this.#owned = owned;
  }

  /** A program whose descriptor belongs to its object. */
  static borrowed(fd: number, name: string): Program {
    return new Program(fd, name, false);
  }

  /** Opens a pinned program. The caller closes it. */
  static fromPin(path: string): Program {
    const fd = openPin(path);
    try {
      return new Program(fd, undefined, true);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  info(): ProgramInfo {
    return programInfo(this.fd);
  }

  /** @throws {KernelError} EEXIST when something is pinned there. */
  pin(path: string): void {
    pinObject(this.fd, path);
  }

  /**
   * Runs the program on a packet of ours: no device sees it, maps do.
   *
   * @throws {KernelError} EINVAL for a packet shorter than an Ethernet header or a context the kernel does not take.
   */
  testRun({ data, context, repeat = 1, flags = 0 }: TestRun): TestRunResult {
    const dataOut = new Uint8Array(data ? data.length + growth : 0);
    const inPlace = this.#type === typeSyscall;
    const contextIn = context && inPlace ? Uint8Array.from(context) : context;
    const contextOut = new Uint8Array(inPlace ? 0 : (context?.length ?? 0));
    const opts: libbpf.TestRunOpts = {
      sz: libbpf.sizes.testRunOpts,
      data_in: data ? addressOf(data) : 0n,
      data_size_in: data?.length ?? 0,
      data_out: addressOf(dataOut),
      data_size_out: dataOut.length,
      ctx_in: contextIn ? addressOf(contextIn) : 0n,
      ctx_size_in: contextIn?.length ?? 0,
      ctx_out: addressOf(contextOut),
      ctx_size_out: contextOut.length,
      retval: 0,
      // The kernel takes 0 for 1, and programs of SEC("syscall") take nothing else.
      repeat: repeat === 1 ? 0 : repeat,
      duration: 0,
      flags,
    };
    check(libbpf.testRun(this.fd, opts), 'test-run', `program ${this.name}`);
    return {
      retval: opts.retval,
      dataOut: dataOut.subarray(0, opts.data_size_out),
      contextOut: inPlace && contextIn ? contextIn : contextOut.subarray(0, opts.ctx_size_out),
      durationNs: opts.duration,
    };
  }

  close(): void {
    if (!this.#owned) return;
    this.#owned = false;
    closeSync(this.fd);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
