import type { Operations } from '../api/operations.ts';
import type { Observer } from '../observe/observer.ts';
import type { Context } from './context.ts';
import type { ClusterFollowing } from './follow-cluster.ts';
import { attachEndpoint } from './operations/attach-endpoint.ts';
import { addDeny, listDeny, removeDeny } from './operations/deny.ts';
import { doctor } from './operations/doctor.ts';
import { detachEndpoint, inspectEndpoint, labelEndpoint, listEndpoints } from './operations/endpoints.ts';
import { explainPolicy } from './operations/explain-policy.ts';
import { listIdentities } from './operations/identities.ts';
import { followNames } from './operations/names.ts';
import { labelNamespace } from './operations/namespaces.ts';
import { createNetwork, inspectNetwork, listNetworks, removeNetwork } from './operations/networks.ts';
import { forgetNode, listNodes, rotateKey } from './operations/nodes.ts';
import { applyPolicies, deletePolicy, getPolicy, listPolicies } from './operations/policies.ts';
import { listPorts, publishPort, unpublishPort } from './operations/ports.ts';
import { createService, listServices, removeService } from './operations/services.ts';
import { status } from './operations/status.ts';

/** Everything that can be asked of the daemon: changes go through the context, looking on through the observer. */
export function operationsOf(context: Context, observer: Observer, following: ClusterFollowing): Operations {
  return {
    createNetwork: (request) => createNetwork(context, request),
    listNetworks: async () => listNetworks(context),
    inspectNetwork: async (ref) => inspectNetwork(context, ref),
    removeNetwork: (ref) => removeNetwork(context, ref),
    attachEndpoint: (request) => attachEndpoint(context, request),
    listEndpoints: async () => listEndpoints(context),
    inspectEndpoint: async (ref) => inspectEndpoint(context, ref),
    labelEndpoint: (ref, request) => labelEndpoint(context, ref, request),
    detachEndpoint: (ref) => detachEndpoint(context, ref),
    followNames: (signal) => followNames(context, signal),
    learnAnswer: (request) => context.domainNames.learn(request),
    listLearned: async () => context.domainNames.list(),
    listPorts: async () => listPorts(context),
    publishPort: (ref, spec) => publishPort(context, ref, spec),
    unpublishPort: (ref, spec) => unpublishPort(context, ref, spec),
    createService: (request) => createService(context, request),
    listServices: async () => listServices(context),
    removeService: (ref) => removeService(context, ref),
    applyPolicies: (request) => applyPolicies(context, request),
    listPolicies: async () => listPolicies(context),
    getPolicy: async (ref, namespace) => getPolicy(context, ref, namespace),
    deletePolicy: (ref, namespace) => deletePolicy(context, ref, namespace),
    explainPolicy: async (request) => explainPolicy(context, request),
    labelNamespace: (name, request) => labelNamespace(context, name, request),
    addDeny: (cidrs) => addDeny(context, cidrs),
    removeDeny: (cidrs) => removeDeny(context, cidrs),
    listDeny: async () => listDeny(context),
    listNodes: async () => listNodes(context),
    forgetNode: (name) => forgetNode(context, name),
    rotateKey: () => rotateKey(context),
    listIdentities: async () => listIdentities(context),
    listConntrack: async (filter) => observer.listConntrack(filter),
    flushConntrack: (filter) => observer.flushConntrack(filter),
    listMaps: () => observer.listMaps(),
    dumpMap: (name) => observer.dumpMap(name),
    flows: (query, signal) => observer.flows(query, signal),
    trace: (request) => observer.trace(request),
    status: () => status(context, observer, following),
    doctor: () => doctor(context, observer),
    metrics: () => observer.metrics(),
  };
}
