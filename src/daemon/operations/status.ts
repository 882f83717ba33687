import { release } from 'node:os';
import type { DoctorCheck, StatusView } from '../../api/schemas/status.ts';
import { version } from '../../api/version.ts';
import { feature, featureNames } from '../../loader/features.ts';
import { driverOf } from '../../network/drivers/registry.ts';
import { badRateLabels } from '../../network/rates.ts';
import type { Observer } from '../../observe/observer.ts';
import type { Context } from '../context.ts';
import { engineNamesCheck } from '../domain-names/engine-names.ts';
import type { ClusterFollowing } from '../follow-cluster.ts';
import { fullName } from '../refs.ts';
import { resolverCheck } from '../resolver-health.ts';

export async function status(context: Context, observer: Observer, following: ClusterFollowing): Promise<StatusView> {
  const { addresses, cluster, host, networks, options, rotation, state } = context;
  const [{ maps, drops, warnings }, resolver] = await Promise.all([observer.statusParts(), resolverCheck(context)]);
  return {
    version,
    node: options.node,
    kernel: release(),
    features: Object.fromEntries(featureNames.map((name) => [name, feature(name).ok])),
    networks: state.index.networks.size,
    endpoints: state.index.endpoints.size,
    maps,
    drops,
    drift: host.drift.total,
    warnings: [
      ...cluster.warnings,
      ...following.warnings,
      ...networks.warnings,
      ...addresses.warnings,
      ...hostWarnings(context),
      ...rotation.warnings,
      ...warningOf('the resolver', resolver),
      ...warningOf('domain names', engineNamesCheck(context)),
      ...warnings,
    ],
  };
}

function warningOf(what: string, check: DoctorCheck | undefined): string[] {
  return check && !check.ok ? [`${what}: ${check.detail}: ${check.remedy}`] : [];
}

function hostWarnings({ host, state }: Context): string[] {
  const lost = [...host.lost].flatMap(([id, why]) => {
    const endpoint = state.index.endpoints.get(id);
    if (!endpoint) return [];
    return `endpoint ${fullName(state.index, endpoint)} is lost: ${why}: detach it, or make the sandbox again`;
  });
  const unread = [...state.index.endpoints.values()].flatMap((endpoint) => {
    const name = fullName(state.index, endpoint);
    return badRateLabels(endpoint.labels).map((label) => {
      return `endpoint ${name} has the label ${label}, which is no rate: set it anew with vetch endpoint label`;
    });
  });
  const ungoverned = [...state.index.endpoints.values()].flatMap((endpoint) => {
    if (endpoint.cgroup !== undefined || !driverOf(state.networkOf(endpoint)).capabilities.cgroups) return [];
    const name = fullName(state.index, endpoint);
    return `endpoint ${name} is not under policy: its container has no cgroup of its own in cgroup2, as with cgroup v1`;
  });
  const unjoined = [...host.unjoined].flatMap(([id, why]) => {
    const endpoint = state.index.endpoints.get(id);
    return endpoint ? `endpoint ${fullName(state.index, endpoint)} does not reach its LAN: ${why}` : [];
  });
  return [...lost, ...ungoverned, ...unread, ...unjoined, ...host.warnings];
}
