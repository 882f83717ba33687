import type { Logger } from 'pino';
import type { ClusterRecords } from '../model/cluster.ts';
import { freeNumber } from '../policy/free-number.ts';
import type { ClusterStore } from '../store/cluster-contract.ts';
import { ConflictError } from '../store/conflict.ts';

/** Records of one transaction. */
const portion = 100;

/** Puts policies and namespaces where they are not yet; what is there under the same name stays as it is there. */
export async function moveRecords(
  from: Pick<ClusterRecords, 'policies' | 'namespaces'>,
  to: ClusterStore,
  log: Logger,
): Promise<void> {
  for (;;) {
    const there = await to.load();
    const policies = [...from.policies].filter(([key]) => !there.policies.has(key)).slice(0, portion);
    const namespaces = [...from.namespaces].filter(([name]) => !there.namespaces.has(name)).slice(0, portion);
    if (policies.length > 0) namespaces.length = 0;
    if (policies.length + namespaces.length === 0) break;
    const taken = new Set(Array.from(there.policies.values(), ({ number }) => number));
    try {
      await to.transaction((writer) => {
        for (const [name, labels] of namespaces) writer.putNamespace(name, labels);
        for (const [, document] of policies) {
          const number = taken.has(document.number) ? freeNumber(taken, 0) : document.number;
          taken.add(number);
          writer.putPolicy({ ...document, number });
        }
      });
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
      await to.settled();
    }
  }
  log.info(
    { policies: from.policies.size, namespaces: from.namespaces.size },
    'policies and namespaces of this host are with its store now; where there was one of the same name, that one holds',
  );
}
