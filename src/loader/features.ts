import { closeSync, existsSync } from 'node:fs';
import { release } from 'node:os';
import { AttachType } from './attach-type.ts';
import { check } from './check.ts';
import { BpfCommand, bpf } from './ffi/bpf.ts';
import { errnoName } from './ffi/errno.ts';
import * as libbpf from './ffi/libbpf.ts';
import { silence } from './ffi/print.ts';

/** Whether this kernel can do something. */
export interface Feature {
  readonly ok: boolean;
  /** The first kernel that has it, as `6.6`. */
  readonly since: string;
  /** One line for people. */
  readonly detail: string;
}

/** Program types of linux/bpf.h. */
const schedCls = 3;
const cgroupSkb = 8;
const skMsg = 16;
const cgroupSockAddr = 18;

const badFd = -9;
const noDevice = -19;
const invalid = -22;
const none = 0xffff_ffff;

/** `r0 = n; exit` */
const justReturn = (n: number) => Uint8Array.of(0xb7, 0, 0, 0, n, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0);

/** `r1 = r10 - 8; r2 = 8; r3 = 0; bpf_probe_read_kernel(r1, r2, r3); r0 = 1; exit` */
const readsKernel = Uint8Array.of(
  ...[0xbf, 0xa1, 0, 0, 0, 0, 0, 0],
  ...[0x07, 0x01, 0, 0, 0xf8, 0xff, 0xff, 0xff],
  ...[0xb7, 0x02, 0, 0, 8, 0, 0, 0],
  ...[0xb7, 0x03, 0, 0, 0, 0, 0, 0],
  ...[0x85, 0, 0, 0, 113, 0, 0, 0],
  ...[0xb7, 0, 0, 0, 1, 0, 0, 0],
  ...[0x95, 0, 0, 0, 0, 0, 0, 0],
);

/** Where the kernel describes its own structs. */
const kernelTypes = '/sys/kernel/btf/vmlinux';

/** True and false are conclusive; an errno is not. */
type Answer = boolean | number;

interface Probe {
  readonly since: string;
  readonly what: string;
  readonly probe: () => Answer;
}

const probes = {
  tcx: {
    since: '6.6',
    what: 'TCX links',
    // Whoever knows the hook looks for the device first, and there is none of this number.
    probe: () => attach(schedCls, AttachType.TCX_INGRESS, 0x7fff_ffff, noDevice),
  },
  xdpLink: {
    since: '5.9',
    what: 'XDP links',
    // Links that detach came with them.
    probe: () => known(bpf(BpfCommand.LINK_DETACH, 'linkDetach', { link_fd: none }), badFd),
  },
  cgroupLink: {
    since: '5.7',
    what: 'cgroup links',
    probe: () => attach(cgroupSkb, 0, none, badFd),
  },
  getpeername: {
    since: '5.8',
    what: 'cgroup hooks for getpeername',
    probe: () => loads(cgroupSockAddr, 1, AttachType.CGROUP_INET4_GETPEERNAME),
  },
  redirectPeer: { since: '5.10', what: 'bpf_redirect_peer', probe: () => helper(schedCls, 155) },
  redirectNeigh: { since: '5.10', what: 'bpf_redirect_neigh', probe: () => helper(schedCls, 152) },
  forEachMapElem: { since: '5.13', what: 'bpf_for_each_map_elem', probe: () => helper(schedCls, 164) },
  bpfLoop: { since: '5.17', what: 'bpf_loop', probe: () => helper(schedCls, 181) },
  netnsCookie: { since: '5.7', what: 'bpf_get_netns_cookie in cgroup hooks', probe: () => helper(cgroupSockAddr, 122) },
  ringBuffer: { since: '5.8', what: 'BPF ring buffers', probe: () => conclusive(libbpf.probeMapType(27, null)) },
  tunnelKey: { since: '4.3', what: 'bpf_skb_set_tunnel_key, for VXLAN', probe: () => helper(schedCls, 21) },
  socketBypass: {
    since: '5.11',
    what: 'programs at sockets that read them (BTF of the kernel, and no lockdown for confidentiality)',
    probe: () => existsSync(kernelTypes) && readsSockets(),
  },
  mapBatch: { since: '5.6', what: 'batches of map entries', probe: () => batches(1, 4, 0) },
  lpmBatch: { since: '5.14', what: 'batches of longest-prefix entries', probe: () => batches(11, 8, 1) },
} satisfies Record<string, Probe>;

export type FeatureName = keyof typeof probes;
export const featureNames = Object.keys(probes) as readonly FeatureName[];

const cache = new Map<FeatureName, Feature>();

/**
 * Asks the kernel by trying, not by its version: distributions carry features back. The answer is remembered when it
 * is conclusive.
 *
 * @throws {KernelError} when the kernel would not say, as EPERM without the capability.
 */
export function feature(name: FeatureName): Feature {
  const cached = cache.get(name);
  if (cached) return cached;
  silence();
  const { since, what, probe }: Probe = probes[name];
  const answer = probe();
  if (typeof answer === 'number') check(answer, 'probe the kernel for', what, `it answered ${errnoName(-answer)}`);
  const ok = answer === true;
  const detail = ok ? `${what}: yes` : `${what}: Linux ${since} has it, this is ${release()}`;
  const found = { ok, since, detail };
  cache.set(name, found);
  return found;
}

/** @param present the errno of a kernel that knows the command and refuses these arguments. */
function known(result: number, present: number): Answer {
  if (result === present) return true;
  return result === invalid ? false : result;
}

function conclusive(result: number): Answer {
  return result < 0 ? result : result === 1;
}

function helper(programType: number, id: number): Answer {
  return conclusive(libbpf.probeHelper(programType, id, null));
}

function attach(programType: number, attachType: number, target: number, present: number): Answer {
  const program = libbpf.programLoad(programType, 'vetch_probe', 'GPL', justReturn(0), 2, null);
  if (program < 0) return program;
  try {
    return known(
      bpf(BpfCommand.LINK_CREATE, 'linkCreate', { prog_fd: program, target, attach_type: attachType }),
      present,
    );
  } finally {
    closeSync(program);
  }
}

function loads(programType: number, returns: number, attachType: number): Answer {
  const options = { sz: libbpf.sizes.programLoadOpts, expected_attach_type: attachType };
  const program = libbpf.programLoad(programType, 'vetch_probe', 'GPL', justReturn(returns), 2, options);
  if (program < 0) return program === invalid ? false : program;
  closeSync(program);
  return true;
}

function readsSockets(): boolean {
  const program = libbpf.programLoad(skMsg, 'vetch_probe', 'GPL', readsKernel, readsKernel.length / 8, null);
  if (program >= 0) closeSync(program);
  return program >= 0;
}

function batches(mapType: number, keySize: number, flags: number): Answer {
  const options = { sz: libbpf.sizes.mapCreateOpts, map_flags: flags };
  const map = libbpf.mapCreate(mapType, 'vetch_probe', keySize, 4, 1, options);
  if (map < 0) return map;
  try {
    const count = Uint32Array.of(1);
    const cursor = new Uint8Array(keySize);
    const result = libbpf.mapLookupBatch(map, null, cursor, new Uint8Array(keySize), new Uint8Array(4), count, null);
    // An empty map ends at once: ENOENT.
    if (result >= 0 || result === -2) return true;
    return result === invalid || result === -524 ? false : result;
  } finally {
    closeSync(map);
  }
}
