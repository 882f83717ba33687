/** Runs a program over one packet, again and again, on a thread of its own, until it is told to stop. */
import { parentPort, workerData } from 'node:worker_threads';
import { Program } from '../../src/loader/program.ts';

const { fd, packet, context, stop } = workerData as {
  readonly fd: number;
  readonly packet: Uint8Array;
  readonly context: Uint8Array;
  /** Not 0: stop. */
  readonly stop: Int32Array;
};

const program = Program.borrowed(fd, 'from_endpoint');
let runs = 0;
parentPort?.postMessage('running');
while (Atomics.load(stop, 0) === 0) {
  program.testRun({ data: packet, context, repeat: 500 });
  runs += 500;
}
parentPort?.postMessage(runs);
