import type { ConntrackFilter, ConntrackFlushed, ConntrackView } from './schemas/conntrack.ts';
import type { DenyView } from './schemas/deny.ts';
import type { AttachEndpointRequest, EndpointView, LabelEndpointRequest } from './schemas/endpoint.ts';
import type { FlowQuery, FlowView } from './schemas/flow.ts';
import type { MapEntryView, MapView } from './schemas/map.ts';
import type { LearnAnswerRequest, LearnedView, NameEvent, OpenedView } from './schemas/names.ts';
import type { CreateNetworkRequest, NetworkView } from './schemas/network.ts';
import type { NodeView } from './schemas/node.ts';
import type {
  ApplyPoliciesRequest,
  ExplainRequest,
  ExplainView,
  LabelNamespaceRequest,
  NamespaceView,
  PolicyDocumentView,
  PolicyView,
} from './schemas/policy.ts';
import type { PortView } from './schemas/port.ts';
import type { CreateServiceRequest, ServiceView } from './schemas/service.ts';
import type { DoctorCheck, IdentityView, StatusView } from './schemas/status.ts';
import type { TraceRequest, TraceView } from './schemas/trace.ts';

/** Many rows, made while they are sent: an array will do where there are few. */
export type Rows<Row> = Iterable<Row> | AsyncIterable<Row>;

export interface MapDump {
  readonly name: string;
  /** The command that shows the same. */
  readonly bpftool: string;
  readonly entries: Rows<MapEntryView>;
}

/**
 * Everything that can be asked of the daemon: HTTP calls it, the engine implements it.
 *
 * Requests have been validated against their schemas. A refusal is a `VetchError`; anything else that is thrown
 * is reported as INTERNAL. `ref` is a REF as the user wrote it; a network's is its name or an id's prefix.
 */
export interface Operations {
  createNetwork(request: CreateNetworkRequest): Promise<NetworkView>;
  listNetworks(): Promise<readonly NetworkView[]>;
  inspectNetwork(ref: string): Promise<NetworkView>;
  removeNetwork(ref: string): Promise<void>;

  attachEndpoint(request: AttachEndpointRequest): Promise<EndpointView>;
  listEndpoints(): Promise<readonly EndpointView[]>;
  inspectEndpoint(ref: string): Promise<EndpointView>;
  labelEndpoint(ref: string, request: LabelEndpointRequest): Promise<EndpointView>;
  detachEndpoint(ref: string): Promise<void>;

  /** Everything that has a name, then `synced`, then what changes, until `signal` is aborted. */
  followNames(signal: AbortSignal): AsyncIterable<NameEvent>;
  /** Opens what policy lets an endpoint reach by the name of an answer, which is given to it afterwards. */
  learnAnswer(request: LearnAnswerRequest): Promise<OpenedView>;
  listLearned(): Promise<readonly LearnedView[]>;

  listPorts(): Promise<readonly PortView[]>;
  /** Gives the ports that were published: several for a range, or for both families. */
  publishPort(ref: string, spec: string): Promise<readonly PortView[]>;
  /** Gives the ports that were published until now. */
  unpublishPort(ref: string, spec: string): Promise<readonly PortView[]>;

  createService(request: CreateServiceRequest): Promise<ServiceView>;
  listServices(): Promise<readonly ServiceView[]>;
  /** `ref`: `NAME` or `NETWORK/NAME`. Connections that came by it end. */
  removeService(ref: string): Promise<void>;

  /** Adds or replaces documents, all or none. Gives those that were given. */
  applyPolicies(request: ApplyPoliciesRequest): Promise<readonly PolicyView[]>;
  listPolicies(): Promise<readonly PolicyView[]>;
  /** `ref`: `[KIND/]NAME`; of any namespace unless one is given. */
  getPolicy(ref: string, namespace: string | undefined): Promise<PolicyDocumentView>;
  deletePolicy(ref: string, namespace: string | undefined): Promise<void>;
  explainPolicy(request: ExplainRequest): Promise<ExplainView>;
  labelNamespace(name: string, request: LabelNamespaceRequest): Promise<NamespaceView>;

  /** All or none. Gives their entries, in canonical form; one that was there before keeps its count. */
  addDeny(cidrs: readonly string[]): Promise<Rows<DenyView>>;
  /** All or none (NOT_FOUND). Gives the entries as they were. */
  removeDeny(cidrs: readonly string[]): Promise<Rows<DenyView>>;
  listDeny(): Promise<Rows<DenyView>>;

  listConntrack(filter: ConntrackFilter): Promise<Rows<ConntrackView>>;
  flushConntrack(filter: ConntrackFilter): Promise<ConntrackFlushed>;

  listMaps(): Promise<readonly MapView[]>;
  dumpMap(name: string): Promise<MapDump>;

  /**
   * Ends by itself unless `query.follow`; `signal` is aborted when the client leaves. A bad filter is thrown by the
   * first `next()`, before any flow.
   */
  flows(query: FlowQuery, signal: AbortSignal): AsyncIterable<FlowView>;
  trace(request: TraceRequest): Promise<TraceView>;
  status(): Promise<StatusView>;
  doctor(): Promise<readonly DoctorCheck[]>;
  listNodes(): Promise<readonly NodeView[]>;
  /** Of a host that is gone for good, gives back the addresses that it held. */
  forgetNode(name: string): Promise<void>;
  /** Begins to have this host use a new key; gives it with both. */
  rotateKey(): Promise<NodeView>;
  listIdentities(): Promise<readonly IdentityView[]>;
  /** Prometheus' text format. */
  metrics(): Promise<string>;
}
