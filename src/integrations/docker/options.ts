import { z } from 'zod';
import { VetchError } from '../../api/error.ts';
import { type PortBinding, portBinding } from './schemas.ts';

const generic = 'com.docker.network.generic';
const portMap = 'com.docker.network.portmap';

/** What the engine itself adds to an endpoint's options, and carries out itself or tells elsewhere. */
const enginesOwn = new Set([
  portMap,
  'com.docker.network.endpoint.exposedports',
  'com.docker.network.endpoint.macaddress',
  'com.docker.network.endpoint.dnsservers',
  'com.docker.network.endpoint.sysctls',
  'com.docker.network.endpoint.expose',
  'com.docker.network.enable_ipv4',
  'com.docker.network.enable_ipv6',
]);

/** What a network's user has given with `-o`. @throws VetchError INVALID: a value that is no text */
export function networkOptions(options: Readonly<Record<string, unknown>>): Record<string, string> {
  const given = options[generic];
  if (given === undefined || given === null) return {};
  const parsed = z.record(z.string(), z.string()).safeParse(given);
  if (parsed.success) return parsed.data;
  throw new VetchError('INVALID', "the network's options are not text by text", 'give them as -o KEY=VALUE');
}

export function isInternal(options: Readonly<Record<string, unknown>>): boolean {
  return options['com.docker.network.internal'] === true;
}

/** What a network's user has given with `--ipam-opt vetch.network=NAME`. */
export function clusterNetwork(options: Readonly<Record<string, unknown>>): string | undefined {
  const name = options['vetch.network'];
  return typeof name === 'string' ? name : undefined;
}

/** Whether an address is asked for to be a gateway. */
export function isForGateway(options: Readonly<Record<string, unknown>>): boolean {
  return options.RequestAddressType === 'com.docker.network.gateway';
}

/** What an endpoint's user has given with `--network name=N,driver-opt=K=V`. */
export function endpointOptions(options: Readonly<Record<string, unknown>>): Record<string, string> {
  const own: Record<string, string> = {};
  for (const [name, value] of Object.entries(options)) {
    // The engine's own are rarely text, and new ones come with its versions; a user's always are.
    if (!enginesOwn.has(name) && typeof value === 'string') own[name] = value;
  }
  return own;
}

/**
 * The port map as SPECs. Those that name one host port come first, so that none of them is taken by a range or an
 * ephemeral one; the engine sends ranges from their end.
 *
 * @throws VetchError INVALID
 */
export function portSpecs(options: Readonly<Record<string, unknown>>): string[] {
  const parsed = z.array(portBinding).nullish().safeParse(options[portMap]);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new VetchError(
      'INVALID',
      `the port map cannot be read: ${issue?.path.join('.')} ${issue?.message}`,
      'publish TCP, UDP or SCTP ports',
    );
  }
  return (parsed.data ?? [])
    .toSorted((a, b) => freedom(a) - freedom(b) || a.HostPort - b.HostPort || a.Port - b.Port)
    .map(specOf);
}

function freedom({ HostPort, HostPortEnd }: PortBinding): number {
  if (HostPort === 0) return 2;
  return HostPortEnd > HostPort ? 1 : 0;
}

const protocols = { 6: 'tcp', 17: 'udp', 132: 'sctp' } as const;

function specOf({ Proto, Port, HostIP, HostPort, HostPortEnd }: PortBinding): string {
  const host = HostIP === '' ? '' : `${HostIP.includes(':') ? `[${HostIP}]` : HostIP}:`;
  const range = HostPortEnd > HostPort ? `${HostPort}-${HostPortEnd}` : `${HostPort}`;
  return `${host}${HostPort === 0 ? '' : range}:${Port}/${protocols[Proto]}`;
}
