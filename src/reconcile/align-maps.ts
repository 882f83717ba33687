import type { Intent } from '../model/intent.ts';
import type { HostParts } from './host-parts.ts';
import type { PlacedRemote } from './remotes/remote-table.ts';

/** Of a host, what its maps are made of. */
export type MapParts = Pick<
  HostParts,
  'control' | 'policy' | 'policyFailure' | 'facts' | 'passes' | 'forgetRemotes' | 'failing'
>;

/**
 * Makes every map that the control plane writes what it should be. What restricts comes before what permits.
 *
 * @returns how many entries were not
 * @throws VetchError MAP_FULL, UNSUPPORTED: in the first pass
 */
export async function alignMaps(parts: MapParts, intent: Intent): Promise<number> {
  const { control } = parts;
  control.remotes.align(intent);
  const policy = await enforcePolicy(parts, intent);
  const knows = (remote: PlacedRemote) => parts.policy.knowsRemote(remote);
  return policy + (await control.reconcile(intent, parts.facts, parts.failing('write a map'), knows));
}

/**
 * What the kernel had goes on where the policy cannot be enforced. At the start that may be nothing: then nobody starts,
 * rather than that what should be closed is open.
 *
 * @throws VetchError MAP_FULL, UNSUPPORTED: in the first pass
 */
async function enforcePolicy(parts: MapParts, intent: Intent): Promise<number> {
  try {
    await parts.forgetRemotes();
    const repaired = await parts.policy.reconcile(intent, parts.facts, parts.control.remotes.placed.values());
    parts.policyFailure = undefined;
    return repaired;
  } catch (error) {
    if (parts.passes === 0) throw error;
    parts.policyFailure = error instanceof Error ? error.message : String(error);
    parts.failing('enforce policy')(error);
    return 0;
  }
}
