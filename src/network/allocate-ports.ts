import { VetchError } from '../api/error.ts';
import { familyOf, parseAddress } from '../model/address.ts';
import type { PublishedPort } from '../model/endpoint.ts';
import { type Binding, PortTable } from './port-table.ts';
import type { PortRange, PublishRequest } from './publish.ts';

/** What Linux gives to sockets that ask for no port, and Docker to publishes that ask for none. */
export const defaultEphemeralPorts: PortRange = { first: 32768, last: 60999 };

/** What ports are allocated among. */
export interface PortContext {
  /** What is published on this host already. */
  readonly published: Pick<PortTable, 'holder' | 'lowestFree'>;
  /** The families of the endpoint's addresses: a request without host address is published for each. */
  readonly families: readonly (4 | 6)[];
  /** Host address of requests that name none; for its family alone. Default: the wildcard of each family. */
  readonly hostBinding?: string | undefined;
  /** Families of a routed network: their ports are reached at the endpoint's own address, and take none of the host. */
  readonly routed?: readonly (4 | 6)[];
  /** Where ephemeral host ports come from. Default {@link defaultEphemeralPorts}. */
  readonly reserved?: PortRange;
  /** Ephemeral ports are tried from here, then around: whoever moves it does not reuse a port at once. Default the first. */
  readonly ephemeralStart?: number;
  /** For the message: whose ports these are, `frontend/web`. */
  readonly endpoint?: string;
}

/** Asked and answered: whether the host itself (a process of it) leaves a binding free. */
type Question = Generator<Binding, PublishedPort[], boolean>;

/**
 * Host ports for all of the requests, or none.
 *
 * `isFree` is asked for each binding before it is chosen, and may hold it (a bound socket); those that it said yes to but
 * that are not in the result are the caller's to let go: when the other family's half was not free, another port is tried.
 *
 * @throws VetchError PORT_ALLOCATED: in Docker's words; INVALID: a host address of a family that the endpoint has not
 */
export function allocatePorts(
  requests: readonly PublishRequest[],
  context: PortContext,
  isFree: (binding: Binding) => boolean = () => true,
): PublishedPort[] {
  const questions = ask(requests, context);
  let step = questions.next();
  while (!step.done) step = questions.next(isFree(step.value));
  return step.value;
}

/** {@link allocatePorts} with a probe that takes its time. */
export async function allocatePortsAsync(
  requests: readonly PublishRequest[],
  context: PortContext,
  isFree: (binding: Binding) => Promise<boolean>,
): Promise<PublishedPort[]> {
  const questions = ask(requests, context);
  let step = questions.next();
  while (!step.done) step = questions.next(await isFree(step.value));
  return step.value;
}

function* ask(requests: readonly PublishRequest[], context: PortContext): Question {
  const chosen: PublishedPort[] = [];
  const own = new PortTable();
  for (const request of requests) {
    const addresses = hostAddresses(request, context);
    const routed = (address: string) => context.routed?.includes(familyOf(address)) === true;
    const bound = addresses.filter((address) => !routed(address));
    const ports = bound.length === 0 ? [] : yield* firstFree(request, bound, context, own);
    for (const port of ports) own.add(port, context.endpoint ?? 'this endpoint');
    chosen.push(...ports);
    for (const address of addresses.filter(routed)) {
      const port = ownPort(request, familyOf(address));
      if (!chosen.some((other) => isSame(other, port))) chosen.push(port);
    }
  }
  return chosen;
}

function ownPort({ protocol, port }: PublishRequest, family: 4 | 6): PublishedPort {
  return { protocol, hostAddress: wildcardOf(family), hostPort: 0, port };
}

function isSame(one: PublishedPort, other: PublishedPort): boolean {
  return (
    one.protocol === other.protocol &&
    one.hostAddress === other.hostAddress &&
    one.hostPort === other.hostPort &&
    one.port === other.port
  );
}

function wildcardOf(family: 4 | 6): string {
  return family === 4 ? '0.0.0.0' : '::';
}

/** The same port at every address. */
function* firstFree(
  request: PublishRequest,
  addresses: readonly string[],
  context: PortContext,
  own: PortTable,
): Question {
  const { protocol, port } = request;
  let refusal: VetchError | undefined;
  for (const hostPort of candidates(request, context, own)) {
    const bindings = addresses.map((hostAddress) => ({ protocol, hostAddress, hostPort, port }));
    let conflict: VetchError | undefined;
    for (const binding of bindings) {
      const holder = context.published.holder(binding) ?? own.holder(binding);
      if (holder !== undefined) conflict = allocated(binding, `${holder} has published it`);
      else if (!(yield binding)) conflict = allocated(binding, 'a process of the host holds it');
      if (conflict !== undefined) break;
    }
    if (conflict === undefined) return bindings;
    refusal ??= conflict;
  }
  if (request.hostPorts !== undefined && refusal !== undefined && size(request.hostPorts) === 1) throw refusal;
  const { first, last } = request.hostPorts ?? context.reserved ?? defaultEphemeralPorts;
  throw new VetchError(
    'PORT_ALLOCATED',
    `all ports are allocated: none of ${protocol} ${first}-${last} is free`,
    'unpublish ports that are no longer needed, or name a free host port',
  );
}

function* candidates(request: PublishRequest, context: PortContext, own: PortTable): Iterable<number> {
  const { hostPorts, protocol } = request;
  if (hostPorts !== undefined) {
    for (let port = hostPorts.first; port <= hostPorts.last; port++) yield port;
    return;
  }
  const { first, last } = context.reserved ?? defaultEphemeralPorts;
  const asked = context.ephemeralStart ?? first;
  const start = first <= asked && asked <= last ? asked : first;
  yield* unpublished(start, last);
  yield* unpublished(first, start - 1);

  function* unpublished(from: number, to: number): Iterable<number> {
    for (let port = from; port <= to; port++) {
      const free = context.published.lowestFree(protocol, port, to);
      if (free === undefined) return;
      port = own.lowestFree(protocol, free, to) ?? to + 1;
      if (port === free) yield port;
      else port--;
    }
  }
}

function hostAddresses({ hostAddress, port, protocol }: PublishRequest, context: PortContext): string[] {
  const { families, hostBinding } = context;
  const named = hostAddress ?? hostBinding;
  if (named === undefined) return families.map(wildcardOf);
  const family = familyOf(named);
  if (isMulticast(named)) {
    throw new VetchError(
      'INVALID',
      `cannot publish on ${named}: it is no host's own address`,
      'name an address of this host',
    );
  }
  if (families.includes(family)) return [named];
  throw new VetchError(
    'INVALID',
    `cannot publish ${protocol} port ${port} on ${named}: ${context.endpoint ?? 'the endpoint'} has no IPv${family} address`,
    `name an IPv${family === 4 ? 6 : 4} address of this host, or none`,
  );
}

function isMulticast(address: string): boolean {
  const bytes = parseAddress(address);
  return familyOf(address) === 4 ? (bytes[12] ?? 0) >= 224 : bytes[0] === 0xff;
}

/** Docker's words, which people and scripts search for. */
function allocated({ hostAddress, hostPort, protocol }: Binding, why: string): VetchError {
  return new VetchError(
    'PORT_ALLOCATED',
    `Bind for ${hostAddress}:${hostPort} failed: port is already allocated`,
    `${why} (${protocol}): choose another host port, or free it`,
  );
}

function size({ first, last }: PortRange): number {
  return last - first + 1;
}
