import { atLeast, atMost, type Row } from '../row.ts';
import type { Stage } from '../stage.ts';
import { connections } from '../tools/connections.ts';
import { bulk } from '../tools/iperf3.ts';
import type { Path } from '../tools/path.ts';
import { roundTrip, sockperfPitch } from '../tools/sockperf.ts';
import { compared } from './compared.ts';
import { manyPorts } from './many-ports.ts';

async function fromOutside(stage: Stage): Promise<{ paths: readonly Path[]; notes: readonly string[] }> {
  const limits = [...(await stage.limits()), await stage.redirected('outside')];
  const [vetch, docker] = [await stage.vetch(), await stage.docker()];
  const ours = vetch.publishedFromOutside;
  const notes = ['the machine outside is cabled to the host by a veth pair, as the control is'];
  if (typeof docker === 'string')
    return { paths: [...limits, ours], notes: [...notes, `no Docker-like DNAT: ${docker}`] };
  return { paths: [...limits, docker.publishedFromOutside, ours], notes };
}

export const publishedFromOutside: Row = {
  number: 4,
  name: 'published port from outside: round trip; connections a second',
  async run(stage) {
    const paths = await fromOutside(stage);
    return [
      await compared(stage, {
        ...paths,
        name: 'published port from outside, TCP round trip',
        unit: 'µs',
        goal: atMost(1.12),
        tool: roundTrip,
        pitch: sockperfPitch,
      }),
      await compared(stage, {
        ...paths,
        name: 'published port from outside, TCP connections a second',
        unit: 'connections/s, same core',
        goal: atLeast(0.93),
        tool: connections,
      }),
      ...(await manyPorts()),
    ];
  },
};

export const publishedOnLocalhost: Row = {
  number: 5,
  name: 'published port from localhost: bulk; round trip; processes a port',
  async run(stage) {
    const [limits, vetch] = [await stage.limits(), await stage.vetch()];
    const paths = [...limits.slice(0, 2), vetch.hostToContainer, vetch.publishedOnLocalhost];
    const against = vetch.hostToContainer.name;
    const notes = ["direct: from the host to the container's own address"];
    const [before, after] = vetch.processes;
    return [
      await compared(stage, {
        paths,
        against,
        notes,
        name: 'published port from localhost, TCP bulk',
        unit: 'Gb/s, two CPUs',
        goal: atLeast(0.98),
        tool: bulk,
      }),
      await compared(stage, {
        paths,
        against,
        notes,
        name: 'published port from localhost, TCP round trip',
        unit: 'µs',
        goal: atMost(1.05),
        tool: roundTrip,
        pitch: sockperfPitch,
      }),
      {
        name: 'processes that a published port adds to the host',
        unit: 'processes',
        vetch: after - before,
        spread: [],
        peers: {},
        goal: atMost(0),
        note: `${before} processes before three ports were published, ${after} after`,
      },
    ];
  },
};
