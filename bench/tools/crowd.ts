import type { Host } from '../../test/lab/host.ts';
import { must } from '../../test/lab/process.ts';
import type { Api } from './api.ts';

/** A namespace of the crowd holds so many endpoints. */
const perNetns = 10;

/** The network that the crowd is on; it has room for 65,000. */
export const crowdNetwork = 'bench';

export async function createCrowdNetwork(api: Api): Promise<void> {
  await api.call('POST', '/v1/networks', { name: crowdNetwork, subnets: ['10.88.0.0/16'], ipv6: true });
}

/** Attaches more endpoints, until there are `to` where there were `from`. @param groups that they are of, by a label */
export async function crowd(host: Host, api: Api, from: number, to: number, groups?: number): Promise<void> {
  let number = from;
  const labels = () => (groups === undefined ? {} : { labels: { group: `g${number++ % groups}` } });
  for (const name of await createNetns(host, `crowd${from}x`, Math.ceil((to - from) / perNetns))) {
    const attaches = Array.from({ length: perNetns }, (_, i) =>
      api.call('POST', '/v1/endpoints', {
        network: crowdNetwork,
        netns: `/run/netns/${name}`,
        name: `${name}-${i}`,
        ifname: `eth${i}`,
        ...labels(),
      }),
    );
    await Promise.all(attaches);
  }
}

/** Many namespaces on a host, made by one process; gives their names. */
export async function createNetns(host: Host, prefix: string, count: number): Promise<string[]> {
  const names = Array.from({ length: count }, (_, i) => `${prefix}${i}`);
  const lines = names.map((name) => `netns add ${name}`).join('\n');
  await must(host.command(['ip', '-batch', '-']), { input: lines, timeoutSeconds: 120 });
  return names;
}
