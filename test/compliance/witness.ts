import { createHash } from 'node:crypto';
import type { ClusterChanges } from '../../src/model/cluster.ts';
import type { ClusterStore } from '../../src/store/cluster-contract.ts';
import { ClusterView } from '../../src/store/cluster-view.ts';

/** Keeps what a host has been told: what it loaded, and what its follower was told since. */
export class Witness {
  readonly records = new ClusterView();
  /** How often it was told of something. */
  calls = 0;
  /** Milliseconds that it takes to be told. */
  slowness = 0;

  static async of(store: ClusterStore): Promise<Witness> {
    const witness = new Witness();
    witness.#add(await store.load());
    store.follow(async (changes) => {
      witness.calls++;
      if (witness.slowness > 0) await new Promise((resolve) => setTimeout(resolve, witness.slowness));
      witness.#add(changes);
    });
    return witness;
  }

  get digest(): string {
    return digestOf(this.records);
  }

  #add(changes: ClusterChanges): void {
    for (const [kind, records] of Object.entries(changes)) {
      for (const [key, record] of records) this.records.set(kind as keyof ClusterChanges, key, record);
    }
  }
}

/** Of the records that every host sees: not of the hosts themselves. */
export function digestOf(records: ClusterChanges): string {
  const { networks, addresses, identities, policies, namespaces } = records;
  const all = [networks, addresses, identities, policies, namespaces].map((map: ReadonlyMap<string, unknown>) =>
    [...map].sort(([a], [b]) => (a < b ? -1 : 1)),
  );
  return createHash('sha256').update(JSON.stringify(all)).digest('hex');
}
