import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { VetchError } from '../../src/api/error.ts';
import type { MapDump, Operations, Rows } from '../../src/api/operations.ts';
import type { ConntrackFilter, ConntrackView } from '../../src/api/schemas/conntrack.ts';
import type { DenyView } from '../../src/api/schemas/deny.ts';
import type { AttachEndpointRequest, EndpointView, LabelEndpointRequest } from '../../src/api/schemas/endpoint.ts';
import type { FlowFilter, FlowQuery, FlowView } from '../../src/api/schemas/flow.ts';
import type { MapView } from '../../src/api/schemas/map.ts';
import type { LearnAnswerRequest, LearnedView, NameEvent, OpenedView } from '../../src/api/schemas/names.ts';
import type { CreateNetworkRequest, NetworkView } from '../../src/api/schemas/network.ts';
import type { NodeView } from '../../src/api/schemas/node.ts';
import type {
  ApplyPoliciesRequest,
  ExplainRequest,
  ExplainView,
  LabelNamespaceRequest,
  NamespaceView,
  PolicyDocumentView,
  PolicyView,
} from '../../src/api/schemas/policy.ts';
import type { PortView } from '../../src/api/schemas/port.ts';
import type { CreateServiceRequest, ServiceView } from '../../src/api/schemas/service.ts';
import type { DoctorCheck, IdentityView, StatusView } from '../../src/api/schemas/status.ts';
import type { TraceRequest, TraceView } from '../../src/api/schemas/trace.ts';
import { MemoryPolicies } from './memory-policies.ts';

/** An engine without a kernel: it keeps what it is told in memory, so that the API and the CLI have somebody to talk to. */
export class MemoryOperations implements Operations {
  readonly networks = new Map<string, NetworkView>();
  readonly endpoints = new Map<string, EndpointView>();
  readonly policies = new MemoryPolicies(() => [...this.endpoints.values()]);
  readonly denied = new Map<string, DenyView>();
  conntrack: readonly ConntrackView[] = [flowOf(40_000, 'ESTABLISHED'), flowOf(40_001, 'CLOSING')];
  readonly learned: LearnedView[] = [];
  checks: readonly DoctorCheck[] = [{ check: 'kernel', ok: true, detail: '6.18', remedy: null }];
  /** Events held for `flows`. */
  held: readonly FlowView[] = [];
  /** Milliseconds between the events that a follower sees. */
  followEveryMs = 5;
  /** How many events have been made for followers, and how many followers are there. */
  followed = 0;
  followers = 0;
  lastFlowQuery: FlowQuery | undefined;

  async createNetwork(request: CreateNetworkRequest): Promise<NetworkView> {
    if (this.networks.has(request.name)) {
      throw new VetchError('ALREADY_EXISTS', `network ${request.name} exists`, 'choose another name');
    }
    const network: NetworkView = {
      id: randomBytes(32).toString('hex'),
      name: request.name,
      driver: request.driver,
      subnets: request.subnets.length > 0 ? request.subnets : ['10.88.0.0/16'],
      gateways: request.gateways.length > 0 ? request.gateways : ['10.88.0.1'],
      mtu: request.mtu ?? 1500,
      internal: request.internal,
      options: request.options,
      labels: request.labels,
      endpoints: [],
    };
    this.networks.set(network.name, network);
    return network;
  }

  async listNetworks(): Promise<readonly NetworkView[]> {
    return Array.from(this.networks.keys(), (name) => this.#network(name));
  }

  async inspectNetwork(ref: string): Promise<NetworkView> {
    return this.#network(ref);
  }

  async removeNetwork(ref: string): Promise<void> {
    const { name, endpoints } = this.#network(ref);
    if (endpoints.length > 0) throw new VetchError('IN_USE', `network ${name} has endpoints`, 'detach them first');
    this.networks.delete(name);
  }

  readonly services = new Map<string, ServiceView>();

  async createService(request: CreateServiceRequest): Promise<ServiceView> {
    const { name, network, vip, select, algorithm, affinity, health = null } = request;
    const ports = request.ports.map((spec) => ({
      ...{ protocol: 'tcp' as const, port: Number.parseInt(spec, 10), targetPort: Number.parseInt(spec, 10) },
    }));
    const service = { name, network, vip, ports, select, algorithm, affinity, health, backends: [] };
    this.services.set(name, service);
    return service;
  }

  async listServices(): Promise<readonly ServiceView[]> {
    return [...this.services.values()];
  }

  async removeService(ref: string): Promise<void> {
    if (!this.services.delete(ref))
      throw new VetchError('NOT_FOUND', `there is no service ${ref}`, 'see vetch service ls');
  }

  async attachEndpoint(request: AttachEndpointRequest): Promise<EndpointView> {
    const network = this.#network(request.network);
    const id = randomBytes(32).toString('hex');
    const endpoint: EndpointView = {
      id,
      name: request.name ?? id.slice(0, 12),
      network: network.name,
      node: 'h1',
      ifname: request.ifname ?? 'eth0',
      hostIfname: `vt${id.slice(0, 11)}`,
      mac: request.mac ?? '02:42:0a:58:00:02',
      addresses: request.addresses.length > 0 ? request.addresses.map((ip) => `${ip}/16`) : ['10.88.0.2/16'],
      gateways: network.gateways,
      identity: 256,
      rates: {},
      labels: request.labels,
      ports: request.publish.map(parsed),
    };
    this.endpoints.set(`${endpoint.network}/${endpoint.name}`, endpoint);
    return endpoint;
  }

  async listEndpoints(): Promise<readonly EndpointView[]> {
    return [...this.endpoints.values()];
  }

  async inspectEndpoint(ref: string): Promise<EndpointView> {
    const found = [...this.endpoints.values()].filter(
      (one) => ref === one.name || ref === `${one.network}/${one.name}` || one.addresses[0] === ref,
    );
    const [endpoint] = found;
    if (!endpoint) throw new VetchError('NOT_FOUND', `there is no endpoint ${ref}`, 'see vetch endpoint ls');
    return endpoint;
  }

  async labelEndpoint(ref: string, request: LabelEndpointRequest): Promise<EndpointView> {
    const endpoint = await this.inspectEndpoint(ref);
    const labels = Object.fromEntries(
      Object.entries({ ...endpoint.labels, ...request.set }).filter(([key]) => !request.remove.includes(key)),
    );
    return this.#keep({ ...endpoint, labels });
  }

  async detachEndpoint(ref: string): Promise<void> {
    const { network, name } = await this.inspectEndpoint(ref);
    this.endpoints.delete(`${network}/${name}`);
  }

  async *followNames(): AsyncGenerator<NameEvent> {
    for (const { id, name, internal, subnets, gateways } of this.networks.values())
      yield { event: 'network', id, name, internal, subnets, gateways, names: true };
    yield { event: 'synced' };
  }

  async learnAnswer({ source, name, addresses }: LearnAnswerRequest): Promise<OpenedView> {
    const opened = addresses.map(({ address }) => address);
    for (const { address, ttl } of addresses)
      this.learned.push({ endpoint: source, network: '', address, names: [name], ttl });
    return { opened, refused: [] };
  }

  async listLearned(): Promise<readonly LearnedView[]> {
    return this.learned;
  }

  async listPorts(): Promise<readonly PortView[]> {
    return [...this.endpoints.values()].flatMap((endpoint) => endpoint.ports.map((port) => portOf(endpoint, port)));
  }

  async publishPort(ref: string, spec: string): Promise<readonly PortView[]> {
    const endpoint = await this.inspectEndpoint(ref);
    const port = parsed(spec);
    if ((await this.listPorts()).some((one) => one.hostPort === port.hostPort)) {
      const message = `Bind for ${port.hostAddress}:${port.hostPort} failed: port is already allocated`;
      throw new VetchError('PORT_ALLOCATED', message, 'choose another host port');
    }
    return [portOf(this.#keep({ ...endpoint, ports: [...endpoint.ports, port] }), port)];
  }

  async unpublishPort(ref: string, spec: string): Promise<readonly PortView[]> {
    const endpoint = await this.inspectEndpoint(ref);
    const port = parsed(spec);
    const rest = endpoint.ports.filter((one) => one.hostPort !== port.hostPort);
    if (rest.length === endpoint.ports.length)
      throw new VetchError('NOT_FOUND', `${spec} is not published`, 'see vetch port ls');
    this.#keep({ ...endpoint, ports: rest });
    return [portOf(endpoint, port)];
  }

  async applyPolicies(request: ApplyPoliciesRequest): Promise<readonly PolicyView[]> {
    return this.policies.apply(request);
  }

  async listPolicies(): Promise<readonly PolicyView[]> {
    return this.policies.list();
  }

  async getPolicy(ref: string, namespace: string | undefined): Promise<PolicyDocumentView> {
    return this.policies.get(ref, namespace);
  }

  async deletePolicy(ref: string, namespace: string | undefined): Promise<void> {
    this.policies.delete(ref, namespace);
  }

  async explainPolicy(request: ExplainRequest): Promise<ExplainView> {
    return this.policies.explain(request);
  }

  async labelNamespace(name: string, request: LabelNamespaceRequest): Promise<NamespaceView> {
    return this.policies.label(name, request);
  }

  async addDeny(cidrs: readonly string[]): Promise<Rows<DenyView>> {
    for (const cidr of cidrs) this.denied.set(cidr, this.denied.get(cidr) ?? { cidr, packets: 0 });
    return cidrs.map((cidr) => ({ cidr, packets: 0 }));
  }

  async removeDeny(cidrs: readonly string[]): Promise<Rows<DenyView>> {
    const missing = cidrs.find((cidr) => !this.denied.has(cidr));
    if (missing !== undefined) throw new VetchError('NOT_FOUND', `${missing} is not denied`, 'see vetch deny ls');
    for (const cidr of cidrs) this.denied.delete(cidr);
    return cidrs.map((cidr) => ({ cidr, packets: 0 }));
  }

  async listDeny(): Promise<Rows<DenyView>> {
    return this.denied.values();
  }

  async listConntrack(filter: ConntrackFilter): Promise<Rows<ConntrackView>> {
    return this.#tracked(filter);
  }

  async flushConntrack(filter: ConntrackFilter): Promise<{ flushed: number }> {
    const gone = new Set(this.#tracked(filter));
    this.conntrack = this.conntrack.filter((flow) => !gone.has(flow));
    return { flushed: gone.size };
  }

  async listMaps(): Promise<readonly MapView[]> {
    return [mapOf('endpoints', 1), { ...mapOf('flow_events', 0), type: 'ringbuf', entries: null }];
  }

  async dumpMap(name: string): Promise<MapDump> {
    if (name !== 'endpoints') throw new VetchError('NOT_FOUND', `there is no map ${name}`, 'see vetch maps ls');
    const { bpftool } = mapOf(name, 1);
    const key = { network: 1, addr: '10.88.0.2' };
    return { name, bpftool, entries: [{ key, value: { number: 1, packets: 7n, huge: 2n ** 63n } }] };
  }

  async *flows(query: FlowQuery, signal: AbortSignal): AsyncGenerator<FlowView> {
    this.lastFlowQuery = query;
    if (query.include.from.includes('nobody')) {
      throw new VetchError('NOT_FOUND', 'there is no endpoint nobody', 'see vetch endpoint ls');
    }
    const shown = this.held.filter((flow) => matches(query.include, flow));
    yield* query.last === undefined ? shown : shown.slice(shown.length - query.last);
    if (!query.follow) return;
    this.followers += 1;
    try {
      while (!signal.aborted) {
        if (this.followEveryMs > 0) await delay(this.followEveryMs);
        if (query.include.to.includes('breaks')) throw new VetchError('UNAVAILABLE', 'the ring is gone', 'restart');
        this.followed += 1;
        yield eventOf(this.followed, 'FORWARDED');
      }
    } finally {
      this.followers -= 1;
    }
  }

  async trace(request: TraceRequest): Promise<TraceView> {
    const detail = 'from' in request ? `${request.from} to ${request.to} ${request.port}` : request.packet;
    const step = { hook: 'from_endpoint', action: 'dropped', detail };
    return { verdict: 'DROPPED', reason: 'ISOLATED', steps: [step], packetOut: null };
  }

  async status(): Promise<StatusView> {
    return {
      version: '0.1.0',
      node: 'a',
      kernel: '6.18.0',
      features: { tcx: true, redirectPeer: false },
      networks: this.networks.size,
      endpoints: this.endpoints.size,
      maps: await this.listMaps(),
      drops: { SPOOFED: 3 },
      drift: 0,
      warnings: [],
    };
  }

  async doctor(): Promise<readonly DoctorCheck[]> {
    return this.checks;
  }

  readonly node: NodeView = {
    ...{ name: 'h1', version: '0.1.0', addresses: ['198.51.100.10'], rotating: false },
    wireguard: [{ publicKey: 'uP2kOxFf8z4OQ0lDi8oz3dJ2oPI3AvVG7hLmEVqNTlY=', port: 51871 }],
    started: '2026-01-31T12:00:00.000Z',
  };

  async forgetNode(name: string): Promise<void> {
    if (name === 'h1') throw new VetchError('IN_USE', 'host h1 is this host', 'see vetch node ls');
  }

  async rotateKey(): Promise<NodeView> {
    return this.node;
  }

  async listNodes(): Promise<readonly NodeView[]> {
    return [this.node];
  }

  async listIdentities(): Promise<readonly IdentityView[]> {
    return [{ identity: 1, name: 'host', labels: {}, endpoints: [] }];
  }

  async metrics(): Promise<string> {
    return '# TYPE vetch_endpoints gauge\nvetch_endpoints 0\n';
  }

  #tracked({ state }: ConntrackFilter): readonly ConntrackView[] {
    return this.conntrack.filter((flow) => state.length === 0 || state.includes(flow.state));
  }

  #network(ref: string): NetworkView {
    const network = this.networks.get(ref) ?? [...this.networks.values()].find((one) => one.id.startsWith(ref));
    if (!network) throw new VetchError('NOT_FOUND', `there is no network ${ref}`, 'see vetch network ls');
    const members = [...this.endpoints.values()].filter((endpoint) => endpoint.network === network.name);
    return { ...network, endpoints: members.map((endpoint) => endpoint.name) };
  }

  #keep(endpoint: EndpointView): EndpointView {
    this.endpoints.set(`${endpoint.network}/${endpoint.name}`, endpoint);
    return endpoint;
  }
}

export function eventOf(port: number, verdict: FlowView['verdict'], reason: string | null = null): FlowView {
  const end = { endpoint: null, identity: 2, labels: {} };
  return {
    time: '2026-01-31T12:00:00.000Z',
    verdict,
    reason,
    source: { ...end, ip: '10.88.0.2', port: 40_000 },
    destination: { ...end, ip: '10.88.0.3', port },
    protocol: 'tcp',
    tcpFlags: ['SYN'],
    network: 'web',
    node: 'a',
    decidedBy: null,
  };
}

function matches(filter: FlowFilter, flow: FlowView): boolean {
  return filter.verdict.length === 0 || filter.verdict.includes(flow.verdict);
}

function flowOf(port: number, state: ConntrackView['state']): ConntrackView {
  return {
    protocol: 'tcp',
    source: { ip: '10.88.0.2', port },
    destination: { ip: '10.88.0.3', port: 80 },
    translated: null,
    state,
    packets: 2,
    bytes: 120,
    ageSeconds: 1.5,
    expiresSeconds: 59,
    network: 'web',
  };
}

function mapOf(name: string, entries: number): MapView {
  const pin = `/sys/fs/bpf/vetch/v1/maps/${name}`;
  const sizes = { keyBytes: 20, valueBytes: 24, entries, capacity: 131_072 };
  return { name, type: 'hash', pin, ...sizes, writer: 'control', bpftool: `bpftool map dump pinned ${pin}` };
}

function parsed(spec: string): EndpointView['ports'][number] {
  const [, hostPort, port] = /^(\d+):(\d+)$/.exec(spec) ?? [];
  if (!hostPort || !port) throw new VetchError('INVALID', `${spec} is no port`, 'write hostPort:containerPort');
  return { protocol: 'tcp', hostAddress: '0.0.0.0', hostPort: Number(hostPort), port: Number(port) };
}

function portOf(endpoint: EndpointView, port: EndpointView['ports'][number]): PortView {
  const address = endpoint.addresses[0]?.split('/')[0] ?? '';
  return { endpoint: endpoint.name, network: endpoint.network, ...port, address };
}
