/**
 * Has a device receive UDP packets in the least frames of Ethernet, as fast as one core makes them, by
 * fixtures/frames.bpf.c over live frames of `BPF_PROG_TEST_RUN`: each is of the next flow, which the source's port tells.
 *
 *   sudo node bench/programs/frames.ts DEVICE FROM_MAC TO_MAC FROM TO PORT FLOWS SECONDS
 *
 * Prints {"frames": N, "seconds": S}.
 */
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
/** One call's; the clock is looked at in between. */
const frames = 50_000;

const [device = '', source = '', destination = '', from = '', to = '', port = '', flows = '', seconds = ''] =
  process.argv.slice(2);

using object = BpfObject.load(fileURLToPath(new URL('../fixtures/frames.bpf.o', import.meta.url)));
const frame = packet(
  eth({ source, destination }),
  ipv4({ source: from, destination: to }),
  udp({ source: firstPort, destination: Number(port) }),
  payload(frameSize - headers),
);
const shape = new DataView(new ArrayBuffer(8 + frameSize + 4));
shape.setUint32(4, Number(flows), true);
new Uint8Array(shape.buffer).set(frame, 8);
shape.setUint32(8 + frameSize, firstPort, true);
new RawMap(object.mapFd('shape')).update(new Uint8Array(4), new Uint8Array(shape.buffer), 'any');

/** `struct xdp_md` with the device that receives them */
const context = new DataView(new ArrayBuffer(24));
context.setUint32(4, frame.length, true);
context.setUint32(12, ifNameToIndex(device), true);
const contextBytes = new Uint8Array(context.buffer);
const program = object.program('receive_frames');
const options: libbpf.TestRunOpts = {
  sz: libbpf.sizes.testRunOpts,
  data_in: addressOf(frame),
  data_size_in: frame.length,
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
const end = start + Number(seconds) * 1000;
let calls = 0;
do {
  check(libbpf.testRun(program.fd, { ...options }), 'run over live frames', `program ${program.name}`);
  calls++;
} while (performance.now() < end);
process.stdout.write(`${JSON.stringify({ frames: calls * frames, seconds: (performance.now() - start) / 1000 })}\n`);
