import { closeSync } from 'node:fs';
import { openById, queryTcx } from '../../loader/enumerate.ts';
import { KernelError } from '../../loader/kernel-error.ts';
import { programInfo } from '../../loader/program.ts';
import type { ForeignProgram } from './facts.ts';

/** An uplink of this host. */
export interface UplinkDevice {
  readonly name: string;
  readonly ifindex: number;
  /** Ids of programs that netlink tells of. */
  readonly xdp?: number;
  readonly clsact?: readonly number[];
}

/** Programs at our uplinks' hooks that are not ours, in the network namespace of the calling thread. */
export function foreignPrograms(uplinks: readonly UplinkDevice[], own: ReadonlySet<number>): ForeignProgram[] {
  return uplinks.flatMap(({ name: device, ifindex, xdp, clsact = [] }) => {
    const found = [
      ...(xdp === undefined ? [] : [{ hook: 'xdp', id: xdp } as const]),
      ...tcx(ifindex, 'ingress').map((id) => ({ hook: 'tcx_ingress', id }) as const),
      ...tcx(ifindex, 'egress').map((id) => ({ hook: 'tcx_egress', id }) as const),
      ...clsact.map((id) => ({ hook: 'clsact', id }) as const),
    ];
    return found.filter(({ id }) => !own.has(id)).map(({ hook, id }) => ({ device, hook, id, name: nameOf(id) }));
  });
}

/** Empty on a kernel without TCX, and for a device that has just gone. */
function tcx(ifindex: number, direction: 'ingress' | 'egress'): number[] {
  try {
    return queryTcx(ifindex, direction).map(({ programId }) => programId);
  } catch (error) {
    if (error instanceof KernelError && ['EINVAL', 'ENODEV'].includes(error.code)) return [];
    throw error;
  }
}

function nameOf(id: number): string {
  try {
    const fd = openById('program', id);
    try {
      return programInfo(fd).name || '(without a name)';
    } finally {
      closeSync(fd);
    }
  } catch {
    return '(gone)';
  }
}
