/** What is known of the way to another host. */
export interface EncryptionState {
  readonly name: string;
  readonly hasKey: boolean;
  /** Milliseconds since 1970; 0: there was none; absent: WireGuard does not know of it yet. */
  readonly lastHandshake?: number;
}

/** Signs of life renew a session every 145 s, and at 180 s it ends. */
const longest = 200_000;

/** What is not reached of other hosts by networks that are encrypted, for people. */
export function encryptionWarnings(states: Iterable<EncryptionState>, now: number): string[] {
  const warnings: string[] = [];
  for (const { name, hasKey, lastHandshake } of states) {
    if (!hasKey) {
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
