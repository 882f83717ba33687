import { familyOf } from '../../model/address.ts';
import type { RemoteTable } from './remote-table.ts';

/** What is not reached of other hosts, for people. @param tunnel this host's own, canonical; undefined: it has none */
export function remoteWarnings(
  { mute, nodes, beyond }: Pick<RemoteTable, 'mute' | 'nodes' | 'beyond'>,
  tunnel: string | undefined,
): string[] {
  const warnings = [...mute].map((name) => {
    return `host ${name} has no address for tunnels: its endpoints are not reached from here`;
  });
  for (const { name, tunnel: other } of nodes) {
    if (tunnel === undefined || familyOf(other) === familyOf(tunnel)) continue;
    const both = `has its tunnel at ${other} and this one at ${tunnel}`;
    warnings.push(`host ${name} ${both}, of two families: they do not reach each other`);
  }
  const tooMany = 'are more than this host can tell apart: they are not reached from here';
  if (beyond.nodes > 0) warnings.push(`${beyond.nodes} hosts of the cluster ${tooMany}`);
  if (beyond.remotes > 0) warnings.push(`${beyond.remotes} endpoints on other hosts ${tooMany}`);
  return warnings;
}
