import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';
import { EtcdServers } from '../lab/etcd-servers.ts';
import { clusterCompliance } from './cluster.ts';
import { etcdPlace, openPlace } from './etcd-place.ts';

const writer = fileURLToPath(new URL('cluster-writer.ts', import.meta.url));

let servers: Promise<EtcdServers> | undefined;
afterAll(async () => (await servers)?.[Symbol.asyncDispose]());

clusterCompliance({
  name: 'etcd',
  async place() {
    servers ??= EtcdServers.start();
    const prefix = `/vetch/${randomUUID()}`;
    const running = await servers;
    return {
      place: etcdPlace(running.endpoints, prefix),
      remove: async () => void (await running.etcdctl('del', '--prefix', prefix)),
    };
  },
  open: (place, node = 'a') => openPlace(place, node),
  writer: (place) => [process.execPath, '--experimental-strip-types', '--no-warnings', writer, 'etcd', place],
  spansHosts: true,
});
