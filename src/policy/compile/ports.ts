import type { ClusterProtocol, NetworkPolicyPort } from '../../model/policy.ts';
import { namedPortLabel, parseNamedPort } from '../identity/named-port.ts';
import { protocolNumbers } from '../protocol.ts';

/** Ports `first` to `last` of one protocol. */
export interface PortRange {
  /** IP protocol number. */
  readonly protocol: number;
  readonly first: number;
  readonly last: number;
}

export interface PortName {
  readonly name: string;
  /** That the port must have; undefined: whichever it has. */
  readonly protocol: number | undefined;
}

/** Ports of a rule: any of them. */
export interface PortSpec {
  readonly ranges: readonly PortRange[];
  readonly named: readonly PortName[];
}

const lastPort = 0xffff;
const protocolOf = { TCP: protocolNumbers.tcp, UDP: protocolNumbers.udp, SCTP: protocolNumbers.sctp } as const;

/** Undefined: every protocol and port. */
export function networkPolicyPorts(ports: readonly NetworkPolicyPort[] | undefined): PortSpec | undefined {
  if (ports === undefined || ports.length === 0) return undefined;
  const ranges: PortRange[] = [];
  const named: PortName[] = [];
  for (const { protocol: name = 'TCP', port, endPort } of ports) {
    const protocol = protocolOf[name];
    if (port === undefined) ranges.push({ protocol, first: 0, last: lastPort });
    else if (typeof port === 'string') named.push({ name: port, protocol });
    else ranges.push({ protocol, first: port, last: endPort ?? port });
  }
  return { ranges, named };
}

/** Undefined: every protocol and port. */
export function clusterPorts(protocols: readonly ClusterProtocol[] | undefined): PortSpec | undefined {
  if (protocols === undefined) return undefined;
  const ranges: PortRange[] = [];
  const named: PortName[] = [];
  for (const item of protocols) {
    if (item.destinationNamedPort !== undefined) named.push({ name: item.destinationNamedPort, protocol: undefined });
    for (const name of ['tcp', 'udp', 'sctp'] as const) {
      const port = item[name]?.destinationPort;
      const protocol = protocolNumbers[name];
      if (port?.number !== undefined) ranges.push({ protocol, first: port.number, last: port.number });
      if (port?.range !== undefined) ranges.push({ protocol, first: port.range.start, last: port.range.end });
    }
  }
  return { ranges, named };
}

/** The ports that a rule means at an endpoint with these labels. */
export function resolvePorts({ ranges, named }: PortSpec, labels: ReadonlyMap<string, string>): readonly PortRange[] {
  if (named.length === 0) return ranges;
  const resolved = [...ranges];
  for (const { name, protocol } of named) {
    const port = parseNamedPort(labels.get(namedPortLabel(name)) ?? '');
    if (port === undefined || (protocol !== undefined && port.protocol !== protocol)) continue;
    resolved.push({ protocol: port.protocol, first: port.port, last: port.port });
  }
  return resolved;
}

export function inRanges(ranges: readonly PortRange[], protocol: number, port: number): boolean {
  for (const range of ranges) {
    if (range.protocol === protocol && range.first <= port && port <= range.last) return true;
  }
  return false;
}
