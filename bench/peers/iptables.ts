import { must } from '../../test/lab/process.ts';
import type { Arena } from '../arena.ts';
import { type Routed, routed, routerAddress } from './limits.ts';

/** A router whose FORWARD chain has so many rules, as a host's policies become some: what passes it matches none of them. */
export async function forwardRules(arena: Arena, count: number): Promise<Routed> {
  const path = await routed(arena, `${count} rules`, `forward-${count}`);
  const rules = Array.from({ length: count }, (_, index) => {
    const source = `10.200.${index >> 8}.${index & 255}/32`;
    return `-A FORWARD -s ${source} -d ${path.address}/32 -p tcp -m tcp --dport ${1 + (index % 1000)} -j ACCEPT`;
  });
  await restore(path, ['*filter', ...rules, 'COMMIT']);
  return path;
}

/** A router that publishes so many ports of the server, by a rule each as Docker writes them; `port` is the last of them. */
export async function portRules(arena: Arena, count: number, port: number): Promise<Routed> {
  const path = await routed(arena, `${count} rules`, `ports-${count}`);
  const published = [...Array.from({ length: count - 1 }, (_, index) => 20_000 + index), port];
  const rules = published.map(
    (one) => `-A PREROUTING -p tcp -m tcp --dport ${one} -j DNAT --to-destination ${path.address}:${one}`,
  );
  await restore(path, ['*nat', ...rules, 'COMMIT']);
  return { ...path, address: routerAddress };
}

/** What stands behind the command: rules of nftables in Debian, x_tables in others. */
export async function iptablesVersion({ router }: Routed): Promise<string> {
  return (await router.must('iptables', '--version')).trim();
}

async function restore({ router }: Routed, lines: readonly string[]): Promise<void> {
  await must(router.command(['iptables-restore']), { input: `${lines.join('\n')}\n`, timeoutSeconds: 60 });
}
