import type { Figures } from './figures.ts';
import { changeKinds } from './measure.ts';

export interface Report {
  readonly measured: string;
  readonly machine: string;
  readonly kernel: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly simulations: readonly Figures[];
}

const names: Readonly<Record<(typeof changeKinds)[number], string>> = {
  attach: 'an endpoint attached',
  label: 'another label of an endpoint',
  detach: 'an endpoint detached',
  apply: 'a document applied',
  unapply: 'a document deleted',
  network: 'a network made',
  unnetwork: 'a network removed',
};

/** docs/simulation.md, as `make sim` writes it. @param limits what a person has to say of the figures */
export function markdown({ measured, machine, kernel, versions, simulations }: Report, limits: string): string {
  const head = ['', ...simulations.map(({ hosts, endpoints }) => `${hosts} hosts, ${count(endpoints)} endpoints`)];
  const row = (what: string, cell: (figures: Figures) => string) => line([what, ...simulations.map(cell)]);
  const allRates = [...new Set(simulations.flatMap(({ rates }) => rates.map(({ rate }) => rate)))].sort(
    (a, b) => a - b,
  );
  const changes = simulations.map((figures) => {
    const rows = changeKinds.map((kind) => {
      const { all, each, heard, answered, hostCpu, etcd } = figures.changes[kind];
      return line([
        names[kind],
        ms(answered.median),
        ms(each.median),
        `**${ms(all.median)}**`,
        ms(all.p99),
        ms(all.max),
        heard ? ms(heard.median) : '–',
        hostCpu.toFixed(2),
        etcd.writes.toFixed(1),
        count(Math.round(etcd.events)),
      ]);
    });
    return [
      `## Changes: ${figures.hosts} hosts, ${count(figures.endpoints)} endpoints`,
      '',
      table(
        [
          ...['change', 'answered', 'on one host', 'on all, median', '99 %', 'worst', 'heard by thin hosts'],
          ...['CPU a host, ms', 'etcd: writes', 'etcd: events'],
        ],
        rows,
      ),
      '',
    ].join('\n');
  });
  return [
    '# Many hosts, simulated',
    '',
    'Written by `make sim`; `simulation.json` has the same for programs. What it means is in [cluster.md](cluster.md#bounds).',
    '',
    `- Machine: ${machine}, shared with other work: the load average was ${simulations.map(({ loadAverage }) => loadAverage.map((load) => load.toFixed(1)).join(' before and ')).join(' after, and ')} after`,
    `- Kernel: ${kernel}`,
    `- Versions: ${Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}`,
    `- Measured: ${measured}`,
    '',
    ...method,
    '',
    '## Figures',
    '',
    table(head, [
      row('hosts that are whole', ({ whole }) => String(whole)),
      row('networks that span them', ({ networks }) => String(networks)),
      row(
        'all endpoints attached, and in all maps',
        ({ fill }) => `${fill.attachedSeconds.toFixed(0)} s, ${fill.seconds.toFixed(0)} s`,
      ),
      row(
        '**a cold host is in step**',
        ({ cold }) => `**${(cold.milliseconds / 1_000).toFixed(1)} s** (${cold.cpu.toFixed(1)} s of CPU)`,
      ),
      row('a host that died is gone everywhere (lease of 15 s)', ({ failure }) => `${failure.last.toFixed(1)} s`),
      ...allRates.map((asked) =>
        row(`${asked} changes a second: on all, median, 99 %, worst`, ({ rates }) => {
          const all = rates.find(({ rate }) => rate === asked)?.all;
          return all ? `${ms(all.median)}, ${ms(all.p99)}, ${ms(all.max)}` : '–';
        }),
      ),
      row("V8's heap of a host that is alone in its process", ({ cold }) => megabytes(cold.heap)),
      row('a pass over its maps, every 30 s', ({ pass }) => ms(pass)),
      row('CPU of a host while nothing changes, a second', ({ idle }) => ms(idle.hostCpuMilliseconds)),
      row('etcd: watchers', ({ watchers }) => String(watchers)),
      row('etcd: memory', ({ etcdMemory }) => megabytes(etcdMemory)),
      row('etcd: CPU while nothing changes', ({ idle }) => `${(100 * idle.etcd.cpuSeconds).toFixed(1)} % of one`),
      row(
        'etcd: CPU of one endpoint attached',
        ({ changes }) => `${(1_000 * changes.attach.etcd.cpuSeconds).toFixed(2)} ms`,
      ),
      row('etcd: writes to the disk of one endpoint attached', ({ changes }) => changes.attach.etcd.syncs.toFixed(1)),
    ]),
    '',
    ...changes,
    limits.trim(),
    '',
  ].join('\n');
}

const method = [
  "One real etcd and many hosts on one machine. The control plane of a whole host is the daemon's own code, put together as",
  'the daemon does it: its store on the disk and its copy of the cluster, its client of etcd with a connection of its own,',
  'the addresses that it holds, its networks, the policy compiler, and what writes the maps. In memory, in the place of the',
  'kernel, are the maps themselves; devices, programs and their grace periods are not there. A thin host is what etcd sees of',
  'a host: connection, lease, records, signs of life and watch; there are some where the machine has no memory for as many',
  'whole ones. Passes every 30 s are not made, but measured: so many hosts have more than two CPUs. Endpoints are attached as',
  'many at once as all hosts can follow. Nobody waits for the disk, which would be that of all hosts, but etcd. Hosts of one',
  'process have texts that all of them keep (ids, keys, addresses) in memory together: how much each takes by itself is what',
  'one that is alone in its process shows.',
  '',
  "Times are from the call until the entry is in the maps of one host, or of all whole hosts. etcd's figures are its own",
  '(`/metrics`), less what it does while nothing changes. At the end the maps of every whole host are compared with what',
  '`etcdctl` reads: each address, MAC, tunnel, and who is who to policy; and no address is given twice.',
];

function table(head: readonly string[], rows: readonly string[]): string {
  return [line(head), line(head.map(() => '---')), ...rows].join('\n');
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function ms(milliseconds: number): string {
  return `${milliseconds.toFixed(milliseconds < 10 ? 1 : 0)} ms`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}

function count(number: number): string {
  return number.toLocaleString('en');
}
