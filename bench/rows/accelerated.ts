import { atMost, type Row } from '../row.ts';
import type { Stage } from '../stage.ts';
import type { Path } from '../tools/path.ts';
import { roundTrip, sockperfPitch } from '../tools/sockperf.ts';
import { compared } from './compared.ts';

const subnet = '10.87.0.0/16';

/** Two containers on a network of our host's that has the option. */
async function acceleratedPath(stage: Stage): Promise<Path> {
  const { host } = await stage.vetch();
  await host.vetch('network', 'create', 'fast', '--subnet', subnet, '--opt', 'vetch.accelerate=latency');
  const [server, view] = await host.attach('fast', 'fast-server');
  const [client] = await host.attach('fast', 'fast-client');
  const address = view.addresses.find((cidr) => cidr.includes('.'))?.replace(/[/].*/, '') ?? '';
  return { name: 'Vetch', client, server, address };
}

export const acceleratedRoundTrip: Row = {
  number: 11,
  name: 'same-host TCP with socket bypass, round trip',
  async run(stage) {
    const vetch = await stage.vetch();
    const limits = (await stage.limits()).filter(({ name }) => name === 'bare veth' || name === 'loopback');
    const figure = await compared(stage, {
      paths: [...limits, { ...vetch.containerToContainer, name: 'without the option' }, await acceleratedPath(stage)],
      name: 'same-host TCP with vetch.accelerate=latency, round trip',
      unit: 'µs',
      goal: atMost(0.65),
      tool: roundTrip,
      pitch: sockperfPitch,
      against: 'loopback',
    });
    return [figure];
  },
};
