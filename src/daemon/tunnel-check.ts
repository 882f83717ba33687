import type { DoctorCheck } from '../api/schemas/status.ts';
import type { Context } from './context.ts';

/** Whether this host reaches the others whose networks it shares; undefined where no network spans hosts. */
export function tunnelCheck({ host, state }: Pick<Context, 'host' | 'state'>): DoctorCheck | undefined {
  const spanning = [...state.index.networks.values()].filter(({ driver }) => driver === 'overlay');
  if (spanning.length === 0) return undefined;
  const [problem, ...others] = host.tunnelWarnings;
  if (problem === undefined) {
    const detail = `from ${host.tunnel ?? 'nowhere'} to ${state.index.nodes.size} other hosts`;
    return { check: 'tunnels', ok: true, detail, remedy: null };
  }
  return {
    check: 'tunnels',
    ok: false,
    detail: others.length === 0 ? problem : `${problem}, and ${others.length} more`,
    remedy:
      'see the warnings of `vetch status`; all hosts need an address of one family on an uplink, and UDP port 4789',
  };
}

/** Whether it can encrypt to all of them; undefined: no network asks for it. */
export function encryptionCheck({
  host,
  rotation,
  state,
}: Pick<Context, 'host' | 'rotation' | 'state'>): DoctorCheck | undefined {
  if (!host.encryption.needed) return undefined;
  const [problem, ...others] = [...host.encryption.warnings, ...rotation.warnings];
  if (problem === undefined) {
    const detail = `WireGuard has sessions with ${state.index.nodes.size} other hosts`;
    return { check: 'encryption', ok: true, detail, remedy: null };
  }
  return {
    check: 'encryption',
    ok: false,
    detail: others.length === 0 ? problem : `${problem}, and ${others.length} more`,
    remedy: 'see the warnings of `vetch status`; all hosts need WireGuard, and a way to UDP ports 51871 and 51872',
  };
}
