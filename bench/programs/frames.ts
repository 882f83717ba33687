/**
 * Has a device receive UDP packets in the least frames of Ethernet, as fast as one core makes them, by
 * fixtures/frames.bpf.c over live frames of `BPF_PROG_TEST_RUN`: each is of the next flow, which the source's port tells.
 *
 *   sudo node bench/programs/frames.ts DEVICE FROM_MAC TO_MAC FROM TO PORT FLOWS SECONDS
 *
 * Prints {"frames": N, "seconds": S}.
 */
import { LiveFrames } from '../tools/live-frames.ts';

const [device = '', source = '', destination = '', from = '', to = '', port = '', flows = '', seconds = ''] =
  process.argv.slice(2);

using frames = new LiveFrames({ source, destination, from, to, port: Number(port), flows: Number(flows) });
process.stdout.write(`${JSON.stringify(frames.run(device, Number(seconds)))}\n`);
