import { ConflictError } from '../store/conflict.ts';
import type { PolicyContext } from './context.ts';

/** Hosts that change the same thing at one moment take turns; so many of them. */
const attempts = 10;

/** Runs a change of what the cluster shares under the lock; planned anew when another host was faster. */
export async function changeCluster<T>(
  { cluster, lock }: Pick<PolicyContext, 'cluster' | 'lock'>,
  change: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await lock.run(change);
    } catch (error) {
      if (!(error instanceof ConflictError) || attempt === attempts) throw error;
    }
    await cluster.settled();
  }
}
