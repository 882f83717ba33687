import { Lab } from '../../test/lab/lab.ts';
import { run } from '../../test/lab/process.ts';
import { interleave } from '../measure/interleave.ts';
import { compare } from '../measure/rounds.ts';
import { median, range, significant } from '../measure/statistics.ts';
import { atLeast, atMost, type Figure, noGoal, type Row } from '../row.ts';
import { connections } from '../tools/connections.ts';
import { follow, followed, withAndWithout } from '../tools/flow-events.ts';
import type { Path } from '../tools/path.ts';
import { latencyCpu, pinned } from '../tools/pinned.ts';
import { roundTrip } from '../tools/sockperf.ts';

const program = new URL('../programs/flow-events.ts', import.meta.url).pathname;

export const flowEvents: Row = {
  number: 15,
  name: 'flow events: decoded and filtered a second by one core; what they cost the datapath',
  run: async () => [await decoded(), ...(await cost())],
};

async function decoded(): Promise<Figure> {
  const { stdout, stderr, status } = await run(pinned(latencyCpu, process.execPath, program), {
    timeoutSeconds: 170,
  });
  if (status !== 0) throw new Error(`${program}: ${stderr}`);
  const { read, filtered } = JSON.parse(stdout) as Record<'read' | 'filtered', number[]>;
  return {
    name: 'flow events read from the ring buffer and filtered',
    unit: 'events/s, one core',
    vetch: significant(median(filtered), 3),
    spread: range(filtered).map((value) => significant(value, 3)),
    peers: {},
    goal: atLeast(2_000_000),
    note:
      `${filtered.length} rings of 40,000 events, which a program of the datapath wrote, into the daemon's history and through ` +
      `a filter of verdict, reason, subnet, port and protocol; without the filter ${significant(median(read), 3)}`,
  };
}

/** The same two containers with and without, in turn, while a client follows all that there is. */
async function cost(): Promise<Figure[]> {
  await using lab = await Lab.create({ clients: [] });
  const host = lab.host();
  await host.vetch('network', 'create', 'bench', '--subnet', '10.88.0.0/16', '--ipv6');
  const [server, { addresses }] = await host.attach('bench', 'server');
  const [client] = await host.attach('bench', 'client');
  const path: Path = { name: 'on', client, server, address: addresses[0]?.split('/')[0] ?? '' };
  follow(host);
  const figures: Figure[] = [];
  for (const { name, unit, goal, tool } of [
    { name: 'TCP round trip between containers', unit: 'µs', goal: atMost(1.02), tool: roundTrip },
    { name: 'TCP connections a second between containers', unit: 'connections/s', goal: noGoal, tool: connections },
  ]) {
    await using _serving = await tool.serve(server);
    const subjects = withAndWithout(host, await tool.subject(path));
    const before = await followed(host);
    const { rounds, dropped } = await interleave(subjects, { control: 'off' });
    const shown = (await followed(host)) - before;
    if (shown <= 0) throw new Error('the client that follows has shown no event');
    const [on, off] = [compare(rounds, 'on', 'off'), compare(rounds, 'off', 'off')];
    figures.push({
      name: `${name} with flow events on`,
      unit: '× off',
      vetch: on.ratio,
      spread: on.spread,
      peers: {},
      goal,
      note:
        `medians in ${unit}, same core: on ${on.absolute}, off ${off.absolute}; ${rounds.length} rounds, ${dropped} dropped; ` +
        `a client of \`vetch flows --follow\` showed ${shown} events: each flow is told of when it begins, and daemon and client have no CPU of their own`,
    });
  }
  return figures;
}
