import { release } from 'node:os';
import { fileURLToPath } from 'node:url';
import { BpfObject } from '../../../src/loader/object.ts';
import { programInfo } from '../../../src/loader/program.ts';
import { traceObjects } from '../../../src/observe/trace/tracer.ts';
import { objectNames } from '../../../src/reconcile/programs.ts';

/** How large a program is, as the kernel says once it is loaded. */
export interface ProgramSize {
  /** Instructions that the verifier walked, over all paths. */
  readonly verified: number;
  /** Instructions that are left when it has translated the program. */
  readonly translated: number;
  /** Of machine code. */
  readonly bytes: number;
}

/** By the program's name; what `vetch trace` loads of it as `NAME tracing`. */
export type ProgramSizes = Readonly<Record<string, ProgramSize>>;

const bytesPerInstruction = 8;

/** `6.18` of `6.18.44-cloud`: within a series the verifier hardly changes. */
export const kernelSeries = /^\d+\.\d+/.exec(release())?.[0] ?? release();

/** Loads every program as the daemon does, with maps of its own, and lets go of it. */
export function measurePrograms(): ProgramSizes {
  const sizes: Record<string, ProgramSize> = {};
  for (const name of objectNames) {
    using object = load(`${name}.bpf.o`);
    for (const { name: program, fd } of object.programs) sizes[program] = sizeOf(fd);
  }
  for (const [hook, file] of Object.entries(traceObjects)) {
    using object = load(file, { rodata: { tracing: true }, programs: [hook] });
    sizes[`${hook} tracing`] = sizeOf(object.program(hook).fd);
  }
  return sizes;
}

function load(file: string, options: Parameters<typeof BpfObject.load>[1] = {}): BpfObject {
  return BpfObject.load(fileURLToPath(new URL(`../../../bpf/build/${file}`, import.meta.url)), options);
}

function sizeOf(fd: number): ProgramSize {
  const { verifiedInstructions, bytesTranslated, bytesJited } = programInfo(fd);
  return { verified: verifiedInstructions, translated: bytesTranslated / bytesPerInstruction, bytes: bytesJited };
}
