import { atLeast, atMost, type Row } from '../row.ts';
import type { Stage } from '../stage.ts';
import { connections } from '../tools/connections.ts';
import { bulk } from '../tools/iperf3.ts';
import type { Path } from '../tools/path.ts';
import { roundTrip, sockperfPitch } from '../tools/sockperf.ts';
import { compared } from './compared.ts';

async function pathsOf(stage: Stage): Promise<{ paths: readonly Path[]; notes: readonly string[] }> {
  const limits = [...(await stage.limits()), await stage.redirected('containers')];
  const [vetch, docker] = [await stage.vetch(), await stage.docker()];
  const ours = vetch.containerToContainer;
  if (typeof docker === 'string') return { paths: [...limits, ours], notes: [`no Docker-like bridge: ${docker}`] };
  return { paths: [...limits, docker.containerToContainer, ours], notes: [] };
}

export const containerRoundTrip: Row = {
  number: 1,
  name: 'container to container, round trip, same core',
  async run(stage) {
    const figure = await compared(stage, {
      ...(await pathsOf(stage)),
      name: 'container to container, TCP round trip',
      unit: 'µs',
      goal: atMost(1.09),
      tool: roundTrip,
      pitch: sockperfPitch,
    });
    return [figure];
  },
};

export const containerConnections: Row = {
  number: 2,
  name: 'container to container, connections a second',
  async run(stage) {
    const figure = await compared(stage, {
      ...(await pathsOf(stage)),
      name: 'container to container, TCP connections a second',
      unit: 'connections/s, same core',
      goal: atLeast(0.95),
      tool: connections,
    });
    return [figure];
  },
};

export const containerBulk: Row = {
  number: 3,
  name: 'container to container, bulk',
  async run(stage) {
    const figure = await compared(stage, {
      ...(await pathsOf(stage)),
      name: 'container to container, TCP bulk',
      unit: 'Gb/s, two CPUs',
      goal: atLeast(0.95),
      tool: bulk,
    });
    return [figure];
  },
};
