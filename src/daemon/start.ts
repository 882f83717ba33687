import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { version } from '../api/version.ts';
import { PinTree } from '../loader/pin.ts';
import { openMaps } from '../maps/open.ts';
import { parseAddress, withoutLength } from '../model/address.ts';
import type { Endpoint } from '../model/endpoint.ts';
import { Netlink } from '../netlink/netlink.ts';
import { currentNetns } from '../netlink/netns.ts';
import { WireguardControl } from '../netlink/wireguard-control.ts';
import { Collector } from '../observe/conntrack/collector.ts';
import { ConntrackCollect } from '../observe/conntrack/kernel-program.ts';
import { wireOf } from '../observe/host-wire.ts';
import { Observer } from '../observe/observer.ts';
import { LearnedNames } from '../policy/learned-names.ts';
import { hostDevice } from '../reconcile/desired/devices.ts';
import { foreignRoutes } from '../reconcile/foreign-routes.ts';
import { Host } from '../reconcile/host.ts';
import { type LoadRecords, loadPrograms } from '../reconcile/programs.ts';
import { mayReattach, Sandbox, sandboxFact } from '../reconcile/sandbox.ts';
import { BackendHealth } from '../service/health.ts';
import type { Store } from '../store/contract.ts';
import { openEmbeddedStore } from '../store/embedded.ts';
import { claimBpffs } from './bpffs-owner.ts';
import { cgroupFor } from './cgroup-root.ts';
import { ClusterAddresses } from './cluster/addresses.ts';
import { ClusterNetworks } from './cluster/networks.ts';
import type { Context } from './context.ts';
import { awaitsDescription } from './docker/described.ts';
import { DockerPools } from './docker/pools.ts';
import { startDocker } from './docker/start-docker.ts';
import { DomainNames, recordsOf } from './domain-names/domain-names.ts';
import { LearnedFile } from './domain-names/learned-file.ts';
import { ClusterFollowing } from './follow-cluster.ts';
import { startHttp } from './http/start-http.ts';
import { Maintenance } from './maintenance.ts';
import { Mutex } from './mutex.ts';
import { observedHost } from './observed-host.ts';
import { openCluster } from './open-cluster.ts';
import { operationsOf } from './operations.ts';
import type { DaemonOptions } from './options.ts';
import { publishAll } from './own-node.ts';
import { holdPort } from './port-probe.ts';
import { followSelection } from './services/follow-selection.ts';
import { HealthChecks } from './services/health-checks.ts';
import { readHealth } from './services/health-fact.ts';
import { loadIntent, State } from './state.ts';
import { UndoStack } from './undo-stack.ts';
import { KeyRotation } from './wireguard/key-rotation.ts';
import { OwnKeys } from './wireguard/own-keys.ts';

/** Where the compiled objects lie, in the checkout as in an installation. VETCH_OBJECTS: others, to try an upgrade with. */
export const objectDirectory = process.env.VETCH_OBJECTS ?? new URL('../../bpf/build/', import.meta.url).pathname;

export interface Daemon extends AsyncDisposable {
  /** For the log. */
  readonly summary: Readonly<Record<string, unknown>>;
}

/**
 * Brings everything up, in the order that is safe: the whole intent, maps, programs, a pass over the host, and only
 * then somebody to talk to. When it fails, what this process opened is closed and the datapath is as it was.
 *
 * @param signal ends the waiting for a cluster's store that is away
 * @throws VetchError INVALID, IN_USE, UNSUPPORTED, UNAVAILABLE, INTERNAL
 */
export async function startDaemon(options: DaemonOptions, log: Logger, signal: AbortSignal): Promise<Daemon> {
  const began = performance.now();
  await using opened = new UndoStack((what, err) => log.error({ err }, `cannot ${what}`));
  mkdirSync(options.state, { recursive: true, mode: 0o700 });
  const cgroup = cgroupFor(options.cgroup);
  const owner = claimBpffs(options.bpffs);
  opened.push('give back the pins', () => owner[Symbol.dispose]());
  const store = await openEmbeddedStore(options.state);
  opened.push('close the store', () => store.close());
  const cluster = await openCluster(options, store, log, signal);
  opened.push("close the cluster's store", () => cluster.close());
  const shared = await cluster.load();
  const tree = new PinTree(options.bpffs);
  const { programs, records, loaded } = await loadPrograms({
    directory: objectDirectory,
    tree,
    mapSizes: options.mapSizes,
    records: JSON.parse((await store.fact('programs')) ?? '{}') as LoadRecords,
  });
  await store.putFact('programs', JSON.stringify(records));
  const maps = openMaps(tree.maps);
  opened.push('close the maps', () => maps.close());
  const netlink = Netlink.open();
  opened.push('close netlink', () => netlink.close());
  const hostRoutes = foreignRoutes(netlink, netlink.link(hostDevice.name)?.index ?? 0);
  const { intent, admitted } = await loadIntent(store, shared, hostRoutes, log);
  const state = new State(intent);
  const learnedFile = new LearnedFile(join(options.state, 'learned-names'));
  const learned = new LearnedNames();
  for (const record of recordsOf(learnedFile.read(), state)) learned.put(record);
  const health = new BackendHealth(await readHealth(store));
  const keys = new OwnKeys(join(options.state, 'wireguard-keys'));
  const host = await Host.open({
    ...{ maps, netlink, tree, programs, cgroup, uplink: options.uplink, node: options.node },
    netnsCookie: hostCookie(),
    ...{ learned, health },
    encryption: {
      open: () => WireguardControl.open(),
      keys: () => keys.all(),
      inAdvance: options.store !== 'embedded',
    },
    awaitsLabels: (endpoint) => options.dockerEngine !== 'off' && awaitsDescription(endpoint),
    sandboxOf: (endpoint) => sandboxOf(endpoint, store, log),
    holdPort,
    failed: (what, err) => log.error({ err }, `cannot ${what}`),
  });
  opened.push('close WireGuard', () => host.close());
  await host.reconcile(state.index);
  await host.closeDevices();
  const program = new ConntrackCollect(host.program('conntrack_collect'), maps);
  const lock = new Mutex();
  const domainNames = new DomainNames({ policy: host.policy, state, lock, log, file: learnedFile });
  opened.push('stop following domain names', () => domainNames[Symbol.asyncDispose]());
  const collecting = domainNames.collecting(program);
  const collector = new Collector({ program: collecting, onError: (err) => log.error({ err }, 'conntrack collector') });
  opened.push('stop the collector', () => collector.close());
  const observer = new Observer({
    ...{ maps, pins: tree, objectDirectory, mapSizes: options.mapSizes, node: options.node, version, collector },
    host: observedHost(state, host),
  });
  opened.push('stop observing', () => observer.close());
  const forgetAddresses = async (network: number, addresses: readonly string[]) => {
    try {
      await program.forget(network, addresses.map(parseAddress));
    } catch (err) {
      log.error({ err, addresses }, 'cannot forget flows');
    }
  };
  const forgetFlows = async ({ name, number, addresses, hostIfname }: Endpoint, network: number) => {
    await forgetAddresses(network, addresses.map(withoutLength));
    if (hostIfname !== '') return;
    try {
      await program.forgetWire(wireOf(number));
    } catch (err) {
      log.error({ err, endpoint: name }, 'cannot forget flows');
    }
  };
  const addresses = new ClusterAddresses({ cluster, lock, log, state, options }, shared);
  const rotation = new KeyRotation({ cluster, host, lock, log, options, state }, keys);
  opened.push('stop changing keys', () => rotation[Symbol.asyncDispose]());
  const context: Context = {
    ...{ options, log, store, cluster, state, host, policy: host.policy, domainNames, lock, health },
    ...{ forgetAddresses, forgetFlows, addresses, rotation, networks: new ClusterNetworks(() => context, admitted) },
    applyRemotes: async (changed) => {
      await host.applyRemotes(state.index, changed);
      rotation.wake();
    },
  };
  const pools = await DockerPools.load(context);
  followSelection(context);
  const following = new ClusterFollowing(context);
  opened.push('stop following the cluster', () => following[Symbol.asyncDispose]());
  publishAll(context);
  opened.push('stop telling of addresses', () => addresses[Symbol.asyncDispose]());
  addresses.wake();
  rotation.wake();
  const maintenance = new Maintenance(context);
  opened.push('stop maintenance', () => maintenance[Symbol.asyncDispose]());
  const checks = new HealthChecks(context);
  opened.push('stop the health checks', () => checks[Symbol.asyncDispose]());
  const http = await startHttp({
    operations: operationsOf(context, observer, following),
    socketPath: options.socket,
    logger: log,
    ...(options.metrics === 'off' ? {} : { metrics: options.metrics }),
  });
  opened.push('stop the API', () => http.close());
  const docker = await startDocker(context, pools);
  opened.push("stop Docker's plugin", async () => docker[Symbol.asyncDispose]());
  // From then on it is missed within its lease: before, for as long as a start may take.
  await cluster.told();
  const parts = opened.move();
  return {
    summary: {
      ...{ version, loaded, networks: intent.networks.size, endpoints: intent.endpoints.size },
      ...(http.metrics ? { metrics: http.metrics } : {}),
      milliseconds: Math.round(performance.now() - began),
    },
    [Symbol.asyncDispose]: () => parts[Symbol.asyncDispose](),
  };
}

function hostCookie(): bigint {
  using netns = currentNetns();
  return netns.cookie;
}

async function sandboxOf(endpoint: Endpoint, store: Store, log: Logger): Promise<Sandbox | undefined> {
  if (endpoint.netns === '') return undefined;
  let sandbox: Sandbox;
  try {
    sandbox = Sandbox.open(endpoint.netns);
  } catch (err) {
    log.warn({ err, endpoint: endpoint.name }, 'endpoint lost: its sandbox is gone');
    return undefined;
  }
  const remembered = await store.fact(sandboxFact(endpoint.id));
  if (!mayReattach(endpoint, sandbox, remembered)) {
    sandbox[Symbol.dispose]();
    log.warn({ endpoint: endpoint.name, netns: endpoint.netns }, 'endpoint lost: its sandbox is another one now');
    return undefined;
  }
  if (sandbox.identity !== remembered) await store.putFact(sandboxFact(endpoint.id), sandbox.identity);
  return sandbox;
}
