import { readFileSync, writeFileSync } from 'node:fs';
import type { ProgramSize, ProgramSizes } from './measure.ts';

/** `bpf/instructions.json`: by kernel series, what its programs were when it was written. */
export type CommittedSizes = Readonly<Record<string, ProgramSizes>>;

const file = new URL('../../../bpf/instructions.json', import.meta.url);

export function readCommitted(): CommittedSizes {
  return JSON.parse(readFileSync(file, 'utf8')) as CommittedSizes;
}

/** One program a line, so that a change of one is a change of one line. */
export function writeCommitted(sizes: CommittedSizes): void {
  const series = Object.entries(sizes).map(([name, programs]) => {
    const lines = Object.entries(programs).map(([program, { verified, translated, bytes }]) => {
      return `    "${program}": { "verified": ${verified}, "translated": ${translated}, "bytes": ${bytes} }`;
    });
    return `  "${name}": {\n${lines.join(',\n')}\n  }`;
  });
  writeFileSync(file, `{\n${series.join(',\n')}\n}\n`);
}

/** A change is a jump when it is more than this part of what was, and more than this many. */
const [jumpPart, jumpOf] = [0.05, { verified: 100, translated: 100, bytes: 500 }] as const;

const meanings: Readonly<Record<keyof ProgramSize, string>> = {
  verified: 'instructions that the verifier walks',
  translated: 'translated instructions',
  bytes: 'bytes of machine code',
};

const remedy =
  'make it smaller again, or, where that is worth it, say so in the commit and write the file anew with `make instructions`';

/** What is wrong, a line each: programs that have grown by a jump, are new, or are gone. */
export function compareSizes(series: string, committed: ProgramSizes, measured: ProgramSizes): string[] {
  const problems: string[] = [];
  for (const [program, now] of Object.entries(measured)) {
    const before = committed[program];
    if (before === undefined) {
      problems.push(`${program} is not in bpf/instructions.json of Linux ${series}: run \`make instructions\``);
      continue;
    }
    for (const what of ['verified', 'translated', 'bytes'] as const) {
      const [was, is] = [before[what], now[what]];
      if (is - was <= jumpOf[what] || is - was <= was * jumpPart) continue;
      problems.push(`${program} has ${is} ${meanings[what]} on Linux ${series}, and had ${was}: ${remedy}`);
    }
  }
  for (const program of Object.keys(committed)) {
    if (measured[program]) continue;
    problems.push(`bpf/instructions.json has ${program}, and nothing else has: run \`make instructions\``);
  }
  return problems;
}
