import { createHash, randomBytes } from 'node:crypto';
import { VetchError } from '../api/error.ts';
import type { AttachEndpointRequest } from '../api/schemas/endpoint.ts';
import { canonicalAddress, familyOf } from '../model/address.ts';
import type { Endpoint } from '../model/endpoint.ts';
import { leanEndpoint } from '../model/lean-endpoint.ts';
import type { Network, Owner } from '../model/network.ts';
import type { AddressPool } from './address-pool.ts';
import { driverOf, planOf } from './drivers/registry.ts';
import type { EndpointIndex, NetworkIndex } from './endpoint-index.ts';
import { checkMac, macFor } from './mac.ts';
import { checkEndpointName, checkInterfaceName } from './names.ts';
import { checkRateLabels } from './rates.ts';

/** The device of an endpoint that has none of its own. */
const loopback = 'lo';

/** What a new endpoint is planned among. */
export interface EndpointContext {
  readonly network: Network;
  /** Knows the network and all endpoints. */
  readonly endpoints: EndpointIndex;
  /** Names of the devices that are in the sandbox already. */
  readonly sandboxIfnames?: Iterable<string>;
  /** MACs that no endpoint may have, canonical: that of the gateways. */
  readonly reservedMacs?: readonly string[];
  /** 64 hex digits; random unless an engine has given one. */
  readonly id?: string;
  /** Default `vetch`. */
  readonly owner?: Owner;
  readonly now?: Date;
}

/**
 * The endpoint that a request asks for, without its ports (see allocate-ports.ts): numbered, with the addresses, MAC and
 * device names that it does not name.
 *
 * @throws VetchError INVALID, ALREADY_EXISTS, ADDRESS_TAKEN, ADDRESS_OUTSIDE_POOL, UNSUPPORTED or MAP_FULL
 */
export function planEndpoint(request: AttachEndpointRequest, context: EndpointContext): Endpoint {
  const { network, endpoints } = context;
  const index = endpoints.network(network.id);
  if (index === undefined) {
    throw new VetchError('NOT_FOUND', `network ${network.name} is not there`, 'list networks with `vetch network ls`');
  }
  const driver = driverOf(network);
  driver.checkEndpointOptions(request.options);
  checkRateLabels(request.labels);
  const { maxEndpoints } = planOf(network);
  if (maxEndpoints !== undefined && index.names.size >= maxEndpoints) {
    throw new VetchError(
      'IN_USE',
      `network ${network.name} has ${maxEndpoints === 1 ? 'the one endpoint' : 'all the endpoints'} that it can have`,
      'detach that, or use a network of another mode',
    );
  }
  if (request.publish.length > 0) checkPublishing(network);
  checkSandbox(request, network, endpoints);
  if (driver.capabilities.cgroups && request.cgroup !== undefined) checkCgroup(request.cgroup, index);
  const defaults = driver.defaults(network.options);
  const id = unusedId(context.id ?? randomBytes(32).toString('hex'), endpoints);
  const addresses = chosenAddresses(request.addresses, index);
  const labels = Object.keys(request.labels).length > 0 ? request.labels : defaults.labels;
  return leanEndpoint({
    id,
    number: endpoints.numbers.next(),
    name: chosenName(request.name, id, index),
    network: network.id,
    owner: context.owner ?? 'vetch',
    ...(driver.capabilities.devices
      ? {
          ifname: chosenIfname(request, defaults.ifnamePrefix, context),
          hostIfname: freeHostIfname(id, endpoints),
          mac: chosenMac(request.mac, macSeed(id, network, addresses), index, context.reservedMacs ?? []),
        }
      : { ifname: loopback, hostIfname: '', mac: '' }),
    addresses,
    netns: request.netns ?? '',
    ...(request.cgroup === undefined ? {} : { cgroup: request.cgroup }),
    labels,
    options: request.options,
    ports: [],
    created: (context.now ?? new Date()).toISOString(),
  });
}

/** Whether endpoints of a network may publish at all. @throws VetchError INVALID */
export function checkPublishing(network: Network): void {
  if (network.internal) {
    throw new VetchError(
      'INVALID',
      `network ${network.name} is internal: nothing reaches it from outside`,
      'publish on an endpoint of a network that is not internal',
    );
  }
  if (driverOf(network).capabilities.publishing) return;
  throw new VetchError(
    'INVALID',
    `a network of driver ${network.driver} publishes no ports`,
    driverOf(network).capabilities.parentDevice
      ? 'leave it out: every port is reached at the own address of its endpoint, as policy allows'
      : driverOf(network).capabilities.cgroups
        ? "leave it out: its ports are the host's own, as policy allows"
        : 'use a network of driver bridge',
  );
}

/** Whoever has loopback alone has nothing beside it. @throws VetchError INVALID */
function checkSandbox(request: AttachEndpointRequest, network: Network, endpoints: EndpointIndex): void {
  const { devices } = driverOf(network).capabilities;
  if (!devices && (request.mac !== undefined || request.ifname !== undefined)) {
    throw new VetchError(
      'INVALID',
      `an endpoint of network ${network.name}, of driver ${network.driver}, has no device`,
      'leave out --mac and --ifname',
    );
  }
  // An engine's sandbox has no path here, and the engine sees to this itself.
  if (!request.netns) return;
  const others = endpoints.ifnames(request.netns);
  if (devices ? !others.has(loopback) : others.size === 0) return;
  throw new VetchError(
    'INVALID',
    `a sandbox of network ${network.name} would have ${devices ? 'more than loopback alone' : 'other endpoints beside it'}`,
    devices
      ? 'detach its endpoint of driver none first'
      : 'detach its other endpoints first, or use a network of driver bridge',
  );
}

/** What is in two cgroups of ours would be two endpoints. @throws VetchError IN_USE */
function checkCgroup(cgroup: string, { network, cgroups }: NetworkIndex): void {
  const holds = (outer: string, inner: string) => inner === outer || inner.startsWith(`${outer}/`);
  for (const [other, name] of cgroups) {
    if (!holds(other, cgroup) && !holds(cgroup, other)) continue;
    throw new VetchError(
      'IN_USE',
      `cgroup ${cgroup} ${other === cgroup ? 'is' : 'overlaps'} that of endpoint ${network.name}/${name}`,
      'name one that is apart from it, or detach that endpoint',
    );
  }
}

/** An engine that repeats itself must not make two endpoints of one. */
function unusedId(id: string, endpoints: EndpointIndex): string {
  const other = endpoints.endpoint(id);
  if (other === undefined) return id;
  throw new VetchError('ALREADY_EXISTS', `endpoint ${other.name} has the id ${id} already`, 'detach it first');
}

function freeHostIfname(id: string, { hostIfnames }: EndpointIndex): string {
  const digits = id.repeat(2);
  for (let start = 0; ; start++) {
    const name = `vt${digits.slice(start, start + 11)}`;
    if (!hostIfnames.has(name)) return name;
  }
}

function chosenName(asked: string | undefined, id: string, { network, names }: NetworkIndex): string {
  if (asked === undefined) {
    for (let length = 12; ; length++) if (!names.has(id.slice(0, length))) return id.slice(0, length);
  }
  checkEndpointName(asked);
  if (!names.has(asked)) return asked;
  throw new VetchError(
    'ALREADY_EXISTS',
    `endpoint ${network.name}/${asked} already exists`,
    `choose another name, or detach it with \`vetch endpoint detach ${network.name}/${asked}\``,
  );
}

function chosenIfname(request: AttachEndpointRequest, prefix: string, context: EndpointContext): string {
  const taken = new Set([...context.endpoints.ifnames(request.netns ?? ''), ...(context.sandboxIfnames ?? [])]);
  if (request.ifname === undefined) {
    for (let i = 0; ; i++) if (!taken.has(`${prefix}${i}`)) return `${prefix}${i}`;
  }
  checkInterfaceName(request.ifname);
  if (!taken.has(request.ifname)) return request.ifname;
  throw new VetchError(
    'ALREADY_EXISTS',
    `the sandbox ${request.netns} has a device ${request.ifname} already`,
    'choose another with --ifname, or none for the first free one',
  );
}

/** Where others, or containers of other hosts, keep it in their neighbour tables, who comes back with the same address comes with the same MAC. */
function macSeed(id: string, network: Network, addresses: readonly string[]): string {
  const { multiHost, parentDevice } = driverOf(network).capabilities;
  if (!(multiHost || parentDevice) || addresses.length === 0) return id;
  return createHash('sha256').update(`${network.id} ${addresses[0]}`).digest('hex');
}

function chosenMac(
  asked: string | undefined,
  seed: string,
  { network, macs }: NetworkIndex,
  reserved: readonly string[],
): string {
  const isTaken = (mac: string): boolean => macs.has(mac) || reserved.includes(mac);
  if (asked !== undefined) {
    const mac = checkMac(asked);
    if (!isTaken(mac)) return mac;
    throw new VetchError(
      'ADDRESS_TAKEN',
      `MAC address ${mac} is in use in network ${network.name}`,
      'choose another with --mac, or none',
    );
  }
  for (let attempt = 0; ; attempt++) {
    const mac = macFor(seed, attempt);
    if (!isTaken(mac)) return mac;
  }
}

/** One address of each family that the network has, with the length of its subnet. */
function chosenAddresses(asked: readonly string[], { network, pools }: NetworkIndex): string[] {
  const wanted = new Map<AddressPool, string>();
  for (const text of asked) {
    const address = canonicalAddress(text);
    const pool = pools.find(({ cidr }) => familyOf(cidr) === familyOf(address));
    if (pool === undefined) {
      const cidrs = pools.map(({ cidr }) => cidr).join(' and ');
      throw new VetchError(
        'ADDRESS_OUTSIDE_POOL',
        `address ${address} is outside network ${network.name}, which has ${cidrs || 'no addresses'}`,
        cidrs === '' ? 'leave out --ip' : `choose an address of ${cidrs}, or none for an automatic one`,
      );
    }
    const other = wanted.get(pool);
    if (other !== undefined) {
      throw new VetchError(
        'INVALID',
        `${other} and ${address} are two addresses of one family for one endpoint`,
        'give one address of each family',
      );
    }
    pool.check(address);
    wanted.set(pool, address);
  }
  return pools.map((pool) => {
    const length = pool.cidr.slice(pool.cidr.indexOf('/'));
    return `${wanted.get(pool) ?? pool.next()}${length}`;
  });
}
