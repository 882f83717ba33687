import type { Logger } from 'pino';
import type { ClusterRecords } from '../model/cluster.ts';
import type { Network } from '../model/network.ts';
import { freeNumber } from '../policy/free-number.ts';
import type { ClusterStore } from '../store/cluster-contract.ts';
import { ConflictError } from '../store/conflict.ts';

/** Records of one transaction. */
const portion = 100;

/** Until what is in the way is there to stay. */
const attempts = 5;

/**
 * Puts networks that span hosts where they are not yet. Their addresses come after them, with their endpoints.
 *
 * @returns those that another one there is in the way of
 */
export async function moveNetworks(
  networks: Iterable<Network>,
  to: ClusterStore,
  log: Logger,
): Promise<readonly Network[]> {
  const left: Network[] = [];
  for (const network of networks) {
    for (let attempt = 1; !(await to.load()).networks.has(network.id); attempt++) {
      try {
        await to.transaction((writer) => writer.putNetwork(network));
      } catch (error) {
        if (!(error instanceof ConflictError)) throw error;
        if (attempt === attempts) {
          log.error({ err: error, network: network.name }, 'a network of this host does not go into the cluster');
          left.push(network);
          break;
        }
        await to.settled();
      }
    }
  }
  return left;
}

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
