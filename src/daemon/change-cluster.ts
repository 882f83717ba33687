import { ConflictError } from '../store/conflict.ts';
import { type AddressClaim, NotHeldError } from './cluster/address-claims.ts';
import type { Context, PolicyContext } from './context.ts';

/** Hosts that change the same thing at one moment take turns; so many of them. */
const attempts = 10;

/** Runs a change of what the cluster shares under the lock; planned anew when another host was faster. */
export function changeCluster<T>(
  { cluster, lock }: Pick<PolicyContext, 'cluster' | 'lock'>,
  change: () => Promise<T>,
): Promise<T> {
  return takingTurns(cluster, () => lock.run(change));
}

/**
 * Runs a change that makes something with addresses, under the lock. Those that this host does not hold are asked for
 * without it, so that nobody waits for etcd who does not need it; then the change is planned anew.
 *
 * @param id of what is made; empty: it is to come
 */
export async function changeHolding<T>(
  { addresses, cluster, lock }: Pick<Context, 'addresses' | 'cluster' | 'lock'>,
  id: string,
  change: (claim: AddressClaim) => Promise<T>,
): Promise<T> {
  using claim = addresses.claim(id);
  return await takingTurns(cluster, async () => {
    for (;;) {
      try {
        return await lock.run(() => change(claim));
      } catch (error) {
        if (!(error instanceof NotHeldError)) throw error;
        await error.held;
      }
    }
  });
}

async function takingTurns<T>(cluster: PolicyContext['cluster'], attempt: () => Promise<T>): Promise<T> {
  for (let turn = 1; ; turn++) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof ConflictError) || turn === attempts) throw error;
    }
    await cluster.settled();
  }
}
