import { run } from '../../test/lab/process.ts';
import { median, range, significant } from '../measure/statistics.ts';
import { atLeast, type Row } from '../row.ts';
import { latencyCpu, pinned } from '../tools/pinned.ts';

const program = new URL('../programs/flow-events.ts', import.meta.url).pathname;

export const flowEvents: Row = {
  number: 15,
  name: 'flow events: decoded and filtered a second by one core',
  async run() {
    const { stdout, stderr, status } = await run(pinned(latencyCpu, process.execPath, program), {
      timeoutSeconds: 170,
    });
    if (status !== 0) throw new Error(`${program}: ${stderr}`);
    const { read, filtered } = JSON.parse(stdout) as Record<'read' | 'filtered', number[]>;
    return [
      {
        name: 'flow events read from the ring buffer and filtered',
        unit: 'events/s, one core',
        vetch: significant(median(filtered), 3),
        spread: range(filtered).map((value) => significant(value, 3)),
        peers: {},
        goal: atLeast(2_000_000),
        note:
          `${filtered.length} rings of 40,000 events, which a program of the datapath wrote, into the daemon's history and through ` +
          `a filter of verdict, reason, subnet, port and protocol; without the filter ${significant(median(read), 3)}`,
      },
    ];
  },
};
