import type { Protocol } from '../../model/endpoint.ts';
import { protocolNumbers } from '../protocol.ts';

/** `vetch.io/port.http=80/tcp` names a port of an endpoint. */
const prefix = 'vetch.io/port.';

export interface NamedPort {
  /** IP protocol number. */
  readonly protocol: number;
  readonly port: number;
}

/** Key of the label that gives a port its name. */
export function namedPortLabel(name: string): string {
  return `${prefix}${name}`;
}

export function isNamedPortLabel(key: string): boolean {
  return key.startsWith(prefix);
}

/** Of `80/tcp`; undefined of anything else, which then is no port that a document could mean. */
export function parseNamedPort(value: string): NamedPort | undefined {
  const [, digits, name] = /^(\d{1,5})\/(tcp|udp|sctp)$/.exec(value) ?? [];
  const port = Number(digits);
  if (name === undefined || port < 1 || port > 65_535) return undefined;
  return { protocol: protocolNumbers[name as Protocol], port };
}
