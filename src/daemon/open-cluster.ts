import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Logger } from 'pino';
import { VetchError } from '../api/error.ts';
import { ClusterCache } from '../store/cluster-cache.ts';
import type { ClusterStore } from '../store/cluster-contract.ts';
import type { EmbeddedStore } from '../store/embedded.ts';
import type { EtcdAccess } from '../store/etcd/options.ts';
import { moveNetworks, moveRecords } from './move-records.ts';
import { notifySystemd } from './notify-systemd.ts';
import type { DaemonOptions, StoreAccess } from './options.ts';

/** Of this host's state, so that another host of the same name is found out. */
const instanceFact = 'cluster/instance';

/**
 * What this host shares with others, or its own store where there are none. What it had declared before, alone or in a
 * cluster, goes along: nothing opens because a host joined a cluster, or left it.
 *
 * @param signal ends the waiting for an etcd that is away
 * @throws VetchError INVALID, IN_USE, UNSUPPORTED, UNAVAILABLE
 */
export async function openCluster(
  options: DaemonOptions,
  store: EmbeddedStore,
  log: Logger,
  signal: AbortSignal,
): Promise<ClusterStore> {
  const cache = new ClusterCache(store);
  if (options.store === 'embedded') {
    const left = await cache.records();
    if (left) {
      await moveRecords(left, store.cluster, log);
      await moveNetworks(left.networks.values(), store.cluster, log);
      await cache.clear();
    }
    return store.cluster;
  }
  const { openEtcdCluster } = await import('../store/etcd/open.ts');
  const cluster = await openEtcdCluster({
    ...etcdAccess(options.store, options.storeAccess),
    node: options.node,
    instance: await instanceOf(store),
    cache,
    signal,
    waiting: (reason) => {
      log.warn(
        { store: options.store },
        `waiting for the cluster's store, of which this host knows nothing yet: ${reason}`,
      );
      // It may take longer than systemd has patience for a start.
      notifySystemd(`STATUS=waiting for ${options.store}: ${reason}\nEXTEND_TIMEOUT_USEC=90000000`);
    },
    failed: (what, err) => log.warn({ err }, `cannot ${what}`),
  });
  try {
    const { addresses, networks, policies, namespaces } = await store.cluster.load();
    if (networks.size > 0) {
      // One that does not fit stays this host's own for as long as it has endpoints of it.
      for (const left of await moveNetworks(networks.values(), cluster, log)) await store.putNetwork(left);
      await store.cluster.transaction((writer) => {
        for (const held of addresses.values()) writer.deleteAddress(held);
        for (const id of networks.keys()) writer.deleteNetwork(id);
      });
    }
    if (policies.size + namespaces.size > 0) {
      await moveRecords({ policies, namespaces }, cluster, log);
      await store.cluster.transaction((writer) => {
        for (const key of policies.keys()) writer.deletePolicy(key);
        for (const name of namespaces.keys()) writer.putNamespace(name, undefined);
      });
    }
    return cluster;
  } catch (error) {
    await cluster.close();
    throw error;
  }
}

async function instanceOf(store: EmbeddedStore): Promise<string> {
  const known = await store.fact(instanceFact);
  if (known !== undefined) return known;
  const instance = randomUUID();
  await store.putFact(instanceFact, instance);
  return instance;
}

/** @throws VetchError INVALID: a file cannot be read */
function etcdAccess(store: string, { prefix, ca, certificate, key, user, passwordFile }: StoreAccess): EtcdAccess {
  const tls = ca !== undefined && {
    ...(ca === 'system' ? {} : { ca: read('store-ca', ca) }),
    ...(certificate === undefined ? {} : { certificate: read('store-cert', certificate) }),
    ...(key === undefined ? {} : { key: read('store-key', key) }),
  };
  return {
    endpoints: store.slice('etcd://'.length).split(','),
    prefix,
    ...(tls ? { tls } : {}),
    ...(user !== undefined && passwordFile !== undefined
      ? { login: { user, password: firstLine(read('store-password-file', passwordFile)) } }
      : {}),
  };
}

function read(flag: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new VetchError('INVALID', `--${flag}: ${why}`, 'check the path and its permissions', { cause });
  }
}

function firstLine(file: Buffer): string {
  return file.toString().split(/\r?\n/, 1)[0] ?? '';
}
