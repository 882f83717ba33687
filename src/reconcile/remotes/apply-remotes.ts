import type { Intent } from '../../model/intent.ts';
import type { HostParts } from '../host-parts.ts';
import type { RemoteChanges, RemoteKeys } from './remote-table.ts';

/** Of a host, what follows the others. */
export type FollowingParts = Pick<HostParts, 'control' | 'policy' | 'policyFailure' | 'forgetRemotes' | 'failing'>;

/**
 * Follows what has changed on other hosts, and takes up what has waited for a network of this one, at the cost of the
 * change. What does not fit is not reached.
 *
 * @param intent with the change
 * @param keys names of nodes, and `NODE/ID` of endpoints, that have come, gone or changed
 * @returns what that was
 */
export async function applyRemotes(parts: FollowingParts, intent: Intent, keys: RemoteKeys): Promise<RemoteChanges> {
  const { control, policy } = parts;
  await parts.forgetRemotes();
  const changes = control.remotes.follow(intent, keys);
  const changed = changes.changed.map(({ after }) => after);
  const failed = parts.failing('follow endpoints on other hosts');
  try {
    await policy.addRemotes(changes.come);
    await policy.changeRemotes(changed);
  } catch (error) {
    parts.policyFailure = error instanceof Error ? error.message : String(error);
    failed(error);
  }
  // Whom policy does not know nobody reaches.
  const known = {
    ...changes,
    come: changes.come.filter((remote) => policy.knowsRemote(remote)),
    changed: changes.changed.filter(({ after }) => policy.knowsRemote(after)),
  };
  control.changeRemotes(known, failed);
  await policy.removeRemotes(changes.gone);
  return changes;
}
