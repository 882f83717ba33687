import type { PlacedNode } from '../remotes/remote-table.ts';

/** What is known of the way to another host. */
export interface EncryptionState {
  readonly name: string;
  readonly hasKey: boolean;
  /** Who else has one of its keys; absent: nobody. */
  readonly twin?: string;
  /** Milliseconds since 1970; 0: there was none; absent: WireGuard does not know of it yet. */
  readonly lastHandshake?: number;
}

/** Signs of life renew a session every 145 s, and at 180 s it ends. */
const longest = 200_000;

/** What is not reached of other hosts by networks that are encrypted, for people. */
export function encryptionWarnings(states: Iterable<EncryptionState>, now: number): string[] {
  const warnings: string[] = [];
  for (const { name, hasKey, twin, lastHandshake } of states) {
    if (twin !== undefined) {
      warnings.push(`host ${name} has the key of ${twin}, as a copy of its state would: ${twinRemedy}`);
    } else if (!hasKey) {
      warnings.push(`host ${name} has no key: encrypted networks do not reach it: see \`vetch status\` there`);
    } else if (lastHandshake === 0) {
      warnings.push(`host ${name} has not answered WireGuard: ${remedy}`);
    } else if (lastHandshake !== undefined && now - lastHandshake > longest) {
      const minutes = Math.floor((now - lastHandshake) / 60_000);
      warnings.push(`host ${name} has not answered WireGuard for ${minutes} minutes: ${remedy}`);
    }
  }
  return warnings;
}

const remedy = 'see that UDP ports 51871 and 51872 are open between the hosts, and their clocks and addresses right';
const twinRemedy = 'use `vetch node rotate-key` at one of them, or it is not reached by encrypted networks';

/**
 * Who has a key that somebody else has, too, and who that is.
 *
 * @param own public keys of this host
 */
export function twinsOf(nodes: Iterable<Keyed>, own: Iterable<string>): Map<string, string> {
  const holders = new Map(Array.from(own, (publicKey) => [publicKey, 'this host']));
  const twins = new Map<string, string>();
  for (const { name, wireguard } of nodes) {
    for (const { publicKey } of wireguard) {
      const other = holders.get(publicKey);
      if (other === undefined) holders.set(publicKey, `host ${name}`);
      else if (other !== `host ${name}`) twins.set(name, other);
    }
  }
  return twins;
}

type Keyed = Pick<PlacedNode, 'name' | 'wireguard'>;
