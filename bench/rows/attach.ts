import { performance } from 'node:perf_hooks';
import { Engine } from '../../test/lab/engine.ts';
import type { Host } from '../../test/lab/host.ts';
import { Lab } from '../../test/lab/lab.ts';
import { must } from '../../test/lab/process.ts';
import { median, percentile, range, significant } from '../measure/statistics.ts';
import { atMost, type Figure, type Goal, noGoal, type Row } from '../row.ts';
import { Api } from '../tools/api.ts';
import { createCrowdNetwork, createNetns, crowd, crowdNetwork } from '../tools/crowd.ts';

/** Attaches, and detaches, that are measured; each in a namespace of its own. */
const measured = 200;

/** Rounds of containers. */
const runs = 21;

/** Of a bridge (BR_MAX_PORTS, without the first). */
const mostPorts = 1023;

const program = new URL('../programs/bridge-attach.ts', import.meta.url).pathname;

export const attach: Row = {
  number: 12,
  name: 'attach an endpoint',
  async run() {
    // Before there is anything else on the machine
    const bridge = new Map([
      [100, await bridgeAlone(100)],
      [1000, await bridgeAlone(1000)],
    ]);
    await using lab = await Lab.create({ clients: [] });
    const host = lab.host();
    using api = new Api(host);
    await createCrowdNetwork(api);
    const figures: Figure[] = [];
    let there = 0;
    for (const [present, goal] of [
      [100, noGoal],
      [1000, atMost(15, ' ms')],
      [10_000, atMost(10, ' ms')],
    ] as const) {
      await crowd(host, api, there, present);
      there = present;
      figures.push(await measure(host, api, { present, goal, bridge: bridge.get(present) }));
    }
    return [...figures, await engineRuns()];
  },
};

/** A real engine's `run`, with our network and with its own bridge in turn. */
async function engineRuns(): Promise<Figure> {
  await using lab = await Lab.create({ clients: [], start: false });
  const engine = await Engine.start(lab.host());
  const drivers = { vetch: '10.120.0.0/16', bridge: '10.121.0.0/16' } as const;
  for (const [driver, subnet] of Object.entries(drivers)) {
    await engine.docker('network', 'create', '--driver', driver, '--subnet', subnet, `by-${driver}`);
  }
  const once = async (driver: keyof typeof drivers): Promise<number> => {
    const begun = performance.now();
    await engine.docker(...engine.runArguments(driver, ['--network', `by-${driver}`]), 'links', 'sleep', 'infinity');
    const took = performance.now() - begun;
    await engine.docker('rm', '--force', driver);
    return took;
  };
  const rounds: { vetch: number; bridge: number }[] = [];
  for (let round = -1; round < runs; round++) {
    const ours = round % 2 === 0;
    const first = await once(ours ? 'vetch' : 'bridge');
    const second = await once(ours ? 'bridge' : 'vetch');
    // The first of all loads what is on the disk.
    if (round >= 0) rounds.push(ours ? { vetch: first, bridge: second } : { vetch: second, bridge: first });
  }
  const ratios = rounds.map(({ vetch, bridge }) => vetch / bridge);
  const [vetch, bridge] = [rounds.map((one) => one.vetch), rounds.map((one) => one.bridge)];
  return {
    name: '`docker run` with our network',
    unit: "× with the engine's own bridge",
    vetch: significant(median(ratios), 3),
    spread: range(ratios).map((value) => significant(value, 3)),
    peers: { "the engine's own bridge": 1 },
    goal: atMost(1),
    note: `medians in ms: ${significant(median(vetch), 3)}, bridge ${significant(median(bridge), 3)}; ${runs} rounds, until the command has ended, that of who is first by turns`,
  };
}

interface Measured {
  /** Endpoints that are there. */
  readonly present: number;
  readonly goal: Goal;
  /** Milliseconds of {@link bridgeAlone}. */
  readonly bridge: number | undefined;
}

async function measure(host: Host, api: Api, { present, goal, bridge }: Measured): Promise<Figure> {
  const names = await createNetns(host, `one${present}x`, measured);
  const attaches = await timed(names, (name) =>
    api.call('POST', '/v1/endpoints', { network: crowdNetwork, netns: `/run/netns/${name}`, name }),
  );
  const detaches = await timed(names, (name) => api.call('DELETE', `/v1/endpoints/${name}`));
  const [p95, detach, detachP95] = [percentile(attaches, 0.95), median(detaches), percentile(detaches, 0.95)].map(
    (value) => significant(value, 3),
  );
  return {
    name: `attach an endpoint with ${present.toLocaleString('en')} present`,
    unit: 'ms',
    vetch: significant(median(attaches), 3),
    spread: range(attaches).map((value) => significant(value, 3)),
    peers: bridge === undefined ? {} : { "the kernel's bridge alone": bridge },
    goal,
    note:
      `${measured} attaches over the API one after the other, IPv4 and IPv6, each in a namespace of its own; ` +
      `p95 ${p95} ms; detach ${detach} ms, p95 ${detachP95} ms; ` +
      (bridge === undefined
        ? `a bridge of the kernel takes ${mostPorts} at most`
        : 'the peer is the devices alone, by netlink: a cable, addresses, routes, a port of a bridge with so many'),
  };
}

/** The median of what the kernel takes for the devices, in milliseconds. */
async function bridgeAlone(present: number): Promise<number> {
  const times = JSON.parse(await must([process.execPath, program, `${present}`, '100'], { timeoutSeconds: 120 }));
  return significant(median(times as number[]), 3);
}

/** Milliseconds of each call, one after the other. */
async function timed(names: readonly string[], call: (name: string) => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  for (const name of names) {
    const start = performance.now();
    await call(name);
    times.push(performance.now() - start);
  }
  return times;
}
