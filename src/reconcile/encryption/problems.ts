import { VetchError } from '../../api/error.ts';

/** Why this host cannot encrypt, and what to do about it. */
export interface Problem {
  readonly what: string;
  readonly remedy: string;
}

const here = 'networks cannot be encrypted here';

export const noWireguard: Problem = {
  what: `${here}: this kernel has no WireGuard`,
  remedy: 'load the module wireguard, boot a kernel that has it (Linux 5.6), or leave out the option encrypted',
};

export const noTunnel: Problem = {
  what: `${here}: no uplink of this host has an address that others could tunnel to`,
  remedy: 'give an uplink an address, or name the uplinks with --uplink',
};

export function portIsTaken(port: number): Problem {
  return {
    what: `${here}: another socket of this host has UDP port ${port}`,
    remedy: `end what \`ss -ulpn sport = ${port}\` shows; a WireGuard device shows there without a process: see \`wg show\``,
  };
}

/** What nobody has foreseen. */
export function hasFailed(error: unknown): Problem {
  const why = error instanceof Error ? error.message : String(error);
  const remedy = error instanceof VetchError ? error.hint : "see the daemon's log; it is tried again every 30 s";
  return { what: `${here}: ${why}`, remedy };
}
