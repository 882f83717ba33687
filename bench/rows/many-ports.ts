import { Arena } from '../arena.ts';
import { iptablesVersion, portRules } from '../peers/iptables.ts';
import type { Figure } from '../row.ts';
import { Api } from '../tools/api.ts';
import { connections } from '../tools/connections.ts';
import { ports } from '../tools/path.ts';
import { VetchHost } from '../vetch-host.ts';
import { grow, grown, type Step } from './growth.ts';

const counts = [1, 100, 1000, 10_000];

/** A rule of a chain is looked at when a connection begins: that is where many of them would show. */
export async function manyPorts(): Promise<Figure[]> {
  await using made = new AsyncDisposableStack();
  const steps: Step[] = [];
  const arena = made.use(new Arena());
  let version = '';
  for (const count of counts) {
    const peer = await portRules(arena, count, ports.connections);
    version = await iptablesVersion(peer);
    // Each with a machine outside of its own
    const vetch = made.use(await VetchHost.create(made.use(new Arena()), [ports.connections]));
    await publish(vetch, count - 1);
    steps.push({ count, peer, ours: { ...vetch.publishedFromOutside, name: `${count} ports` } });
  }
  const { rounds, dropped } = await grow({ steps, tool: connections });
  return steps.map((step) =>
    grown(rounds, step, {
      name: 'connections a second to a published port',
      what: 'ports',
      unit: 'connections/s',
      peer: 'iptables DNAT rules',
      note: `${rounds.length} rounds, ${dropped} dropped; same core, from outside; each step on a host of its own; the peer is a router with a rule a port, of which the last matches, ${version}`,
    }),
  );
}

/** In portions: while a call lasts, the daemon holds each of its ports. */
async function publish({ host }: VetchHost, count: number): Promise<void> {
  using api = new Api(host);
  for (let at = 0; at < count; at += 1000) {
    const range = `${20_000 + at}-${20_000 + Math.min(at + 1000, count) - 1}`;
    await api.call('POST', '/v1/endpoints/server/ports', { spec: `${range}:${range}` });
  }
}
