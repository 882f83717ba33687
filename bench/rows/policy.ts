import { Lab } from '../../test/lab/lab.ts';
import { Arena } from '../arena.ts';
import { compare } from '../measure/rounds.ts';
import { forwardRules, iptablesVersion } from '../peers/iptables.ts';
import { atMost, type Row } from '../row.ts';
import { Api } from '../tools/api.ts';
import { documents, openPort } from '../tools/documents.ts';
import { ports } from '../tools/path.ts';
import { roundTrip, sockperfPitch } from '../tools/sockperf.ts';
import { grow, grown, type Step } from './growth.ts';

const network = 'bench';
const counts = [0, 100, 1000, 10_000] as const;

export const policyRoundTrip: Row = {
  number: 7,
  name: 'round trip by policies, up to 10,000, against none',
  async run() {
    await using lab = await Lab.create({ hosts: counts.map(nameOf), clients: [] });
    await using arena = new Arena();
    const steps: Step[] = [];
    let version = '';
    for (const count of counts) {
      const peer = await forwardRules(arena, count);
      version = await iptablesVersion(peer);
      steps.push({ count, peer, ours: await governed(lab, count) });
    }
    const { rounds, dropped } = await grow({ steps, tool: roundTrip, pitch: sockperfPitch });
    const [none, most] = [compare(rounds, nameOf(0), nameOf(0)), compare(rounds, nameOf(10_000), nameOf(0))];
    const took = `${rounds.length} rounds, ${dropped} dropped`;
    const note = `${took}; client and server on one core; each step on a host of its own; the peer is a router whose FORWARD chain a packet passes without a match, ${version}`;
    const common = { name: 'TCP round trip', what: 'policies', unit: 'µs', peer: 'iptables rules', note };
    return [
      {
        name: 'TCP round trip between containers with 10,000 policies',
        unit: '× without policies',
        vetch: most.ratio,
        spread: most.spread,
        peers: { 'iptables rules': compare(rounds, '10000 rules', '0 rules').ratio },
        goal: atMost(1.02),
        note: `medians in µs: with ${most.absolute}, without ${none.absolute}; ${took}; two hosts on one machine, the receiver governed by 11 of the documents; the peer against itself without rules`,
      },
      ...steps.map((step) => grown(rounds, step, common)),
    ];
  },
};

const nameOf = (count: number) => `policies-${count}`;

/** Two containers of a host that has so many policies: from one to the other. */
async function governed(lab: Lab, count: number) {
  const name = nameOf(count);
  const host = lab.host(name);
  await host.vetch('network', 'create', network, '--subnet', '10.88.0.0/16', '--ipv6');
  const [server, { addresses }] = await host.attach(network, 'server', '--label', 'group=g0');
  const [client] = await host.attach(network, 'client', '--label', 'group=g1');
  if (count > 0) {
    using api = new Api(host);
    await api.call('POST', '/v1/policies', { text: documents(network, count - 1, 1000) });
    await api.call('POST', '/v1/policies', { text: openPort(network, 'g0', ports.sockperf) });
  }
  return { name, client, server, address: addresses[0]?.split('/')[0] ?? '' };
}
