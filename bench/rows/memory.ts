import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { Lab } from '../../test/lab/lab.ts';
import { median, range, significant } from '../measure/statistics.ts';
import { atMost, type Row } from '../row.ts';

/** Seconds from `ready` to the first look, and looks a second apart: the first collection of garbage is over. */
const settling = 10;
const looks = 9;

export const memory: Row = {
  number: 13,
  name: "daemon's memory: idle; with 10,000 endpoints",
  async run() {
    await using lab = await Lab.create({ clients: [] });
    await setTimeout(settling * 1000);
    const values: number[] = [];
    for (let i = 0; i < looks; i++) {
      values.push(residentMegabytes(lab.host().daemon.pid));
      await setTimeout(1000);
    }
    return [
      {
        name: "daemon's resident memory, idle",
        unit: 'MB',
        vetch: significant(median(values), 3),
        spread: range(values).map((value) => significant(value, 3)),
        peers: {},
        goal: atMost(100, ' MB'),
        note: `VmRSS ${settling} s after ready, no endpoints; with 10,000 endpoints (<= 150 MB) is not measured yet`,
      },
    ];
  },
};

export function residentMegabytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kibibytes = /^VmRSS:\s+(\d+) kB/m.exec(status)?.[1];
  if (!kibibytes) throw new Error(`process ${pid} has no VmRSS`);
  if (!/^Name:\s+(node|MainThread|vetch)/m.test(status))
    throw new Error(`process ${pid} is not the daemon: ${status.split('\n')[0]}`);
  return (Number(kibibytes) * 1024) / 1e6;
}
