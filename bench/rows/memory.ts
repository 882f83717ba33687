import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { Lab } from '../../test/lab/lab.ts';
import { median, range, significant } from '../measure/statistics.ts';
import { atMost, type Figure, type Goal, noGoal, type Row } from '../row.ts';
import { Api } from '../tools/api.ts';
import { createCrowdNetwork, crowd } from '../tools/crowd.ts';

/** Seconds until the first look, and looks a second apart: garbage has been collected. */
const settling = 10;
const looks = 9;

export const memory: Row = {
  number: 13,
  name: "daemon's memory: idle; with 10,000 endpoints",
  async run() {
    await using lab = await Lab.create({ clients: [] });
    const host = lab.host();
    const idle = await look(host.daemon.pid, 'idle', atMost(100, ' MB'));
    using api = new Api(host);
    await createCrowdNetwork(api);
    const figures: Figure[] = [];
    let there = 0;
    for (const [count, goal] of [
      [100, noGoal],
      [1000, noGoal],
      [10_000, atMost(150, ' MB')],
    ] as const) {
      await crowd(host, api, there, count);
      there = count;
      figures.push(await look(host.daemon.pid, `with ${count.toLocaleString('en')} endpoints`, goal));
    }
    return [idle, ...figures];
  },
};

async function look(pid: number, when: string, goal: Goal): Promise<Figure> {
  await setTimeout(settling * 1000);
  const values: number[] = [];
  for (let i = 0; i < looks; i++) {
    values.push(residentMegabytes(pid));
    await setTimeout(1000);
  }
  return {
    name: `daemon's resident memory, ${when}`,
    unit: 'MB',
    vetch: significant(median(values), 3),
    spread: range(values).map((value) => significant(value, 3)),
    peers: {},
    goal,
    note: `VmRSS, ${looks} looks from ${settling} s after it was done on`,
  };
}

export function residentMegabytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kibibytes = /^VmRSS:\s+(\d+) kB/m.exec(status)?.[1];
  if (!kibibytes) throw new Error(`process ${pid} has no VmRSS`);
  return (Number(kibibytes) * 1024) / 1e6;
}
