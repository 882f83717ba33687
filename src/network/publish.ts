import { VetchError } from '../api/error.ts';
import { canonicalAddress, familyOf } from '../model/address.ts';
import type { Protocol, PublishedPort } from '../model/endpoint.ts';

/** Both ends are included. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** One container port to be published. */
export interface PublishRequest {
  readonly protocol: Protocol;
  /** Canonical; absent: every address of the host, of each family that the endpoint has. */
  readonly hostAddress?: string;
  /** Absent: any free port of the ephemeral range. A range of several means the first free one of it. */
  readonly hostPorts?: PortRange;
  /** The endpoint's own. */
  readonly port: number;
}

const form = 'write it as [ip|[ip6]:][hostPort[-end]]:containerPort[-end][/tcp|udp|sctp]';
const protocols: readonly string[] = ['tcp', 'udp', 'sctp'] satisfies Protocol[];

/**
 * Reads a SPEC as Docker does: one request for each container port.
 *
 * Ranges of equal length go together; a range of host ports with one container port means the first free one of it.
 * The host part may be left out: `80` and `127.0.0.1::80` ask for an ephemeral host port, as does host port 0.
 *
 * @throws VetchError INVALID
 */
export function parsePublish(spec: string): PublishRequest[] {
  const slash = spec.indexOf('/');
  const ports = slash === -1 ? spec : spec.slice(0, slash);
  const protocolText = slash === -1 ? 'tcp' : spec.slice(slash + 1);
  const protocol = protocolText.toLowerCase();
  if (!isProtocol(protocol)) throw invalid(spec, `has no protocol '${protocolText}'`, 'use tcp, udp or sctp');

  const { host, hostPorts, containerPorts } = split(spec, ports);
  const container = parseRange(spec, 'container', containerPorts);
  if (container.first === 0) throw invalid(spec, 'has container port 0', 'use 1 to 65535');
  const wanted = hostPorts === '' || hostPorts === '0' ? undefined : parseRange(spec, 'host', hostPorts);
  if (wanted?.first === 0) throw invalid(spec, 'has a range of host ports from 0', 'use 1 to 65535');

  const base = { protocol, ...(host === undefined ? {} : { hostAddress: parseHost(spec, host) }) };
  if (wanted !== undefined && size(container) === 1) return [{ ...base, hostPorts: wanted, port: container.first }];
  if (wanted !== undefined && size(wanted) !== size(container)) {
    throw invalid(
      spec,
      `has ${size(wanted)} host ports for ${size(container)} container ports`,
      'give ranges of equal length, or one container port',
    );
  }
  return Array.from({ length: size(container) }, (_, i) => {
    const hostPort = wanted === undefined ? undefined : wanted.first + i;
    return {
      ...base,
      ...(hostPort === undefined ? {} : { hostPorts: { first: hostPort, last: hostPort } }),
      port: container.first + i,
    };
  });
}

/** Which of an endpoint's published ports a SPEC means: what it leaves open matches all. */
export function matchPublished(requests: readonly PublishRequest[], ports: readonly PublishedPort[]): PublishedPort[] {
  return ports.filter((port) => requests.some((request) => matches(request, port)));
}

function matches({ protocol, hostAddress, hostPorts, port: own }: PublishRequest, port: PublishedPort): boolean {
  if (protocol !== port.protocol || own !== port.port) return false;
  // Of what takes no port of the host a SPEC says the family at most.
  if (port.hostPort === 0) return hostAddress === undefined || familyOf(hostAddress) === familyOf(port.hostAddress);
  if (hostAddress !== undefined && hostAddress !== port.hostAddress) return false;
  return hostPorts === undefined || (hostPorts.first <= port.hostPort && port.hostPort <= hostPorts.last);
}

function split(spec: string, text: string): { host: string | undefined; hostPorts: string; containerPorts: string } {
  const bracketed = /^\[([^\]]*)\]:([^:[\]]*):([^:[\]]*)$/.exec(text);
  if (bracketed !== null) {
    const [, host = '', hostPorts = '', containerPorts = ''] = bracketed;
    if (!host.includes(':')) throw invalid(spec, `has '${host}' where an IPv6 address belongs`, form);
    return { host, hostPorts, containerPorts };
  }
  const parts = text.split(':');
  const [containerPorts = '', hostPorts = '', host] = parts.toReversed();
  if (parts.length > 3) throw invalid(spec, 'has more than ip, host port and container port', `${form}, IPv6 in []`);
  return { host: parts.length === 3 ? host : undefined, hostPorts, containerPorts };
}

function parseHost(spec: string, text: string): string {
  if (text === '') throw invalid(spec, 'has an empty host address', form);
  try {
    return canonicalAddress(text);
  } catch (cause) {
    throw invalid(spec, `has '${text}' where a host address belongs`, form, cause);
  }
}

function parseRange(spec: string, whose: string, text: string): PortRange {
  if (text === '') throw invalid(spec, `has no ${whose} port`, form);
  const [, start = '', end = start] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? [];
  const range = { first: Number(start), last: Number(end) };
  if (start === '' || range.first > 65535 || range.last > 65535) {
    throw invalid(spec, `has ${whose} port '${text}'`, 'use 1 to 65535, or a range such as 8000-8010');
  }
  if (range.last < range.first)
    throw invalid(spec, `has the ${whose} range ${text} backwards`, 'put the lower port first');
  return range;
}

function isProtocol(text: string): text is Protocol {
  return protocols.includes(text);
}

function size({ first, last }: PortRange): number {
  return last - first + 1;
}

function invalid(spec: string, what: string, hint: string, cause?: unknown): VetchError {
  return new VetchError('INVALID', `publish spec '${spec}' ${what}`, hint, { cause });
}
