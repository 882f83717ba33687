import { Arena } from '../arena.ts';
import { interleave } from '../measure/interleave.ts';
import { compare } from '../measure/rounds.ts';
import { bareVeth, control, type Redirected, type Routed, redirected, routed } from '../peers/limits.ts';
import { twoRules } from '../peers/two-rules.ts';
import { atLeast, type Row } from '../row.ts';
import { arriving, type FramePath, leavingBeforeStack, macOf } from '../tools/frames.ts';
import type { Path } from '../tools/path.ts';
import { VetchHost } from '../vetch-host.ts';

const port = 14_000;
const byXdp = 'Vetch by XDP';

export const forwarding: Row = {
  number: 6,
  name: '64-byte forwarding of a published port: to a container, and to another host; one core',
  async run() {
    await using arena = new Arena();
    await using vetch = await VetchHost.create(arena);
    await vetch.host.vetch('port', 'publish', 'server', `${port}:${port}/udp`);
    const [ruled, plain] = [await twoRules(arena, port), await routed(arena)];
    for (const { router, server, address } of [ruled, plain]) {
      // It cannot answer who has the address: what comes in there is dropped.
      await router.ip(`neigh replace ${address} lladdr ${await macOf({ machine: server, device: 'eth0' })} dev right`);
    }
    const paths = [
      ours(vetch),
      byRouter(ruled, ruled.published),
      byRouter(plain, plain.address),
      byRedirects(await redirected(arena, 'outside')),
      byCable(await bareVeth(arena)),
    ];
    const dropsBefore = await vetch.drops();
    const subjects = [];
    for (const path of paths) subjects.push(await arriving(path));
    subjects.push(leavingBeforeStack(byXdp));
    const { rounds, dropped } = await interleave(subjects, { control });
    const lost = Object.entries(await vetch.drops()).filter(([reason, count]) => count > (dropsBefore[reason] ?? 0));
    const all = paths.map(({ name }) => ({ name, ...compare(rounds, name, ruled.name) }));
    const millions = all.map(({ name, absolute }) => `${name} ${(absolute / 1e6).toFixed(2)}`);
    const nanoseconds = (rate: number) => 1e9 / rate;
    const floor = nanoseconds(all.find(({ name }) => name === control)?.absolute ?? Number.NaN);
    const beyond = all
      .filter(({ name }) => name !== control)
      .map(({ name, absolute }) => `${name} ${(nanoseconds(absolute) - floor).toFixed(0)}`);
    const [own, ...others] = all;
    if (!own) throw new Error('nothing was measured');
    const straight = compare(rounds, byXdp, ruled.name);
    return [
      {
        name: '64-byte forwarding of a published UDP port that another host answers, by XDP into the tunnel, one core',
        unit: `× ${ruled.name}`,
        vetch: straight.ratio,
        spread: straight.spread,
        peers: {},
        goal: atLeast(4.5),
        note: [
          `median in million packets a second: ${(straight.absolute / 1e6).toFixed(2)}, those who make and drop them on the same core`,
          '1,000 flows that have begun, live frames of BPF_PROG_TEST_RUN given to xdp_uplink; the other end of the uplink drops them by XDP',
        ].join('; '),
      },
      {
        name: '64-byte forwarding of a published UDP port to a container, one core',
        unit: `× ${ruled.name}`,
        vetch: own.ratio,
        spread: own.spread,
        peers: Object.fromEntries(others.map(({ name, ratio }) => [name, ratio])),
        goal: atLeast(1.8),
        note: [
          `medians in million packets a second, those who make and drop them on the same core: ${millions.join(', ')}`,
          `ns a packet beyond what it takes to make and drop them: ${beyond.join(', ')}`,
          `${rounds.length} rounds, ${dropped} dropped; 1,000 flows that have begun, which the uplink receives from live frames of BPF_PROG_TEST_RUN`,
          ...(lost.length > 0
            ? [`packets that Vetch dropped meanwhile: ${lost.map(([reason]) => reason).join(', ')}`]
            : []),
        ].join('; '),
      },
    ];
  },
};

function ours({ host, publishedFromOutside: { name, client, server, address } }: VetchHost): FramePath {
  return {
    ...{ name, address, port },
    sender: { machine: client, device: 'eth0', address: '192.0.2.2' },
    entry: { machine: host, device: 'eth1' },
    sink: { machine: server, device: 'eth0' },
  };
}

function byRouter({ name, client, router, server }: Routed, address: string): FramePath {
  return {
    ...{ name, address, port },
    sender: { machine: client, device: 'eth0', address: '10.0.2.2' },
    entry: { machine: router, device: 'left' },
    sink: { machine: server, device: 'eth0' },
  };
}

function byRedirects({ name, client, host, server, address }: Redirected): FramePath {
  return {
    ...{ name, address, port },
    sender: { machine: client, device: 'eth0', address: '10.0.4.2' },
    entry: { machine: host, device: 'left' },
    sink: { machine: server, device: 'eth0' },
  };
}

/** What makes them and what drops them, alone. */
function byCable({ name, client, server, address }: Path): FramePath {
  const end = { machine: server, device: 'eth0' };
  const sender = { machine: client, device: 'eth0', address: '10.0.1.2' };
  return { name, address, port, sender, entry: end, sink: end };
}
