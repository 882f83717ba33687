import type { Machine } from '../../test/lab/machine.ts';
import { run } from '../../test/lab/process.ts';
import type { Subject } from '../measure/interleave.ts';
import { latencyCpu, pinned } from './pinned.ts';

const program = new URL('../programs/frames.ts', import.meta.url).pathname;
const straightProgram = new URL('../programs/straight-frames.ts', import.meta.url).pathname;
const sinkObject = new URL('../fixtures/frames.bpf.o', import.meta.url).pathname;

/** So many, that no cache is flattered by one alone, and within an endpoint's quota. */
const flows = 1000;
const seconds = 0.6;

interface Plug {
  readonly machine: Machine;
  readonly device: string;
}

/** A way that frames take which nobody answers. */
export interface FramePath {
  readonly name: string;
  /** Where they are received, as if the machine at the other end of that cable had sent them. */
  readonly entry: Plug;
  /** That machine's. */
  readonly sender: Plug & { readonly address: string };
  /** Where they are to arrive: what comes in there is counted and dropped. */
  readonly sink: Plug;
  readonly address: string;
  readonly port: number;
}

/** Frames of 64 bytes with UDP, of many flows that have begun: so many a second arrive, all on one CPU. */
export async function arriving(path: FramePath): Promise<Subject> {
  const { name, sender, entry, sink, address, port } = path;
  await sink.machine.must('tc', 'qdisc', 'add', 'dev', sink.device, 'clsact');
  const drop = ['bpf', 'direct-action', 'object-file', sinkObject, 'section', 'tc'];
  await sink.machine.must('tc', 'filter', 'add', 'dev', sink.device, 'ingress', ...drop);
  const where = [entry.device, await macOf(sender), await macOf(entry), sender.address, address, `${port}`];
  const receive = async (duration: number) => {
    const before = await sunk(sink);
    const command = pinned(latencyCpu, process.execPath, program, ...where, `${flows}`, `${duration}`);
    const made = JSON.parse(await entry.machine.must(...command)) as { frames: number; seconds: number };
    const arrived = (await sunk(sink)) - before;
    if (arrived < made.frames * 0.9) throw new Error(`${name}: of ${made.frames} frames ${arrived} arrived`);
    return arrived / made.seconds;
  };
  // The flows begin.
  await receive(0.1);
  return { name, measure: () => receive(seconds) };
}

/** Likewise, of a port that another host answers for: what leaves before the stack, all on one CPU. */
export function leavingBeforeStack(name: string): Subject {
  return {
    name,
    async measure() {
      const command = pinned(latencyCpu, process.execPath, straightProgram, `${flows}`, `${seconds}`);
      const { stdout, stderr, status } = await run(command, { timeoutSeconds: 120 });
      if (status !== 0) throw new Error(`${name}: ${stderr}`);
      const left = JSON.parse(stdout) as { frames: number; seconds: number };
      return left.frames / left.seconds;
    },
  };
}

export async function macOf({ machine, device }: Plug): Promise<string> {
  const [link] = JSON.parse(await machine.must('ip', '-json', 'link', 'show', device)) as { address: string }[];
  return link?.address ?? '';
}

async function sunk({ machine, device }: Plug): Promise<number> {
  const said = await machine.must('tc', '-s', '-j', 'qdisc', 'show', 'dev', device);
  const all = JSON.parse(said) as { kind: string; drops: number }[];
  return all.find(({ kind }) => kind === 'clsact')?.drops ?? 0;
}
